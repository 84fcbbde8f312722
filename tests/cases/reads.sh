# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# With `ops`, a read is searched when its data has arrived, by a task and never in an interrupt. The data is the same as
# without the target, and so are errors.
# disk: 64M
# disk: 16M
# cpus: 2

device=/dev/mapper/imgrement
found() { drain; lines | sed -n 's/^Found \(.* at sector .*\)/\1/p' | LC_ALL=C sort; }

echo "seed $SEED"
python3 - "$SEED" > /tmp/contents << 'END'
import random, sys
chance = random.Random(int(sys.argv[1]))
whole = bytearray(chance.randbytes(8 << 20))
for _ in range(2000):
    at = chance.randrange(len(whole) - 8)
    whole[at : at + 8] = chance.choice([b"DAMN....", b"..MnDaMn"])
sys.stdout.buffer.write(whole)
END
dd if=/tmp/contents of=/dev/sdb bs=1M oflag=direct status=none

# The same places as on the disk, in requests of all sizes. A match that straddles two reads is not found.
make_target imgrement /dev/sdb pattern DAMN name plain pattern dAmN name any nocase ops read places on log_rate 0 log_lines 0 \
	records 16384
length=$(times $((4 << 20)) $((4 << 20)) $((1 << 20)))
for size in 512 4096 65536 1048576; do
	dmsetup message imgrement 0 reset
	dmesg -C
	dd if=$device of=/tmp/read bs=$size count=$((length / size)) iflag=direct status=none
	cmp -n "$length" /tmp/read /tmp/contents || fail "what was read $size bytes at a time is not what was written"
	python3 lib/places.py /tmp/contents "$length" plain=DAMN any=damn/i |
		awk -v size=$size '{ at = $4 * 512 + $6; if (int(at / size) == int((at + 3) / size)) print }' > /tmp/wanted
	found > /tmp/found
	expect_text "reads of $size bytes" "$(< /tmp/wanted)" "$(< /tmp/found)"
	expect "reads of $size bytes, counted" "$(wc -l < /tmp/wanted)" $(($(counter page) + $(counter across)))
	expect 'reads' $((length / size)) "$(counter read)"
done
# Writes are not searched.
dmsetup message imgrement 0 reset
write_at $device 0 DAMN
expect 'a write' '0 1' "$(counter page) $(counter write)"
expect 'the table' read "$(dmsetup table imgrement | grep -o ' ops [a-z,]*' | cut -d ' ' -f 3)"

# By a message, from the next request on.
dmsetup message imgrement 0 ops read,write
write_at $device 0 DAMN
dd if=$device of=/dev/null bs=512 count=1 iflag=direct status=none
expect 'both' 4 "$(counter page)"
dmsetup message imgrement 0 ops write
dd if=$device of=/dev/null bs=512 count=1 iflag=direct status=none
expect 'writes alone' 4 "$(counter page)"

# Our own worker searches, and only runs for reads that are searched.
tasks() {
	local trace=/sys/kernel/tracing event=/sys/kernel/tracing/events/workqueue/workqueue_execute_start
	echo 1 > $event/enable
	echo > $trace/trace
	dd if=$device of=/dev/null bs=4096 count=64 iflag=direct status=none
	grep -c 'function .*end_late' $trace/trace || true
	echo 0 > $event/enable
}
expect 'tasks for reads that are not searched' 0 "$(tasks)"
dmsetup message imgrement 0 ops read,write
[ "$(tasks)" -ge 32 ] || fail 'reads are not searched by a task'
remove_target imgrement

# The thread that works under memory pressure exists from the first `ops` with reads on.
threads() { cat /proc/[0-9]*/comm 2> /dev/null | grep -c '^kworker/R-imgre' || true; }
make_target imgrement
expect 'threads without reads' 0 "$(threads)"
dmsetup message imgrement 0 ops read
dmsetup message imgrement 0 ops write
dmsetup message imgrement 0 ops read,write
expect 'threads by a message' 1 "$(threads)"
remove_target imgrement
expect 'threads after it' 0 "$(threads)"
make_target imgrement /dev/sdb ops read
expect 'threads by a table' 1 "$(threads)"
remove_target imgrement

# A failed read has its lines, and its error. Its data is not searched.
dmsetup create worn --table '0 4096 linear /dev/sdb 0
4096 4096 error'
dd if=/tmp/contents of=/dev/sdb bs=1M count=2 oflag=direct status=none
dmsetup create imgrement --table '0 8192 imgrement /dev/mapper/worn 0 6 ops read log_rate 0 log_lines 0'
dmesg -C
expect_fail dd if=$device of=/dev/null bs=4096 skip=512 count=1 iflag=direct status=none
expect 'the error' "dd: error reading '$device': Input/output error" "$said"
drain
expect_text 'its lines' 'R, bytes to transfer: 4096, delta count: 1
bv #0: len 4096, offset 0, at (4096, 4103)
R, error 5, at (4096, 4103)' "$(lines | grep -v '^mark' | sed 's/offset [0-9]*/offset 0/' | tail -n 3)"
expect 'counted' 1 "$(counter errors)"
remove_target imgrement
dmsetup remove worn

# Under load, with suspends in between, nothing is lost: fio verifies what it reads.
make_target imgrement /dev/sda pattern DAMN pattern xyz ops read,write log off data off
load() {
	until [ -e /tmp/stop ]; do
		fio --name=load --filename=$device --ioengine=libaio --iodepth=16 --direct=1 --rw=randrw --bsrange=512-256k \
			--blockalign=512 --size=48M --io_size="$(times 8M 64M 2M)" --verify=crc32c --verify_fatal=1 \
			--verify_backlog=64 --randseed="$SEED" > /tmp/fio 2>&1
	done
}
load &
load=$!
for ((i = 0; i < $(times 5 200 2); i++)); do
	dmsetup suspend imgrement
	dmsetup resume imgrement
	dmsetup message imgrement 0 "ops $([ $((i % 2)) = 0 ] && echo read || echo read,write)"
	sleep 0.1
done
touch /tmp/stop
wait $load || fail "fio: $(cat /tmp/fio)"
expect 'errors' 0 "$(counter errors)"
remove_target imgrement

# A file system reads through it.
make_target ext4 /dev/sda ops read log off
new_filesystem ext4
mount_filesystem ext4
cp /tmp/contents /ext4/
sync
echo 3 > /proc/sys/vm/drop_caches
cmp /tmp/contents /ext4/contents
[ "$(counter page ext4)" -gt 500 ] || fail "found only $(counter page ext4)"
umount /ext4
check_filesystem ext4
remove_target ext4
