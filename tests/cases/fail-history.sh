# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Whichever allocation fails while a table with a history is loaded, resumed, suspended, or goes on with another log, the
# operation fails cleanly or needs none, and nothing leaks. If allocations, or requests to the log, fail under load, no
# request to the disk fails.
# kernel: debug
# disk: 64M
# disk: 64M
# disk: 64M
# disk: 64M
# timeout: 180 1200
# The kernel's own warnings about failed vmalloc and per-CPU allocations, each with a stack.
# dmesg: Call Trace:
# dmesg: kmemleak: Cannot allocate a scan area

# shellcheck source=../lib/history.sh
. lib/history.sh
modprobe dm-imgrement
echo scan > /sys/kernel/debug/kmemleak
echo clear > /sys/kernel/debug/kmemleak
attributes='failslab fail_page_alloc'
for attribute in $attributes; do inject "$attribute" ignore-gfp-wait=N; done
inject fail_page_alloc min-order=0 ignore-gfp-highmem=N
read -r _ size _ _ _ base _ < <(grep '^dm_imgrement ' /proc/modules)
# of_ours ATTRIBUTE: only allocations of our module may fail, and only in this way.
of_ours() {
	local attribute
	for attribute in $attributes; do
		inject "$attribute" require-start=0x1 require-end=0x2 stacktrace-depth=32
	done
	inject "$1" require-start="$base" require-end="$(printf '%#x' $((base + size)))"
}
arguments='/dev/sda 0 10 log off data off pattern none history 8:16 history_buffer 256'

# The constructor, with its devices, its buffers and its thread. A few hundred allocations: in `make test-debug` once.
dmsetup create imgrement --notable
for attribute in failslab $(times '' failslab) fail_page_alloc; do
	of_ours "$attribute"
	read -r allocations failed < <(python3 lib/fail-nth.py load imgrement 131072 imgrement "$arguments")
	echo "load, $attribute: $allocations allocations, $failed failures"
	case $attribute in
	# If one of these fails, vmalloc() tries another way.
	fail_page_alloc) [ "$allocations" -ge 10 ] || fail "the constructor should have more than $allocations allocations" ;;
	*) [ "$failed" -ge 60 ] || fail "the constructor should have more than $failed allocations" ;;
	esac
	for disk in sda sdb; do python3 -c "import os; os.open('/dev/$disk', os.O_RDWR | os.O_EXCL)"; done
	expect 'threads' 0 "$(cat /proc/[0-9]*/comm 2> /dev/null | grep -c '^kworker/R-imgrement-io' || true)"
done

# No memory need be contiguous: not more than the slab allocator needs for its small objects.
of_ours fail_page_alloc
inject fail_page_alloc min-order=2 probability=100 times=-1
dmsetup load imgrement --table "0 131072 imgrement ${arguments/buffer 256/buffer 8192}" ||
	fail 'a table is refused if there are no contiguous pages'
dmsetup clear imgrement
inject fail_page_alloc min-order=0 probability=0 times=1

# The change to another log: it is refused, or done.
of_ours failslab
dmsetup load imgrement --table "0 131072 imgrement $arguments"
dmsetup resume imgrement
read -r allocations failed < <(python3 lib/fail-nth.py next imgrement /dev/sd{c,d})
echo "history next: $allocations allocations, $failed failures"
[ "$failed" -ge 5 ] || fail "the message should have more than $failed allocations"
expect_match 'the table names the next log' 'history 8:(32|48) ' "$(dmsetup table imgrement)"
arguments=${arguments/8:16/$(dmsetup table imgrement | sed -E 's/.* history ([^ ]+) .*/\1/')}
expect 'state' on "$(status history)"

# One in ten of our allocations fails, in any task, under load, while the device is suspended, and gets other tables.
# load MIB: data goes through, and is verified.
load() {
	fio --name=load --filename=/dev/mapper/imgrement --rw=randwrite --bsrange=4k-64k --direct=1 --ioengine=libaio \
		--iodepth=8 --fsync=16 --size="$1M" --verify=crc32c --verify_fatal=1 > /tmp/fio 2>&1 || fail "fio: $(cat /tmp/fio)"
}
inject failslab probability=10 times=1000000
load "$(times 2 32)" &
load=$!
refused=0
while kill -0 $load 2> /dev/null; do
	dmsetup load imgrement --table "0 131072 imgrement $arguments" 2> /tmp/said || {
		grep -q 'Cannot allocate memory' /tmp/said || fail "a table: $(cat /tmp/said)"
		refused=$((refused + 1))
	}
	dmsetup suspend --noflush imgrement
	dmsetup resume imgrement
	dmsetup message imgrement 0 mark here 2> /tmp/said ||
		grep -q 'Cannot allocate memory' /tmp/said || fail "a mark: $(cat /tmp/said)"
done
wait $load
inject failslab probability=0
echo "$refused tables refused"
[ $refused -gt 0 ] || fail 'no table was refused'
expect 'state' 'on 0' "$(status history) $(status history_gaps)"
expect 'errors' 0 "$(counter errors)"

# One of the requests to the log fails, another one each time.
arguments=${arguments/ 8:?? / 8:16 }
echo 1 > /sys/block/sdb/make-it-fail
ended=0
for _ in $(seq "$(times 8 100)"); do
	dmsetup load imgrement --table "0 131072 imgrement ${arguments/ 10 / 12 } history_new on"
	inject fail_make_request probability=100 times=1 space=$((RANDOM * 80))
	dmsetup suspend imgrement
	dmsetup resume imgrement
	load 1
	dmsetup suspend imgrement
	dmsetup resume imgrement
	inject fail_make_request probability=0
	case "$(status history) $(status history_reason)" in
	'on -') ;;
	'ended failed') ended=$((ended + 1)) ;;
	*) fail "$(dmsetup status imgrement)" ;;
	esac
	expect 'errors' 0 "$(counter errors)"
done
echo "$ended histories ended"
[ $ended -gt 0 ] || fail 'no request to the log failed'
remove_target imgrement
look_for_leaks
expect 'lost' '' "$(cat /sys/kernel/debug/kmemleak)"
