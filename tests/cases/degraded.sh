# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# If the pool has no room for a copy, or for a record, the request proceeds, and the loss is counted.

make_target imgrement /dev/sdb records 1 log_rate 0 log_lines 0
device=/dev/mapper/imgrement

# A record takes the only block, so there is none for the copy.
got=$(traced python3 lib/write.py $device 4096 4096 100=DAMNDAMNDAMN)
expect_text 'copy lost' '0 requests passed unrecorded, 1 recorded without their bytes
Found DAMN from page 3 times
W, bytes to transfer: 4096, delta count: 1
bv #0: len 4096, offset 0, at (8, 15)' "$got"
expect 'copy lost: counts' 'write 1 sectors_written 8 segments 1 page 3 degraded 1 data_lost 1' "$(counts)"
expect 'copy lost: on the disk' DAMNDAMNDAMN "$(dd if=/dev/sdb bs=1 skip=4196 count=12 status=none)"

# The list of 100 deltas takes two blocks, so there is not even a record.
dmsetup message imgrement 0 reset
pieces=$(printf ',512%.0s' {1..100})
got=$(traced python3 lib/write.py $device 8192 "${pieces:1}" 1000=DAMN 1022=DAMN 50000=DAMN)
expect_text 'record lost' '1 requests passed unrecorded, 0 recorded without their bytes' "$got"
expect 'record lost: counts' \
	'write 1 sectors_written 100 segments 100 page 2 across 1 degraded 1 record_lost 1' "$(counts)"
expect 'record lost: on the disk' DAMN "$(dd if=/dev/sdb bs=1 skip=$((8192 + 50000)) count=4 status=none)"

# A request without bytes to keep fits.
dmsetup message imgrement 0 reset
got=$(traced dd if=$device of=/dev/null bs=4096 count=1 iflag=direct status=none)
expect_text 'read' 'R, bytes to transfer: 4096, delta count: 1
bv #0: len 4096, offset 0, at (0, 7)' "$got"
expect 'read: counts' 'read 1 sectors_read 8 segments 1' "$(counts)"

# The matches fit next to the list of deltas, but not the place of each. The missing places are counted, and a line
# says how many they are.
dmsetup message imgrement 0 data off
dmsetup message imgrement 0 reset
texts=()
for i in {0..29}; do texts+=("$((i * 100))=DAMN"); done
got=$(traced python3 lib/write.py $device 4096 4096 "${texts[@]}")
expect_text 'thirty times' 'Found DAMN from page 30 times
W, bytes to transfer: 4096, delta count: 1
bv #0: len 4096, offset 0, at (8, 15)' "$got"
dmsetup message imgrement 0 places on
got=$(traced python3 lib/write.py $device 4096 4096 "${texts[@]}")
expect_text 'thirty places' "0 requests passed unrecorded, 0 recorded without their bytes, 1 without all that was found
W, bytes to transfer: 4096, delta count: 1
bv #0: len 4096, offset 0, at (8, 15)
$(for i in {0..23}; do echo "Found DAMN at sector $((8 + i * 100 / 512)), byte $((i * 100 % 512))"; done)
Found 6 more, at places not recorded" "$got"
python3 lib/log.py <<< "$got" > /tmp/whole
expect 'thirty places, whole' '1 whole, 0 left out, 0 unrecorded, 0 without bytes, 1 without all that was found' "$(< /tmp/whole)"
expect 'thirty places: counts' 'write 2 sectors_written 16 segments 2 page 60 finds_lost 1' "$(counts)"
expect 'thirty places: the pattern' '1 DAMN 60' "$(pattern_counts)"
dmsetup message imgrement 0 places off

# There is no room for the names of many patterns either. Each still has its count.
for i in {10..39}; do dmsetup message imgrement 0 pattern add "a-name-of-twenty-bytes-$i" "text$i"; done
texts=()
for i in {10..39}; do texts+=("$((i * 100))=text$i"); done
got=$(traced python3 lib/write.py $device 4096 4096 "${texts[@]}")
lost='0 requests passed unrecorded, 0 recorded without their bytes, 1 without all that was found'
expect 'thirty names: the first line' "$lost" "$(head -n 1 <<< "$got")"
expect_match 'thirty names: the log' "^$(printf 'Found a-name-of-twenty-bytes-1%s from page 1 times\n' 0 1 2)"$'\n' \
	"$(tail -n +2 <<< "$got")"
expect 'thirty names: counts' '2' "$(counter finds_lost)"
expect 'thirty names: the patterns' "31 DAMN 60$(printf ' a-name-of-twenty-bytes-%s 1' {10..39})" "$(pattern_counts)"
dmsetup message imgrement 0 pattern DAMN
dmsetup message imgrement 0 data on

# The log reports all losses, no matter when the counters were reset.
lost() { python3 lib/write.py $device 8192 "${pieces:1}" > /dev/null; }
got=$(traced lost)
expect_text 'one more' '1 requests passed unrecorded, 0 recorded without their bytes' "$got"
lost_three() {
	dmsetup message imgrement 0 reset
	lost; lost; lost
}
got=$(traced lost_three | python3 lib/log.py)
expect_text 'three more, after a reset' '0 whole, 0 left out, 3 unrecorded, 0 without bytes' "$got"

# It does in time, although there is nothing else to be printed.
dmesg -C
lost
end=$((SECONDS + 20))
until [ "$(lines)" = '1 requests passed unrecorded, 0 recorded without their bytes' ]; do
	[ $SECONDS -lt $end ] || fail "no line reports a request without a record: '$(lines)'"
	sleep 0.2
done

# Many writes at once: each is in the log or reported as missing, and all are on the disk.
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
remove_target imgrement

# A copy goes back to the pool when it has been searched, however slow the log is. So a block for each record and one
# for the copy of the last request are enough.
make_target imgrement /dev/sdb records 6 log_rate 0 log_lines 0
dmesg -C
echo 200 > /proc/sys/kernel/printk_delay
dd if=/dev/zero of=$device oflag=direct bs=4k count=5 status=none
echo 0 > /proc/sys/kernel/printk_delay
drain
expect 'copies: counts' 'write 5 sectors_written 40 segments 5' "$(counts)"
expect 'copies: lines' '5 whole, 0 left out, 0 unrecorded, 0 without bytes' "$(lines | grep -v '^mark: ' | python3 lib/log.py)"
