# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What `dmsetup table` prints makes the same target again.

# again TABLE ARGUMENTS...: a target of these arguments prints TABLE, and so does one made of that.
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

again '10 pattern DAMN data on log on log_rate 1000 records 2048'
again '10 pattern DAMN data on log on log_rate 1000 records 2048' 0
again '10 pattern none data off log off log_rate 0 records 1' \
	10 records 1 log off pattern none log_rate 0 data off
again '12 pattern a%20b%25c%5C%00%FF data on log on log_rate 4294967295 records 2048 label my%20disk%0A' \
	6 label my%20disk%0a log_rate 4294967295 pattern %61%20b%25c%5c%00%ff
again '10 pattern %6Eone data on log on log_rate 1000 records 2048' 2 pattern %6eone
again '12 pattern DAMN data on log on log_rate 1000 records 2048 label none' 2 label none

# The longest that there are.
long=$(printf '%%FF%.0s' {1..64})
label=$(printf '%%01%.0s' {1..32})
again "12 pattern $long data on log on log_rate 1000 records 2048 label $label" 4 pattern "$long" label "$label"

# What messages have changed is in it too.
dmsetup create imgrement --table '0 4096 imgrement /dev/sdb 8'
dmsetup message imgrement 0 pattern %20
dmsetup message imgrement 0 data off
dmsetup message imgrement 0 log off
dmsetup message imgrement 0 log_rate 7
expect 'changed by messages' '0 4096 imgrement 8:16 8 10 pattern %20 data off log off log_rate 7 records 2048' \
	"$(dmsetup table imgrement)"

# A table that is loaded and not in use yet, and one of several lines.
dmsetup load imgrement --table '0 2048 imgrement /dev/sdb 8 2 label a
2048 2048 imgrement /dev/sda 0 2 label b'
wanted='0 2048 imgrement 8:16 8 12 pattern DAMN data on log on log_rate 1000 records 2048 label a
2048 2048 imgrement 8:0 0 12 pattern DAMN data on log on log_rate 1000 records 2048 label b'
expect 'inactive table' "$wanted" "$(dmsetup table --inactive imgrement)"
dmsetup resume imgrement
expect 'two lines' "$wanted" "$(dmsetup table imgrement)"
