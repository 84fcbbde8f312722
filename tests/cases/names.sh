# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# While two targets without a label run, each line of both begins with a name. A single target has none.
# disk: 16M
# disk: 16M
# params: log_buf_len=4M

# name_of DEVICE: the kernel's name for it.
name_of() { dmsetup info -c --noheadings -o blkdevname "$1"; }
W='W, bytes to transfer: 512, delta count: 1'
# one DEVICE SECTOR: the target's lines about a write there, without the mark after it.
one() {
	dmesg -C
	write_at "/dev/mapper/$1" "$2" text
	dmsetup message "$1" "$2" mark drained
	lines | sed '/mark: drained$/d'
}
# line NAME SECTOR: the expected lines; NAME may be empty.
line() { printf '%s%s\n%sbv #0: len 512, offset 0, at (%s, %s)' "${1:+$1: }" "$W" "${1:+$1: }" "$2" "$2"; }

dmesg -C
make_target first /dev/sda pattern none log_rate 0 log_lines 0
expect 'the beginning' 'sda trace initialization succeeded' "$(lines)"
expect_text 'one alone' "$(line '' 8)" "$(one first 8)"

dmesg -C
make_target second /dev/sdb pattern none log_rate 0 log_lines 0
first=$(name_of first) second=$(name_of second)
expect_match 'a name' '^dm-[0-9]+$' "$first"
expect 'the beginning of the second' "$second: sdb trace initialization succeeded" "$(lines)"
expect_text 'the first of two' "$(line "$first" 8)" "$(one first 8)"
expect_text 'the second of two' "$(line "$second" 8)" "$(one second 8)"

# Requests of 9 lines through both at once. Because of the marks, other tasks than the worker print, too.
dmesg -C
for name in first second; do
	dd if=/dev/zero of=/dev/mapper/$name bs=32k count=150 oflag=direct status=none &
	while sleep 0.05; do dmsetup message $name 0 mark meanwhile; done &
	marks+=" $!"
done
while [ "$(counter write first) $(counter write second)" != '152 151' ]; do sleep 0.2; done
# shellcheck disable=SC2086 # words
kill $marks
wait
drain first
drain second
for name in "$first" "$second"; do
	expect "requests of $name" '150 whole, 0 left out, 0 unrecorded, 0 without bytes' \
		"$(lines | python3 lib/log.py "$name")"
done
expect 'lines without a name' '' "$(lines | grep -vE "^($first|$second): " || true)"

# A suspended target does not count as running, but what it prints while the other one runs has its name.
dmsetup suspend second
expect_text 'one of two that runs' "$(line '' 16)" "$(one first 16)"
dmesg -C
dmsetup message second 0 mark asleep
expect 'the other' "$second: mark: asleep" "$(lines)"
dmsetup resume second
expect_text 'two again' "$(line "$first" 16)" "$(one first 16)"
remove_target second
expect_text 'one again' "$(line '' 24)" "$(one first 24)"

# A new table of the same device is not counted in addition to the old one.
dmsetup load first --table "0 8192 imgrement /dev/sda 8"
dmsetup suspend first
dmsetup resume first
expect_text 'another table' "$(line '' 32)" "$(one first 24)"

# A label tells a target apart.
make_target third /dev/sdb label mine pattern none
expect_text 'beside a label' "$(line '' 32)" "$(one first 24)"
expect_text 'with a label' "$(line mine 8)" "$(one third 8)"
remove_target third
remove_target first

# Two in one table.
dmsetup create both --table '0 2048 imgrement /dev/sda 0
2048 2048 imgrement /dev/sdb 0'
both=$(name_of both)
expect_text 'the first in the table' "$(line "$both" 0)" "$(one both 0)"
expect_text 'the second in the table' "$(line "$both@2048" 8)" "$(one both 2056)"
