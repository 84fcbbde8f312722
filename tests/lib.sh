# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Functions that the cases share. Each case gets them in the machine, before its first line.

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# If a command fails silently, at least name it.
trap 'echo "line $LINENO: failed: $BASH_COMMAND" >&2' ERR
set -E

# expect WHAT WANTED GOT: fail, and show both, unless they are equal.
expect() { [ "$2" = "$3" ] || fail "$1: wanted '$2', got '$3'"; }

# expect_match WHAT REGEX TEXT
expect_match() { [[ $3 =~ $2 ]] || fail "$1: wanted a match of '$2', got '$3'"; }

# expect_fail COMMAND...: the command must fail. Its output is left in $said.
expect_fail() {
	# shellcheck disable=SC2034 # for the case
	if said=$("$@" 2>&1); then
		fail "this should have failed: $*"
	fi
}

# times SHORT LONG [BRIEF]: how often to do something: SHORT in `make test`, LONG in `make test-long`, and BRIEF if
# `make test` runs the case a second time (lib/older-cpu.sh).
times() {
	if [ -n "${LONG:-}" ]; then
		echo "$2"
	elif [ -n "${BRIEF:-}" ]; then
		echo "${3:-$1}"
	else
		echo "$1"
	fi
}

sectors() { blockdev --getsz "$1"; }

