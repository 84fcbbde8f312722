# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# dmsetup create loads the modules. They stay while they are in use, and can be unloaded afterwards.

for kind in imgrement rust_linear; do
	module=dm_$kind
	for _ in once again; do
		[ ! -e /sys/module/$module ] || fail "$module is there already"
		dmsetup create one --table "0 2048 $kind /dev/sdb 0"
		dmsetup create two --table "0 2048 $kind /dev/sdb 2048"
		expect "$module: uses" 2 "$(cat /sys/module/$module/refcnt)"
		expect_fail rmmod $module
		expect "$module in use" "rmmod: ERROR: Module $module is in use" "$said"
		remove_target one
		expect_fail rmmod $module
		# The refused attempts have done no harm.
		dd if=/dev/mapper/two of=/dev/null bs=4096 count=1 iflag=direct status=none
		remove_target two
		expect "$module: uses" 0 "$(cat /sys/module/$module/refcnt)"
		expect_match "$module: target" "(^|"$'\n'")$kind +v1\.[0-9]+\.0" "$(dmsetup targets)"
		rmmod $module
		expect "$module: target" '' "$(dmsetup targets | grep "^$kind " || true)"
	done
done
