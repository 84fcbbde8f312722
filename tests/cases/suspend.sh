# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Suspend, resume and new tables under load lose nothing: no data and no line. Each table prints its ready line once.

ready='sda trace initialization succeeded'
device=/dev/mapper/imgrement
dmesg -C
make_target imgrement /dev/sda
expect_text 'ready' "$ready" "$(lines)"
for _ in 1 2; do
	dmsetup suspend imgrement
	dmsetup resume imgrement
	dmsetup suspend --noflush imgrement
	dmsetup resume imgrement
done
expect_text 'ready, no more' "$ready" "$(lines)"

# A new table has its own line when it is resumed, its own arguments, and counts from 0.
write_at $device 1 DAMN
expect 'counts' 'write 1 sectors_written 1 segments 1 page 1 deltas 1' "$(counts)"
drain
dmesg -C
dmsetup load imgrement --table '0 131072 imgrement /dev/sda 0 4 pattern TEXT label new'
expect 'loaded' '' "$(lines)"
write_at $device 1 DAMN
drain
dmesg -C
dmsetup resume imgrement
expect_text 'ready again' "new: $ready" "$(lines)"
expect 'table' "0 131072 imgrement 8:0 0 $(table_words 'pattern TEXT' label new)" \
	"$(dmsetup table imgrement)"
expect 'counts of a new table' '' "$(counts)"

# When a suspend returns, everything that was recorded has been printed, unless that takes more than two seconds. Here:
# 2 writes of 254 deltas, at a millisecond for each line.
echo 1 > /proc/sys/kernel/printk_delay
python3 - <<-'END'
	import mmap, os
	disk = os.open("/dev/mapper/imgrement", os.O_WRONLY | os.O_DIRECT)
	memory = mmap.mmap(-1, 254 * 4096)
	for i in range(2):
	    os.pwrite(disk, memory, 0)
END
dmsetup suspend imgrement
lines > log
echo 0 > /proc/sys/kernel/printk_delay
dmsetup resume imgrement
expect 'whole requests' '2 whole, 0 left out, 0 unrecorded, 0 without bytes' "$(python3 lib/log.py new < log)"
expect 'counts' 'write 2' "$(counts | cut -d ' ' -f 1,2)"

dmsetup message imgrement 0 reset

# Under a load that checks what it wrote, with different tables.
dmesg -C
fio --name=load --filename=$device --rw=randwrite --bs=4k --direct=1 --ioengine=libaio --iodepth=8 --size=8M \
	--verify=crc32c --verify_fatal=1 --do_verify=1 --randseed=1 > /tmp/fio 2>&1 &
load=$!
changes=0 seen=0
# add: add what the table in use has seen. It is suspended or idle, so the counters do not change.
add() { seen=$((seen + $(counter sectors_read) + $(counter sectors_written))); }
while kill -0 $load 2> /dev/null; do
	case $((changes % 4)) in
	0) arguments='2 records 16' ;;
	1) arguments='4 data off log_rate 10' ;;
	2) arguments='4 pattern none log off' ;;
	3) arguments='2 label other' ;;
	esac
	dmsetup load imgrement --table "0 131072 imgrement /dev/sda 0 $arguments"
	if [ $((changes % 3)) = 0 ]; then
		dmsetup suspend imgrement
	else
		dmsetup suspend --noflush imgrement
	fi
	add
	dmsetup resume imgrement
	changes=$((changes + 1))
done
wait $load || fail "fio: $(cat /tmp/fio)"
drain
add
[ $changes -ge 8 ] || fail "the load ended after $changes changes of the table"
expect 'sectors written and read again, by all tables' $((2 * 8 * 2048)) $seen
expect 'ready lines' $changes "$(count "(^|^other: )$ready\$")"
