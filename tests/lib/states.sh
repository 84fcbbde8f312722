# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For cases in which each state of a disk with a history must come back. The target is $states, and its disk is copied
# at points while something writes to it.

states=restored
# shellcheck disable=SC2034 # for the case
node=/dev/mapper/$states

# keep_states DISK LOG STORE [ARGUMENTS...]: begins a new history of DISK. Its states are copied to the device STORE.
keep_states() {
	disk=$1 log=$2
	points=() load=()
	mountpoint -q /store || { mkfs.ext4 -q -F -m 0 "$3" && mkdir -p /store && mount "$3" /store; }
	rm -rf /store/*
	make_target $states "$disk" log off data off pattern none history "$log" history_new on "${@:4}"
	copy_disk begin
	points+=(begin)
}

copy_disk() { dd if="$disk" of="/store/$1" bs=1M iflag=direct conv=sparse,fsync status=none; }
same_disk() {
	copy_disk now
	cmp /store/now "/store/$1" || fail "$disk after $2"
	rm /store/now
}

# start COMMAND...: starts something that writes until end_load.
start() {
	setsid "$@" > /tmp/load 2>&1 &
	load+=($!)
}
end_load() {
	local pid
	for pid in "${load[@]}"; do
		kill -0 "$pid" || fail "what writes has ended: $(< /tmp/load)"
		kill -- "-$pid"
		wait "$pid" || true
	done
	load=()
}

# wait_written SECTORS: waits until so many more were written.
wait_written() {
	local from _
	from=$(counter sectors_written $states)
	for _ in {1..600}; do
		[ $(($(counter sectors_written $states) - from)) -lt "$1" ] || return 0
		sleep 0.2
	done
	fail "not enough is written: $(counts $states); $(cat /tmp/load)"
}

# point_anywhere: the disk is copied in the middle of all that is going on. The point is the end of a session.
point_anywhere() {
	local position
	dmsetup suspend --nolockfs $states
	position=$(counter history_written $states)
	copy_disk "$position"
	dmsetup resume $states
	points+=("$position")
}

# point_at_rest: the disk is copied while nothing is written. The point is a mark.
point_at_rest() {
	local try before mark pid inflight
	inflight=/sys/block/dm-$(dmsetup info -c --noheadings -o minor $states)/inflight
	for pid in "${load[@]}"; do kill -STOP -- "-$pid"; done
	for try in {1..300}; do
		before=$(counter sectors_written $states)
		mark="rest${#points[@]}.$try"
		if [ "$(xargs < "$inflight")" = '0 0' ]; then
			dmsetup message $states 0 mark "$mark"
			copy_disk "$mark"
			[ "$(counter sectors_written $states)" != "$before" ] || break
			rm "/store/$mark"
		fi
		sleep 0.1
	done
	[ -e "/store/$mark" ] || fail "there is no rest at point ${#points[@]}"
	for pid in "${load[@]}"; do kill -CONT -- "-$pid"; done
	points+=("$mark")
}

# restored POINT LOG...: what the command restores is what was copied.
restored() {
	imgrement history restore "${@:2}" --at "$1" -o /store/then > /tmp/said
	cmp /store/then "/store/$1" || fail "the state at $1: $(< /tmp/said)"
	rm /store/then
}

# check_states: nothing is written any more. Each state comes back, by the command and by lib/history.py; and the disk
# can be turned back to one of them, and forth again. Removes the target.
check_states() {
	local point undo some=${points[RANDOM % ${#points[@]}]} other=${points[RANDOM % (${#points[@]} - 1) + 1]}
	expect "history of $disk" on "$(counter history $states)"
	expect "gaps of $disk" 0 "$(counter history_gaps $states)"
	for point in "${points[@]}"; do restored "$point" $states; done
	copy_disk last
	imgrement history undo $states --to "$some" --yes > /tmp/said
	same_disk "$some" "an undo to $some"
	undo=$(sed -n "s/^To undo this: .* --to '\(.*\)'$/\1/p" /tmp/said)
	imgrement history undo $states --to "$undo" --yes > /tmp/said
	same_disk last 'an undo of the undo'
	counts $states > /tmp/counts
	remove_target $states
	restored "$other" "$log" --disk "$disk"
	# A reader that shares no code with the command.
	python3 lib/history.py check "$log" "$disk" "/store/$other" "$other"
	echo "$disk: ${#points[@]} points; $(< /tmp/counts)"
}
