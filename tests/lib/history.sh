# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For cases about a history of imgrement.

# status WORD: a value from the status.
status() { dmsetup status imgrement | grep -o " $1 [^ ]*" | cut -d ' ' -f 3; }

# until_is WORD VALUE / until_more WORD COUNT: wait until the status says so.
until_is() {
	local _
	for _ in {1..600}; do
		[ "$(status "$1")" != "$2" ] || return 0
		sleep 0.1
	done
	fail "$1 is not $2, but $(status "$1")"
}
until_more() {
	local _
	for _ in {1..600}; do
		[ "$(status "$1")" -le "$2" ] || return 0
		sleep 0.1
	done
	fail "$1 is not more than $2, but $(status "$1")"
}

# change NAME TABLE: give another device this table.
change() {
	dmsetup load "$1" --table "$2"
	dmsetup suspend "$1"
	dmsetup resume "$1"
}

# until_logged LOG COUNTS: wait until the log has so many entries, for example 'write 3 note 3'.
until_logged() {
	local _ counts
	for _ in {1..100}; do
		blockdev --flushbufs "$1"
		counts=$(python3 lib/history.py count "$1")
		[ "$counts" != "$2" ] || return 0
		sleep 0.1
	done
	fail "the log has $counts, not $2"
}

# entries LOG: what is in a log, a line for each entry.
entries() {
	blockdev --flushbufs "$1"
	python3 lib/history.py entries "$1"
}
