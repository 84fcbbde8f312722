# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Whichever allocation fails in the constructor of a target that keeps bios and does I/O of its own, the operation fails
# cleanly and nothing leaks. If one in twenty allocations of any kind fails under load, no request fails.
# kernel: debug
# disk: 64M
# disk: 64M
# timeout: 120 900
# The kernel's own warnings about failed vmalloc and per-CPU allocations, each with a stack.
# dmesg: Call Trace:
# dmesg: kmemleak: Cannot allocate a scan area

modprobe dm_test_defer
echo scan > /sys/kernel/debug/kmemleak
echo clear > /sys/kernel/debug/kmemleak
for attribute in failslab fail_page_alloc; do inject $attribute ignore-gfp-wait=N; done
inject fail_page_alloc min-order=0 ignore-gfp-highmem=N
read -r _ size _ _ _ base _ < <(grep '^dm_test_defer ' /proc/modules)
# of_ours ATTRIBUTE: only allocations of our module may fail, and only in this way.
of_ours() {
	local attribute
	for attribute in failslab fail_page_alloc; do
		inject "$attribute" require-start=0x1 require-end=0x2 stacktrace-depth=32
	done
	inject "$1" require-start="$base" require-end="$(printf '%#x' $((base + size)))"
}

dmsetup create defer --notable
for attribute in failslab failslab fail_page_alloc; do
	of_ours $attribute
	read -r allocations failed < <(python3 lib/fail-nth.py load defer 65536 test_defer '/dev/sda 0 /dev/sdb')
	echo "load, $attribute: $allocations allocations, $failed failures"
	# Those of pages depend on what the allocator has at hand.
	[ "$allocations" -ge 5 ] || fail "the constructor should have more than $allocations allocations"
	# The disks are free again.
	for disk in sda sdb; do python3 -c "import os; os.open('/dev/$disk', os.O_RDWR | os.O_EXCL)"; done
	expect 'threads' 0 "$(cat /proc/[0-9]*/comm 2> /dev/null | grep -c "^kworker/R-test_defer-io" || true)"
done

# One in twenty allocations of our module fails, in any task, and each copy to the second device may fail, too.
of_ours failslab
dmsetup load defer --table '0 65536 test_defer /dev/sda 0 /dev/sdb'
dmsetup resume defer
inject failslab probability=5 times=1000000
inject fail_make_request probability=20 times=1000000
echo 1 > /sys/block/sdb/make-it-fail
fio --name=load --filename=/dev/mapper/defer --rw=randwrite --bsrange=4k-64k --direct=1 --ioengine=libaio --iodepth=8 \
	--fsync=16 --size="$(times 2 32)M" --verify=crc32c --verify_fatal=1 > /tmp/fio 2>&1 || fail "fio: $(cat /tmp/fio)"
inject failslab probability=0
inject fail_make_request probability=0
[ "$(dmsetup status defer | sed -E 's/.* failed ([0-9]+).*/\1/')" -gt 0 ] || fail 'no copy failed'
remove_target defer
look_for_leaks
expect 'lost' '' "$(cat /sys/kernel/debug/kmemleak)"
