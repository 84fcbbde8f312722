# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Writers move from CPU to CPU. In the log, their requests come one after another, each with all of its lines, in the
# order of each writer, and none is missing.

make_target imgrement /dev/sda records 65536 log_rate 0 log_lines 0 pattern none
writes=400
# Each line takes a millisecond to print, so there is always a backlog.
echo 1 > /proc/sys/kernel/printk_delay

# write_half 0|1: write this half of the disk in order, in requests of 1 to 8 deltas, each from the other CPU than the
# one before.
write_half() {
	python3 - "$1" $writes <<-'END'
		import mmap, os, sys
		half, writes = map(int, sys.argv[1:])
		disk = os.open("/dev/mapper/imgrement", os.O_WRONLY | os.O_DIRECT)
		memory = memoryview(mmap.mmap(-1, 8 * 4096))
		for i in range(writes):
		    os.sched_setaffinity(0, {(half + i) % 2})
		    size = (i % 8 + 1) * 4096
		    assert os.pwritev(disk, [memory[:size]], (half << 25) + i * 32768) == size
	END
}

dmesg -C
write_half 0 &
write_half 1 &
wait %1 && wait %2
drain
lines | sed '$d' > log

expect 'counted' "write $((2 * writes)) sectors_written $((2 * writes * 36)) segments $((writes * 9))" "$(counts)"
expect 'in the log' "$((2 * writes)) whole, 0 left out, 0 unrecorded, 0 without bytes" "$(python3 lib/log.py < log)"

# First sector and number of deltas of each request, as each writer made them.
sed -nE 's/^W, .* delta count: //p; s/^bv #0: .* at \(([0-9]*), .*/\1/p' log | paste - - > requests
for half in 0 1; do
	wanted=$(for ((i = 0; i < writes; i++)); do echo "$((i % 8 + 1)) $(((half << 16) + i * 64))"; done)
	expect_text "requests of half $half" "$wanted" "$(awk -v half=$half 'int($2 / 65536) == half { print $1, $2 }' requests)"
done
turns=$(awk '{ half = int($2 / 65536); turns += NR > 1 && half != last; last = half } END { print turns }' requests)
[ "$turns" -ge 20 ] || fail "both should have written at once, but took only $turns turns"
