# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What cases share. Each case gets this in the machine, before its first line.

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# Where a command failed without a word, at least say which.
trap 'echo "line $LINENO: failed: $BASH_COMMAND" >&2' ERR
set -E

# expect WHAT WANTED GOT: equal, or say what is not.
expect() { [ "$2" = "$3" ] || fail "$1: wanted '$2', got '$3'"; }

# expect_match WHAT REGEX TEXT
expect_match() { [[ $3 =~ $2 ]] || fail "$1: wanted a match of '$2', got '$3'"; }

# expect_fail COMMAND...: it must fail; what it says is left in $said.
expect_fail() {
	# shellcheck disable=SC2034 # for the case
	if said=$("$@" 2>&1); then
		fail "this should have failed: $*"
	fi
}

sectors() { blockdev --getsz "$1"; }

# make_target NAME [DEVICE [ARGUMENTS...]]: the whole of DEVICE (/dev/sdb), our target over it.
make_target() {
	local name=$1 device=${2:-/dev/sdb}
	shift; [ $# = 0 ] || shift
	local count=''
	[ $# = 0 ] || count=$#
	dmsetup create "$name" --table "0 $(sectors "$device") imgrement $device 0 $count $*"
}

remove_target() { dmsetup remove --retry "$1"; }

# Our lines in the kernel's log, without time and prefix, since the last `dmesg -C`. A mark
# drains what is waiting to be printed, so that nothing of what was done before is missing.
lines() { dmesg -t | sed -n 's/^imgrement: //p'; }

# count REGEX: how many of our lines match.
count() { lines | grep -cE -- "$1" || true; }
