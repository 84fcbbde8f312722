# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Over the limit on the log whole requests are left out, and the log and status say how many.

make_target imgrement /dev/sdb log_rate 7
# write_many N: as many writes of 3 deltas. Prints how many seconds it took, at the most.
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

dmesg -C
seconds=$(write_many 400)
drain
expect_match 'the log' '^[0-9]+ whole, [0-9]+ left out, 0 unrecorded, 0 without bytes$' "$(lines | python3 lib/log.py)"
read -r printed _ left_out _ < <(lines | python3 lib/log.py)
expect 'printed and left out' 400 $((printed + left_out))
expect 'status' "write 400 sectors_written 9600 segments 1200 left_out $left_out" "$(counts)"
expect 'lines of requests' $((printed * 4)) "$(count '^(W,|bv )')"
[ "$printed" -ge 7 ] || fail "only $printed requests were printed"
[ "$printed" -le $((7 * (seconds + 1))) ] || fail "$printed requests were printed in $seconds s"
expect 'lines of what was left out' "$(count '^[0-9]+ requests left out of the log \(log_rate 7\)$')" "$(count 'left out')"

# Nothing is told twice.
dmesg -C
drain
expect_text 'a second mark' 'mark: drained' "$(lines)"

# The limit of 0 is none.
dmsetup message imgrement 0 log_rate 0
dmsetup message imgrement 0 reset
write_many 400 > /dev/null
drain
expect 'without limit' '400 whole, 0 left out, 0 unrecorded, 0 without bytes' "$(lines | python3 lib/log.py)"
expect 'status without limit' 'write 400 sectors_written 9600 segments 1200' "$(counts)"

# The highest limit there is.
expect_text 'table' '0 8192 imgrement 8:16 0 16 pattern DAMN ops write data on log on log_rate 4294967295 places off edges 0 records 2048' \
	"$(dmsetup message imgrement 0 log_rate 4294967295; dmsetup table imgrement)"
