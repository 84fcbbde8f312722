# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Requests beyond the log's limit are left out whole, and the log and the status say how many.

make_target imgrement /dev/sdb log_rate 7
# write_many N: N writes of 3 deltas. Prints the seconds that they took at most.
write_many() {
	python3 - "$1" <<-'END'
		import mmap, os, sys, time
		disk = os.open("/dev/mapper/imgrement", os.O_WRONLY | os.O_DIRECT)
		memory = mmap.mmap(-1, 3 * 4096)
		begin = time.monotonic()
		for i in range(int(sys.argv[1])):
		    assert os.pwritev(disk, [memory], i * 4096) == len(memory)
		print(int(time.monotonic() - begin) + 1)
	END
}

# told WANTED: the log accounts for WANTED requests in time, without a mark or another request.
told() {
	local printed left_out end=$((SECONDS + 20))
	while
		read -r printed _ left_out _ < <(lines | python3 lib/log.py)
		[ $((printed + left_out)) -lt "$1" ]
	do
		[ $SECONDS -lt $end ] || fail "of $1 requests $printed are in the log, and $left_out are said to be left out"
		sleep 0.2
	done
}

dmesg -C
seconds=$(write_many 400)
told 400
drain
expect_match 'the log' '^[0-9]+ whole, [0-9]+ left out, 0 unrecorded, 0 without bytes$' "$(lines | python3 lib/log.py)"
read -r printed _ left_out _ < <(lines | python3 lib/log.py)
expect 'printed and left out' 400 $((printed + left_out))
expect 'status' "write 400 sectors_written 9600 segments 1200 left_out $left_out" "$(counts)"
expect 'lines of requests' $((printed * 4)) "$(count '^(W,|bv )')"
[ "$printed" -ge 7 ] || fail "only $printed requests were printed"
[ "$printed" -le $((7 * (seconds + 1))) ] || fail "$printed requests were printed in $seconds s"
expect 'lines of what was left out' "$(count '^[0-9]+ requests left out of the log \(log_rate 7\)$')" "$(count 'left out')"

# Nothing is reported twice.
dmesg -C
drain
expect_text 'a second mark' 'mark: drained' "$(lines)"

# The log says what was left out, even if it has been switched off meanwhile: in time, and at a mark.
for ask in true drain; do
	dmesg -C
	write_many 40 > /dev/null
	dmsetup message imgrement 0 log off
	$ask
	[ $ask = true ] || told_at_mark=$(lines | sed '/^mark: /d' | python3 lib/log.py | awk '{ print $1 + $3 }')
	told 40
	dmsetup message imgrement 0 log on
done
expect 'in the log at a mark' 40 "$told_at_mark"
dmesg -C

# A limit of 0 means no limit.
dmsetup message imgrement 0 log_rate 0
dmsetup message imgrement 0 reset
write_many 400 > /dev/null
drain
expect 'without limit' '400 whole, 0 left out, 0 unrecorded, 0 without bytes' "$(lines | python3 lib/log.py)"
expect 'status without limit' 'write 400 sectors_written 9600 segments 1200' "$(counts)"

# Lines are limited, too. 40 writes of 24 segments have 1,000 lines; one second has room for 4 writes.
big() { dd if=/dev/zero of=/dev/mapper/imgrement bs=96k count="$1" oflag=direct status=none; }
# Requests printed earlier in the same second count.
sleep 1.1
dmsetup message imgrement 0 log_lines 100
dmsetup message imgrement 0 reset
dmesg -C
from=$SECONDS
big 40
seconds=$((SECONDS - from + 1))
told 40
read -r printed _ left_out _ < <(lines | python3 lib/log.py)
expect 'over the limit of lines: printed and left out' 40 $((printed + left_out))
expect 'over the limit of lines: status' "$left_out" "$(counter left_out)"
[ "$printed" -ge 4 ] || fail "only $printed requests of 25 lines were printed"
[ "$printed" -le $((4 * (seconds + 1))) ] || fail "$printed requests of 25 lines were printed in $seconds s"
expect 'lines of what was left out' "$(count '^[0-9]+ requests left out of the log \(log_lines 100\)$')" "$(count 'left out')"
# A request that is too long for any second does not keep out others.
sleep 1.1
dmsetup message imgrement 0 log_lines 24
dmsetup message imgrement 0 reset
dmesg -C
for _ in 1 2 3; do
	big 1
	write_at /dev/mapper/imgrement 0 small
done
drain
expect 'large ones and small ones' '3 whole, 3 left out, 0 unrecorded, 0 without bytes' "$(lines | python3 lib/log.py)"

# While a limit is used up, requests are searched and counted, but there is no copy to search.
dmsetup message imgrement 0 log_lines 0
dmsetup message imgrement 0 log_rate 1
dmsetup message imgrement 0 reset
printf 'DAMN%.0s' {1..131072} > /tmp/damn
dd if=/tmp/damn of=/dev/mapper/imgrement bs=512 oflag=direct status=none
drain
expect 'written' 1024 "$(counter write)"
expect 'found' 131072 "$(counter page)"
lost=$(($(counter record_lost) + $(counter data_lost)))
[ "$(counter deltas)" -lt $((128 * (1024 - lost))) ] || fail "all were copied: $(counts)"

# The highest possible limit.
expect_text 'table' "0 8192 imgrement 8:16 0 $(table_words 'pattern DAMN' log_rate 4294967295 log_lines 0)" \
	"$(dmsetup message imgrement 0 log_rate 4294967295; dmsetup table imgrement)"
