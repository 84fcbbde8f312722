# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Where the pool has no room for a copy, or for a record, the request goes on, and the loss is counted.

make_target imgrement /dev/sdb records 1 log_rate 0
device=/dev/mapper/imgrement

# A record takes the one block, so that there is none for the copy.
got=$(traced python3 lib/write.py $device 4096 4096 100=DAMNDAMNDAMN)
expect_text 'copy lost' '0 requests passed unrecorded, 1 recorded without their bytes
Found DAMN from page 3 times
W, bytes to transfer: 4096, delta count: 1
bv #0: len 4096, offset 0, at (8, 15)' "$got"
expect 'copy lost: counts' 'write 1 sectors_written 8 segments 1 page 3 degraded 1 data_lost 1' "$(counts)"
expect 'copy lost: on the disk' DAMNDAMNDAMN "$(dd if=/dev/sdb bs=1 skip=4196 count=12 status=none)"

# The list of 100 deltas takes two blocks, so that there is not even a record.
dmsetup message imgrement 0 reset
pieces=$(printf ',512%.0s' {1..100})
got=$(traced python3 lib/write.py $device 8192 "${pieces:1}" 1000=DAMN 1022=DAMN 50000=DAMN)
expect_text 'record lost' '1 requests passed unrecorded, 0 recorded without their bytes' "$got"
expect 'record lost: counts' \
	'write 1 sectors_written 100 segments 100 page 2 across 1 degraded 1 record_lost 1' "$(counts)"
expect 'record lost: on the disk' DAMN "$(dd if=/dev/sdb bs=1 skip=$((8192 + 50000)) count=4 status=none)"

# What has no bytes to keep fits.
dmsetup message imgrement 0 reset
got=$(traced dd if=$device of=/dev/null bs=4096 count=1 iflag=direct status=none)
expect_text 'read' 'R, bytes to transfer: 4096, delta count: 1
bv #0: len 4096, offset 0, at (0, 7)' "$got"
expect 'read: counts' 'read 1 sectors_read 8 segments 1' "$(counts)"

# The log tells of all losses, whenever the counters were reset.
lost() { python3 lib/write.py $device 8192 "${pieces:1}" > /dev/null; }
got=$(traced lost)
expect_text 'one more' '1 requests passed unrecorded, 0 recorded without their bytes' "$got"
lost_three() {
	dmsetup message imgrement 0 reset
	lost; lost; lost
}
got=$(traced lost_three)
expect_text 'three more, after a reset' '3 requests passed unrecorded, 0 recorded without their bytes' "$got"

# Many writes at once: each is in the log, or told of as missing, and all are on the disk.
burst() {
	fio --name=burst --filename=$device --rw=write --bs=4k --size=2M --direct=1 --ioengine=libaio \
		--iodepth=32 --verify=crc32c --output=/dev/null
}
for rate in 0 20; do
	dmsetup message imgrement 0 log_rate $rate
	dmsetup message imgrement 0 reset
	traced burst > /tmp/lines
	lost=$(counter record_lost) left_out=$(counter left_out)
	expect 'burst: requests' 1024 $(($(counter write) + $(counter read)))
	expect 'burst: degraded' "$(counter degraded)" $((lost + $(counter data_lost)))
	wanted="$((1024 - lost - left_out)) whole, $left_out left out, $lost unrecorded, $(counter data_lost) without bytes"
	expect 'burst: lines' "$wanted" "$(python3 lib/log.py < /tmp/lines)"
	[ "$lost" -gt 0 ] || fail 'a burst should be too much for a pool of one block'
	[ $rate = 0 ] || [ "$left_out" -gt 0 ] || fail "a burst should be more than $rate requests a second"
done
