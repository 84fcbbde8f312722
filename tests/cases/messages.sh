# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Each message takes effect from the next request on, and changes what `dmsetup table` prints.

make_target imgrement
device=/dev/mapper/imgrement
line='W, bytes to transfer: 512, delta count: 1
bv #0: len 512, offset 0, at (8, 8)'

# message WORDS PATTERNS LINES COUNTS FOUND: after this message, the table has these patterns and the settings in
# `settings`, and a write of "DAMN gosh" has these lines and counts.
settings=
message() {
	local got answer wanted
	dmsetup message imgrement 0 reset
	# shellcheck disable=SC2086 # words
	answer=$(dmsetup message imgrement 0 $1)
	# A message that gives a pattern is answered with the pattern's line. No other message has an answer.
	wanted=
	[[ $1 != pattern\ * || $1 = 'pattern none' || $1 = pattern\ del\ * ]] ||
		wanted=$(dmsetup message imgrement 0 pattern list | tail -n 1)
	expect "$1: the answer" "$wanted" "$answer"
	# shellcheck disable=SC2086 # words
	wanted="0 8192 imgrement 8:16 0 $(table_words "$2" $settings)"
	expect "$1: table" "$wanted" "$(dmsetup table imgrement)"
	got=$(traced write_at $device 8 'DAMN gosh')
	expect_text "$1: lines" "$3" "$got"
	expect "$1: counts" "write 1 sectors_written 1 segments 1${4:+ $4}" "$(counts)"
	expect "$1: found" "$5" "$(pattern_counts)"
}

damn="Found DAMN from page 1 times
$line
Found DAMN from deltas 1 times"

message 'pattern gosh' 'pattern gosh' \
	"${damn//DAMN/gosh}" 'page 1 deltas 1' '1 gosh 1'
message 'pattern none' 'pattern none' "$line" '' 0
message 'pattern DAMN' 'pattern DAMN' "$damn" 'page 1 deltas 1' '1 DAMN 1'
settings='data off'
message 'data off' 'pattern DAMN' "Found DAMN from page 1 times
$line" 'page 1' '1 DAMN 1'
settings='data off log off'
message 'log off' 'pattern DAMN' '' 'page 1' '1 DAMN 1'
settings='log off'
message 'data on' 'pattern DAMN' '' 'page 1 deltas 1' '1 DAMN 1'
settings=
message 'log on' 'pattern DAMN' "$damn" 'page 1 deltas 1' '1 DAMN 1'
settings='log_rate 0'
message 'log_rate 0' 'pattern DAMN' "$damn" 'page 1 deltas 1' '1 DAMN 1'
settings='log_rate 0 log_lines 0'
message 'log_lines 0' 'pattern DAMN' "$damn" 'page 1 deltas 1' '1 DAMN 1'
message 'reset' 'pattern DAMN' "$damn" 'page 1 deltas 1' '1 DAMN 1'

# with_o LINES: the lines, each about `second` followed by the same about `O`.
with_o() { printf '%s\n' "$1" | sed 's/second\(.*\)/&\nFound O\1/'; }
# Patterns with names are added and removed.
two="Found DAMN from page 1 times
Found second from page 1 times
$line
Found DAMN from deltas 1 times
Found second from deltas 1 times"
message 'pattern add second gosh' "pattern DAMN pattern gosh name second" "$two" \
	'page 2 deltas 2' '2 DAMN 1 second 1'
message 'pattern add O O nocase' "pattern DAMN pattern gosh name second pattern O name O nocase" \
	"$(with_o "$two")" 'page 3 deltas 3' '3 DAMN 1 second 1 O 1'
settings='log_rate 0 log_lines 0 places on'
message 'places on' "pattern DAMN pattern gosh name second pattern O name O nocase" \
	"$(with_o "$two")
Found DAMN at sector 8, byte 0
Found second at sector 8, byte 5
Found O at sector 8, byte 6" 'page 3 deltas 3' '3 DAMN 1 second 1 O 1'
settings='log_rate 0 log_lines 0'
message 'places off' "pattern DAMN pattern gosh name second pattern O name O nocase" \
	"$(with_o "$two")" 'page 3 deltas 3' '3 DAMN 1 second 1 O 1'
message 'pattern del O' "pattern DAMN pattern gosh name second" "$two" \
	'page 2 deltas 2' '2 DAMN 1 second 1'
message 'pattern del DAMN' "pattern gosh name second" "$(sed /DAMN/d <<< "$two")" \
	'page 1 deltas 1' '1 second 1'
message 'pattern del second' "pattern none" "$line" '' 0
# Patterns that stay keep their count; new ones start at 0.
message 'pattern damn nocase' "pattern damn nocase" "${damn//DAMN/damn}" 'page 1 deltas 1' '1 damn 1'
dmsetup message imgrement 0 pattern add new gosh
write_at $device 8 'DAMN gosh'
expect 'a pattern that stays and one that is new' '2 damn 2 new 1' "$(pattern_counts)"
dmsetup message imgrement 0 pattern del new
dmsetup message imgrement 0 pattern add new gosh
expect 'the same name again' '2 damn 2 new 0' "$(pattern_counts)"
message 'pattern DAMN' "pattern DAMN" "$damn" 'page 1 deltas 1' '1 DAMN 1'

# dmsetup joins its words, so a space in quotes makes two words of one. The answer shows what was understood.
expect 'a space in quotes' 'BEGIN 0 pattern RSA name BEGIN' "$(dmsetup message imgrement 0 pattern add 'BEGIN RSA')"
expect 'a space in quotes, and alone' 'BEGIN 0 pattern BEGIN nocase' "$(dmsetup message imgrement 0 pattern 'BEGIN nocase')"
# If the answer does not fit, there is none: device-mapper would send the message again, and it would be refused.
python3 - << 'END'
import sys
sys.path.insert(0, "lib")
import dm
assert not dm.message(b"imgrement", b"pattern add a-name-that-is-long x"), "an answer that does not fit"
assert dm.message(b"imgrement", b"pattern list"), "a list that fits"
END
expect 'both are there' '2 BEGIN 0 a-name-that-is-long 0' "$(pattern_counts)"
expect 'none' '' "$(dmsetup message imgrement 0 pattern none)"
dmsetup message imgrement 0 pattern DAMN

# The limit itself.
dmsetup message imgrement 0 log_rate 1
traced dd if=/dev/zero of=$device bs=512 count=200 oflag=direct status=none > /tmp/lines
expect_match 'log_rate 1: left out' '^[1-9][0-9]*$' "$(counter left_out)"
expect 'log_rate 1: lines' "$((200 - $(counter left_out))) whole, $(counter left_out) left out, 0 unrecorded, 0 without bytes" \
	"$(python3 lib/log.py < /tmp/lines)"

# A mark comes after everything that was recorded before it.
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

# If a table has two targets, a message goes to the one that contains its sector.
dmsetup reload imgrement --table '0 4096 imgrement /dev/sdb 0
4096 4096 imgrement /dev/sda 0'
dmsetup resume imgrement
dmsetup message imgrement 5000 pattern two
expect_text 'the second target' "0 4096 imgrement 8:16 0 $(table_words 'pattern DAMN')
4096 4096 imgrement 8:0 0 $(table_words 'pattern two')" "$(dmsetup table imgrement)"
