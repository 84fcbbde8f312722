# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A suspend waits two seconds for a slow console, not for all lines of a large request. The other lines are left out,
# and one line says how many.
# console: hvc0
# timeout: 120 120

# 6 MiB of three huge pages arrive as one request of 1,536 segments.
null_disk nullb0 size=16
echo 3 > /proc/sys/vm/nr_hugepages
make_target imgrement /dev/nullb0 pattern none data off log_rate 0 log_lines 0
write_large() {
	python3 - <<-'END'
		import mmap, os
		# MAP_HUGETLB
		memory = mmap.mmap(-1, 6 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)
		disk = os.open("/dev/mapper/imgrement", os.O_WRONLY | os.O_DIRECT)
		assert os.pwritev(disk, [memory], 0) == len(memory)
	END
}

# Each line takes 10 ms by the kernel's clock. All 1,537 would take some 15 seconds.
dmesg -C
echo 10 > /proc/sys/kernel/printk_delay

# cut_short: the log's only request is not complete, and the log says so.
cut_short() {
	local there missing
	expect "$1: requests" '0 whole, 1 left out, 0 unrecorded, 0 without bytes' "$(lines | python3 lib/log.py)"
	expect "$1: status" 1 "$(counter left_out)"
	there=$(count '^(W,|bv )')
	missing=$(lines | sed -n 's/^\([0-9]*\) lines of this request left out of the log (the console was too slow)$/\1/p')
	echo "$1: $there lines are there, $missing are missing, after $2 s"
	expect "$1: lines" 1537 $((there + missing))
}

write_large
until [ "$(count '^bv ')" -gt 20 ]; do sleep 0.1; done
from=$SECONDS
dmsetup suspend imgrement
cut_short 'while the worker prints' $((SECONDS - from))
dmsetup resume imgrement

# A mark waits for the lines, and a suspend for the mark.
dmsetup message imgrement 0 reset
dmesg -C
write_large
dmsetup message imgrement 0 mark hurry &
mark=$!
until [ "$(count '^bv ')" -gt 20 ]; do sleep 0.1; done
from=$SECONDS
dmsetup suspend imgrement
wait $mark
expect 'marks' 1 "$(count '^mark: hurry$')"
cut_short 'while a mark waits' $((SECONDS - from))
echo 0 > /proc/sys/kernel/printk_delay
