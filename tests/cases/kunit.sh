# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The KUnit tests of the abstraction pass.
# kernel: debug
# params: kunit.enable=1 kunit.autorun=1

modprobe dm-test-kunit
dmesg -t | grep -E '^ *((not )?ok|# [a-z_]*:|KTAP|1\.\.)' || true
expect 'failed' '' "$(dmesg -t | grep -E '^ *not ok' || true)"
for suite in dm_args:5 dm_status:3 dm_per_bio:3 dm_segments:4 dm_owned:4 dm_transfer:3 dm_limits:3 dm_word:2; do
	tests=${suite#*:}
	expect_match "${suite%:*}" "# ${suite%:*}: pass:$tests fail:0 skip:0 total:$tests" "$(dmesg -t)"
done
rmmod dm-test-kunit
