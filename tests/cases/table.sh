# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The output of `dmsetup table` creates the same target again.

# again TABLE ARGUMENTS...: a target with these arguments prints TABLE, and so does one created from TABLE.
again() {
	local wanted="0 4096 imgrement 8:16 8 $1"
	shift
	dmsetup create first --table "0 4096 imgrement /dev/sdb 8 $*"
	expect "$*" "$wanted" "$(dmsetup table first)"
	dmsetup table first | dmsetup create second
	expect "$*, again" "$wanted" "$(dmsetup table second)"
	dmsetup remove second
	dmsetup remove first
}

again "$(table_words 'pattern DAMN')"
again "$(table_words 'pattern DAMN')" 0
again "$(table_words 'pattern none' data off log off log_rate 0 log_lines 0 records 1)" \
	12 records 1 log off pattern none log_rate 0 log_lines 0 data off
# dmsetup takes what follows a `#` in a table for a comment.
again "$(table_words 'pattern a%20b%23%25c%5C%00%FF' log_rate 4294967295 label my%20disk%0A)" \
	6 label my%20disk%0a log_rate 4294967295 pattern %61%20b%23%25c%5c%00%ff
again "$(table_words 'pattern %6Eone')" 2 pattern %6eone
again "$(table_words 'pattern DAMN' label none)" 2 label none

# Several patterns with their own words, in the order in which they were given.
patterns='pattern a name first pattern %6Eone nocase pattern name name nocase nocase'
again "$(table_words "$patterns" ops read,write places on edges 4096)" \
	20 ops read,write places on pattern a name first data on pattern %6eone nocase pattern name name nocase nocase edges 4096
again "$(table_words 'pattern none' edges 65536)" 4 edges 65536 pattern none

# The longest possible texts.
long=$(printf '%%FF%.0s' {1..255})
label=$(printf '%%01%.0s' {1..32})
again "$(table_words "pattern $long" label "$label")" 4 pattern "$long" label "$label"

# As many patterns as are allowed. They are counted in the same order.
words=$(printf 'pattern %s ' {1000..1255})
again "$(table_words "$words" records 16)" 514 "${words}records 16"
dmsetup create first --table "0 4096 imgrement /dev/sdb 8 512 $words"
expect 'the counts of 256 patterns' "256 $(printf '%s 0 ' {1000..1254})1255 0" "$(pattern_counts first)"
remove_target first

# Changes by messages are in it, too.
dmsetup create imgrement --table '0 4096 imgrement /dev/sdb 8'
dmsetup message imgrement 0 pattern %20
dmsetup message imgrement 0 data off
dmsetup message imgrement 0 log off
dmsetup message imgrement 0 log_rate 7
dmsetup message imgrement 0 log_lines 9
expect 'changed by messages' "0 4096 imgrement 8:16 8 $(table_words 'pattern %20' data off log off log_rate 7 log_lines 9)" \
	"$(dmsetup table imgrement)"

# A table that is loaded but not yet in use, and one of several lines.
dmsetup load imgrement --table '0 2048 imgrement /dev/sdb 8 2 label a
2048 2048 imgrement /dev/sda 0 2 label b'
wanted="0 2048 imgrement 8:16 8 $(table_words 'pattern DAMN' label a)
2048 2048 imgrement 8:0 0 $(table_words 'pattern DAMN' label b)"
expect 'inactive table' "$wanted" "$(dmsetup table --inactive imgrement)"
dmsetup resume imgrement
expect 'two lines' "$wanted" "$(dmsetup table imgrement)"