# make_target NAME [DEVICE [ARGUMENTS...]]: our target over the whole of DEVICE (/dev/sdb).
make_target() {
	local name=$1 device=${2:-/dev/sdb}
	shift; [ $# = 0 ] || shift
	local count=''
	[ $# = 0 ] || count=$#
	dmsetup create "$name" --table "0 $(sectors "$device") imgrement $device 0 $count $*"
}

# table_words PATTERNS [NAME VALUE...]: all arguments as `dmsetup table` prints them, with their count first:
# these patterns, these values, and what docs/reference.md says for the others.
table_words() {
	local line words
	[ -e /tmp/defaults ] || python3 lib/reference.py defaults > /tmp/defaults
	line=" $(< /tmp/defaults) "
	words=$1
	shift
	while [ $# -gt 0 ]; do
		# An argument that does not print by default prints last, and so do all those of a history.
		[[ $line = *" $1 "* ]] || line+="$1 x "
		[ "$1" != history ] || line+="$(python3 lib/reference.py history) "
		line=$(sed -E "s/ $1 [^ ]+ / $1 $2 /" <<< "$line")
		shift 2
	done
	read -ra words <<< "$words$line"
	echo "${#words[@]} ${words[*]}"
}

remove_target() { dmsetup remove --retry "$1"; }

# The target's lines in the kernel's log since the last `dmesg -C`, without time and prefix. Send a mark first: it
# drains the lines that wait to be printed.
lines() { dmesg -t | sed -n 's/^imgrement: //p'; }

# count REGEX: how many of these lines match.
count() { lines | grep -cE -- "$1" || true; }

# expect_text WHAT WANTED GOT: compare line by line, and show the differences.
expect_text() {
	[ "$2" = "$3" ] && return
	diff --label "$1: wanted" --label "$1: got" -u <(printf '%s\n' "$2") <(printf '%s\n' "$3") >&2 || true
	fail "$1"
}

# drain [NAME]: when this returns, everything that NAME (imgrement) has seen so far is in the log.
# shellcheck disable=SC2120 # cases give it
drain() { dmsetup message "${1:-imgrement}" 0 mark drained; }

# traced COMMAND...: the target's lines for what COMMAND does to imgrement, all complete. The output of COMMAND goes to
# standard error. Its status is lost, so check what it did.
traced() {
	drain imgrement
	dmesg -C
	"$@" >&2
	drain imgrement
	lines | sed '/^mark: drained$/d'
}

# statuses NAME: the status without the patterns, whose names may be any words.
statuses() { dmsetup status "$1" | sed 's/ patterns .*//'; }

# pattern_counts [NAME]: the number of patterns, and the status's count for each: `2 DAMN 3 other 0`.
pattern_counts() { dmsetup status "${1:-imgrement}" | sed 's/ patterns /\n/; s/.*\n//'; }

# counts [NAME]: the counters of the status that are not 0: `write 1 sectors_written 8 segments 1`. One line for each
# target.
counts() {
	local words text i
	statuses "${1:-imgrement}" | while read -ra words; do
		text=
		for ((i = 3; i < ${#words[@]}; i += 2)); do
			[ "${words[i + 1]}" = 0 ] || text+=" ${words[i]} ${words[i + 1]}"
		done
		echo "${text# }"
	done
}

# counter WORD [NAME]: one counter, 0 or not.
counter() {
	local words i
	statuses "${2:-imgrement}" | while read -ra words; do
		for ((i = 3; i < ${#words[@]}; i += 2)); do
			[ "${words[i]}" != "$1" ] || echo "${words[i + 1]}"
		done
	done
}

# reached DEVICE COMMAND...: the requests that reach DEVICE while COMMAND runs, from the kernel's own trace:
# `WFS 1032 + 8`, or `FWS` for a flush. The output of COMMAND goes to standard error.
reached() {
	local trace=/sys/kernel/tracing event=/sys/kernel/tracing/events/block/block_bio_queue major minor
	# Switching an event on or off patches the running kernel. QEMU sometimes fails at that when it emulates several
	# CPUs. So the event stays on.
	if [ "$(< $event/enable)" = 0 ]; then
		echo 0 > $trace/options/record-cmd
		echo 1 > $event/enable
	fi
	IFS=: read -r major minor < "/sys/class/block/${1##*/}/dev"
	echo "dev == $((major << 20 | minor))" > $event/filter
	echo > $trace/trace
	"${@:2}" >&2
	# A request without a length has no meaningful sector.
	sed -nE 's/.* block_bio_queue: [0-9,]* ([A-Z]* [0-9]* \+ [0-9]*) .*/\1/; s/ [0-9]* \+ 0$//; T; p' $trace/trace
}

# null_disk NAME WORD=VALUE...: a null block device with these settings. The default size is 64 MiB.
null_disk() {
	local setting folder=/sys/kernel/config/nullb/$1
	[ -d /sys/kernel/config/nullb ] || modprobe null_blk nr_devices=0 poll_queues=2
	mkdir "$folder"
	for setting in size=64 "${@:2}" power=1; do
		echo "${setting#*=}" > "$folder/${setting%=*}"
	done
}

# write_at DEVICE SECTOR TEXT: write 512 bytes: TEXT (%HH for any byte), padded with NULs.
write_at() {
	# The shell writes each line by itself.
	printf %b "${3//%/\\x}" |
		dd of="$1" bs=512 seek="$2" count=1 iflag=fullblock conv=sync oflag=direct status=none
}

# look_for_leaks: make the debug kernel search for memory that nothing points to. It lists what it finds in
# /sys/kernel/debug/kmemleak, and logs it as a fault. It ignores memory that is younger than five seconds, or that has
# changed since its last search. The allocator's per-CPU lists still point to the last few objects of a size, so a leak
# may hide there.
look_for_leaks() {
	sleep 6
	echo scan > /sys/kernel/debug/kmemleak
	echo scan > /sys/kernel/debug/kmemleak
}

# inject KIND NAME=VALUE...: configure the debug kernel's fault injection: failslab, fail_page_alloc,
# fail_make_request. It does not log the faults.
inject() {
	local setting folder=/sys/kernel/debug/$1
	echo 0 > "$folder/verbose"
	for setting in "${@:2}"; do
		echo "${setting#*=}" > "$folder/${setting%=*}"
	done
}

# did DISK: the sectors read, written (or zeroed) and discarded on DISK, from the kernel's own counters.
did() {
	local words
	read -ra words < "/sys/dev/block/$(stat -c %Hr:%Lr "/dev/$1")/stat"
	echo "${words[2]} ${words[6]} ${words[13]}"
}

# sectors_counted NAME: the same numbers from the status.
sectors_counted() {
	local words i
	local -A count=([sectors_read]=0 [sectors_written]=0 [sectors_zeroed]=0 [sectors_discarded]=0)
	while read -ra words; do
		for ((i = 3; i < ${#words[@]}; i += 2)); do
			count[${words[i]}]=$((${count[${words[i]}]:-0} + words[i + 1]))
		done
	done < <(statuses "$1")
	echo "${count[sectors_read]} $((count[sectors_written] + count[sectors_zeroed])) ${count[sectors_discarded]}"
}

# sum "A B C" "D E F": A + D, B + E, C + F. difference does the same with minus.
sum() {
	local a b
	read -ra a <<< "$1"
	read -ra b <<< "$2"
	echo $((a[0] + b[0])) $((a[1] + b[1])) $((a[2] + b[2]))
}
difference() {
	local a b
	read -ra a <<< "$1"
	read -ra b <<< "$2"
	echo $((a[0] - b[0])) $((a[1] - b[1])) $((a[2] - b[2]))
}

# count_from NAME DISK: expect_counted counts from now on.
declare -A did_before
count_from() {
	did_before[$1]=$(did "mapper/$1")
	did_before[$2]=$(did "$2")
}

# expect_counted NAME DISK [EARLIER]: the sectors in the status of NAME must equal what the kernel counted for the
# device, and for DISK below it. EARLIER is what its earlier tables counted, which is added. Nothing else may use DISK.
expect_counted() {
	local counted
	counted=$(sum "$(sectors_counted "$1")" "${3:-0 0 0}")
	expect "sectors read, written, discarded by status of $1, and the kernel for it" \
		"$(difference "$(did "mapper/$1")" "${did_before[$1]}")" "$counted"
	expect "sectors read, written, discarded by status of $1, and the kernel for $2" \
		"$(difference "$(did "$2")" "${did_before[$2]}")" "$counted"
}

# requests_counted NAME: the number of requests of all kinds.
requests_counted() {
	counts "$1" | tr ' ' '\n' | paste - - | awk '
		$1 ~ /^(read|write|flush|discard|secure_erase|write_zeroes|zone|other)$/ { sum += $2 }
		END { print sum + 0 }'
}

# new_filesystem NAME: make a file system on the target NAME, which is ext4, xfs or btrfs. mount_filesystem mounts it
# at /NAME.
new_filesystem() {
	case $1 in
	ext4) mkfs.ext4 -q -F /dev/mapper/ext4 ;;
	xfs) mkfs.xfs -q -f /dev/mapper/xfs ;;
	btrfs) mkfs.btrfs -q -f /dev/mapper/btrfs ;;
	esac
}

# check_filesystem NAME: fail unless it is clean.
check_filesystem() {
	case $1 in
	ext4) e2fsck -fn /dev/mapper/ext4 ;;
	xfs) xfs_repair -n /dev/mapper/xfs ;;
	btrfs) btrfs check --readonly /dev/mapper/btrfs ;;
	esac > /tmp/checked 2>&1 || fail "$1 is not clean: $(cat /tmp/checked)"
}

mount_filesystem() {
	mkdir -p "/$1"
	mount -t "$1" "/dev/mapper/$1" "/$1"
}
