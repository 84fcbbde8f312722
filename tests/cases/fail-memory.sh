# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Whichever allocation of the constructor or of a message fails, the operation fails cleanly and nothing leaks. If one
# in twenty allocations fails under load, no request fails.
# kernel: debug
# disk: 64M
# disk: 64M
# timeout: 120 900
# The kernel's own warnings about failed vmalloc and per-CPU allocations, each with a stack.
# dmesg: Call Trace:

modprobe dm-imgrement
echo scan > /sys/kernel/debug/kmemleak
echo clear > /sys/kernel/debug/kmemleak
attributes='failslab fail_page_alloc'
read -r _ size _ _ _ base _ < <(grep '^dm_imgrement ' /proc/modules)
# of_ours YES|NO [ATTRIBUTE]: whether only allocations of our module may fail, and only in one of these ways.
of_ours() {
	local begin end attribute
	for attribute in $attributes; do
		begin=0 end=0xffffffffffffffff
		[ "$1" = no ] || { begin=$base end=$(printf '%#x' $((base + size))); }
		# An address range without code.
		[ "${2:-$attribute}" = "$attribute" ] || begin=0x1 end=0x2
		inject "$attribute" require-start="$begin" require-end="$end" stacktrace-depth=32
	done
}
for attribute in $attributes; do inject "$attribute" ignore-gfp-wait=N; done
inject fail_page_alloc min-order=0 ignore-gfp-highmem=N

# The constructor and everything else that loads a table, more than once, because a single run does not find every leak.
# Then a message.
dmsetup create imgrement --notable
arguments='/dev/sdb 0 4 records 64 pattern DAMN'
for what in 'yes failslab' 'yes failslab' 'yes failslab' 'yes failslab' 'yes fail_page_alloc' 'yes fail_page_alloc' \
	$(times '' no); do
	# shellcheck disable=SC2086 # words
	of_ours $what
	read -r allocations failed < <(python3 lib/fail-nth.py load imgrement 131072 imgrement "$arguments")
	echo "load, $what: $allocations allocations, $failed failures"
	case $what in
	# If one of these fails, vmalloc() tries another way.
	*page*) [ "$allocations" -ge 1 ] || fail "the constructor should have more than $allocations allocations" ;;
	*) [ "$failed" -ge 8 ] || fail "the constructor should have more than $failed allocations" ;;
	esac
	expect 'tables' None "$(dmsetup info imgrement | sed -n 's/^Tables present: *//p')"
	# The disk is free again.
	python3 -c 'import os; os.open("/dev/sdb", os.O_RDWR | os.O_EXCL)'
done
# No memory need be contiguous: not more than the slab allocator needs for its small objects.
of_ours yes fail_page_alloc
inject fail_page_alloc min-order=2 probability=100 times=-1
patterns=''
for length in {201..232}; do patterns+=" pattern $(printf "%${length}s" '' | tr ' ' A)"; done
dmsetup load imgrement --table "0 131072 imgrement /dev/sdb 0 66 records 8192$patterns"
dmsetup clear imgrement
inject fail_page_alloc min-order=0 probability=0 times=1
of_ours yes
dmsetup load imgrement --table "0 131072 imgrement $arguments"
dmsetup resume imgrement
table=$(dmsetup table imgrement)
# One round may miss some of its few allocations: a slab that just then needs a page shifts the count.
sum=0
for text in one two three four five six seven eight; do
	read -r allocations failed < <(python3 lib/fail-nth.py message imgrement "pattern $text")
	echo "message: $allocations allocations, $failed failures"
	expect 'table' "${table/pattern DAMN/pattern $text}" "$(dmsetup table imgrement)"
	sum=$((sum + failed))
done
[ "$sum" -ge 8 ] || fail "eight messages should have more than $sum allocations that can fail"

# One in twenty of our allocations fails, in any task, while data goes through and is verified.
dmsetup message imgrement 0 log_rate 5
for attribute in $attributes; do inject "$attribute" probability=5 times=1000000; done
size=$(times 4 64)M
fio --name=load --filename=/dev/mapper/imgrement --rw=randwrite --bs=16k --direct=1 --ioengine=libaio \
	--iodepth=8 --size="$size" --verify=crc32c --verify_fatal=1 > /tmp/fio 2>&1 &
load=$!
messages=0 refused=0
# failures ATTRIBUTE
failures() { echo $((1000000 - $(cat "/sys/kernel/debug/$1/times"))); }
# Continue after the load has ended, until each kind has failed at least once.
while kill -0 $load 2> /dev/null || [ $refused = 0 ] || [ "$(failures failslab)" = 0 ] ||
	[ "$(failures fail_page_alloc)" = 0 ]; do
	[ $messages -lt 500 ] || break
	messages=$((messages + 1))
	dmsetup message imgrement 0 pattern "text$messages" 2> /tmp/said || {
		grep -q 'Cannot allocate memory' /tmp/said || fail "a message: $(cat /tmp/said)"
		refused=$((refused + 1))
	}
	dmsetup load imgrement --table "0 131072 imgrement $arguments" 2> /tmp/said ||
		grep -q 'Cannot allocate memory' /tmp/said || fail "a table: $(cat /tmp/said)"
	dmsetup clear imgrement
	dmsetup status imgrement > /dev/null
done
wait $load || fail "fio: $(cat /tmp/fio)"
for attribute in $attributes; do
	inject "$attribute" probability=0
	echo "$attribute: $(failures "$attribute") failures"
	[ "$(failures "$attribute")" -gt 0 ] || fail "no allocation failed in the way of $attribute"
done
echo "$messages messages, $refused refused"
[ $refused -gt 0 ] || fail 'no message was refused'
expect 'errors' 0 "$(counter errors)"
remove_target imgrement
look_for_leaks
expect 'lost' '' "$(cat /sys/kernel/debug/kmemleak)"
