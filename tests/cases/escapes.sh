# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A pattern of awkward bytes is the same word in table, message and ioctl, and matches those bytes.

# A space, %, \, #, control bytes, NUL, bytes beyond ASCII, and a no-break space.
word='%20%25%5C%23%01%0A%00%FF%C3%A9%A0"'\''*'
wanted="0 8192 imgrement 8:16 0 $(table_words "pattern $word")"
lower=${word,,}

# matches HOW: the target has that pattern, and finds it.
matches() {
	local lines
	expect "$1: table" "$wanted" "$(dmsetup table imgrement)"
	expect "$1: table by ioctl" "$wanted" "$(python3 lib/dm.py table imgrement 4096)"
	lines=$(traced write_at /dev/mapper/imgrement 8 "..$word.$word")
	expect_text "$1: lines" "Found $word from page 2 times
W, bytes to transfer: 512, delta count: 1
bv #0: len 512, offset 0, at (8, 8)
Found $word from deltas 2 times" "$lines"
	dmsetup message imgrement 0 pattern none
	dmsetup message imgrement 0 reset
}

make_target imgrement /dev/sdb pattern "$word"
matches 'table of dmsetup'

dmsetup message imgrement 0 pattern "$lower"
matches 'message of dmsetup'

python3 lib/dm.py message imgrement "pattern $word"
matches 'message by ioctl'

python3 lib/dm.py load imgrement 0 8192 imgrement "8:16 0 2 pattern $lower"
dmsetup resume imgrement
matches 'table by ioctl'

table=$(dmsetup table imgrement)
dmsetup reload imgrement --table "${table/pattern none/pattern $word}"
dmsetup resume imgrement
matches 'table fed back'

# Bytes that can be typed directly, where device-mapper passes them on, are printed escaped.
word='%01%7F%FF'
wanted="0 8192 imgrement 8:16 0 $(table_words "pattern $word" label "$word")"
raw=$(printf '\001\177\377')
python3 lib/dm.py load imgrement 0 8192 imgrement "8:16 0 4 pattern $raw label $raw"
dmsetup resume imgrement
expect 'raw bytes: table' "$wanted" "$(dmsetup table imgrement)"
dmesg -C
dmsetup message imgrement 0 mark "$raw"
expect 'raw bytes: mark' "$word: mark: $word" "$(lines)"
