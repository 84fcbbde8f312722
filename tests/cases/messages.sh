# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Each message changes what it says, from the next request on, and what `dmsetup table` prints.

make_target imgrement
device=/dev/mapper/imgrement
line='W, bytes to transfer: 512, delta count: 1
bv #0: len 512, offset 0, at (8, 8)'

# message WORDS TABLE LINES COUNTS: after it, a write of "DAMN gosh" has these lines and counts.
message() {
	local got
	dmsetup message imgrement 0 reset
	# shellcheck disable=SC2086 # words
	dmsetup message imgrement 0 $1
	expect "$1: table" "0 8192 imgrement 8:16 0 10 $2 records 2048" "$(dmsetup table imgrement)"
	got=$(traced write_at $device 8 'DAMN gosh')
	expect_text "$1: lines" "$3" "$got"
	expect "$1: counts" "write 1 sectors_written 1 segments 1${4:+ $4}" "$(counts)"
}

damn="Found DAMN from page 1 times
$line
Found DAMN from deltas 1 times"

message 'pattern gosh' 'pattern gosh data on log on log_rate 1000' \
	"${damn//DAMN/gosh}" 'page 1 deltas 1'
message 'pattern none' 'pattern none data on log on log_rate 1000' "$line" ''
message 'pattern DAMN' 'pattern DAMN data on log on log_rate 1000' "$damn" 'page 1 deltas 1'
message 'data off' 'pattern DAMN data off log on log_rate 1000' "Found DAMN from page 1 times
$line" 'page 1'
message 'log off' 'pattern DAMN data off log off log_rate 1000' '' 'page 1'
message 'data on' 'pattern DAMN data on log off log_rate 1000' '' 'page 1 deltas 1'
message 'log on' 'pattern DAMN data on log on log_rate 1000' "$damn" 'page 1 deltas 1'
message 'log_rate 0' 'pattern DAMN data on log on log_rate 0' "$damn" 'page 1 deltas 1'
message 'reset' 'pattern DAMN data on log on log_rate 0' "$damn" 'page 1 deltas 1'

# The limit itself.
dmsetup message imgrement 0 log_rate 1
traced dd if=/dev/zero of=$device bs=512 count=200 oflag=direct status=none > /tmp/lines
expect_match 'log_rate 1: left out' '^[1-9][0-9]*$' "$(counter left_out)"
expect 'log_rate 1: lines' "$((200 - $(counter left_out))) whole, $(counter left_out) left out, 0 unrecorded, 0 without bytes" \
	"$(python3 lib/log.py < /tmp/lines)"

# A mark stands where it was made, after what came before it.
dmsetup message imgrement 0 log_rate 0
drain
dmesg -C
for i in 1 2 3; do
	write_at $device $i x
	dmsetup message imgrement 0 mark "after%20$i"
done
expect_text marks 'W, bytes to transfer: 512, delta count: 1
bv #0: len 512, offset 0, at (1, 1)
mark: after%201
W, bytes to transfer: 512, delta count: 1
bv #0: len 512, offset 0, at (2, 2)
mark: after%202
W, bytes to transfer: 512, delta count: 1
bv #0: len 512, offset 0, at (3, 3)
mark: after%203' "$(lines)"

# With two targets in a table, a message goes to the one that its sector is in.
dmsetup reload imgrement --table '0 4096 imgrement /dev/sdb 0
4096 4096 imgrement /dev/sda 0'
dmsetup resume imgrement
dmsetup message imgrement 5000 pattern two
expect_text 'the second target' '0 4096 imgrement 8:16 0 10 pattern DAMN data on log on log_rate 1000 records 2048
4096 4096 imgrement 8:0 0 10 pattern two data on log on log_rate 1000 records 2048' "$(dmsetup table imgrement)"
