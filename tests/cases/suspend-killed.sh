# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A suspend that is killed returns at once, although the worker has many lines to print for a slow console. After
# it the log is open, and counts as before.
# console: hvc0
# timeout: 120 120

# 6 MiB of three huge pages arrive as one request of 1,536 segments. It cannot end while the device below is suspended,
# so a suspend of ours waits for it.
null_disk nullb0 size=16
echo 3 > /proc/sys/vm/nr_hugepages
dmsetup create below --table "0 $(sectors /dev/nullb0) linear /dev/nullb0 0"
make_target imgrement /dev/mapper/below pattern none data off log_rate 0 log_lines 0
drain
dmesg -C
dmsetup suspend below

# Each line takes 10 ms by the kernel's clock. All 1,537 take some 15 seconds.
echo 10 > /proc/sys/kernel/printk_delay
python3 - <<-'END' &
	import mmap, os
	# MAP_HUGETLB
	memory = mmap.mmap(-1, 6 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)
	disk = os.open("/dev/mapper/imgrement", os.O_WRONLY | os.O_DIRECT)
	assert os.pwritev(disk, [memory], 0) == len(memory)
END
writer=$!
until [ "$(count '^bv ')" -gt 5 ]; do sleep 0.1; done
dmsetup suspend imgrement &
suspend=$!
# This is well beyond the two seconds that a suspend waits for a console.
sleep 3
kill -0 $suspend || fail 'the suspend did not wait for the request'
kill -KILL $suspend
from=$EPOCHREALTIME
wait $suspend || true
to=$EPOCHREALTIME
printed=$(count '^bv ')
echo "it took $(((${to/./} - ${from/./}) / 1000)) ms to be killed; $printed lines were printed by then"
# This does not depend on the speed of the machine: it returned before the worker was done with the request.
[ "$printed" -lt 1536 ] || fail 'the suspend waited for all lines'
expect 'the state' 'State:             ACTIVE' "$(dmsetup info imgrement | grep State)"

# A mark waits for all lines. None is left out, as it would be for a suspend, and none begins with a name, as with two
# running targets.
dmsetup message imgrement 0 mark patience &
mark=$!
sleep 0.5
echo 0 > /proc/sys/kernel/printk_delay
wait $mark
expect 'the large request' '1 whole, 0 left out, 0 unrecorded, 0 without bytes' "$(lines | python3 lib/log.py)"
expect 'the mark' 1 "$(count '^mark: patience$')"
expect 'the count' 'write 1 sectors_written 12288 segments 1536' "$(counts)"

# Later requests are logged, within limits and beyond them.
dmsetup resume below
wait $writer
dmsetup message imgrement 0 log_rate 3
dmsetup message imgrement 0 reset
dmesg -C
dd if=/dev/zero of=/dev/mapper/imgrement bs=512 count=20 oflag=direct status=none
drain
left=$(counter left_out)
expect 'later' "$((20 - left)) whole, $left left out, 0 unrecorded, 0 without bytes" "$(lines | python3 lib/log.py)"
[ "$left" -gt 0 ] || fail 'the limit was not used up'
dmsetup suspend imgrement
dmsetup resume imgrement
expect 'lines with a name' '' "$(lines | grep '^dm-' || true)"
