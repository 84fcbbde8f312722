# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A machine is killed while programs write to a target with a history with bases on stable media. The next machine finds
# the end of the log. From what is there, all that the disk held before comes back. Then it goes on with the same log, or
# makes a new one of it, and is killed, too.

. "$(dirname "$0")/../../scripts/lib/common.sh"

out=$BUILD/test/history-crash
mkdir -p "$out"
disks=()
# The disk, its log, and what the disk held when the last session began.
for disk in disk:16M log:64M before:16M; do
	rm -f "$out/${disk%:*}.img"
	truncate -s "${disk#*:}" "$out/${disk%:*}.img"
	disks+=(--disk "$out/${disk%:*}.img")
done

# machine NAME COMMANDS
machine() {
	"$TOP/scripts/vm" --name "test-history-crash-$1" --timeout 120 "${disks[@]}" \
		"cd /imgrement/tests && exec bash -eu -c '. ./lib.sh; . lib/history.sh; $2'"
}

check='python3 lib/history-crashed.py /dev/sdb /dev/sda /dev/sdc'
# shellcheck disable=SC2016 # expanded in there
write='
	dd if=/dev/sda of=/dev/sdc bs=1M conv=fsync status=none
	make_target imgrement /dev/sda log off data off pattern none history /dev/sdb history_buffer 512 \
		base durable history_new NEW
	dmsetup message imgrement 0 mark begin
	fio --name=load --filename=/dev/mapper/imgrement --rw=randwrite --bs=4k --direct=1 --ioengine=psync \
		--rate_iops=150 --randseed=SEED --refill_buffers > /dev/null &
	until_more history_written $(($(status history_position) + 500000))
	echo ready
	wait'

rounds=3
[ -z "${LONG:-}" ] || rounds=50
sessions=0
for ((round = 1; round <= rounds; round++)); do
	# Each write is to a chunk that no write has touched. So at any time, the base of the last one is young.
	new=off
	before="$check $sessions;"
	[ $round -gt 1 ] || before='head -c 16M /dev/urandom > /dev/sda; sync;'
	# The log has room for two sessions.
	[ $((round % 2)) = 0 ] || [ $round = 1 ] || { new=on sessions=0; }
	sessions=$((sessions + 1))
	commands=${write/NEW/$new}
	machine $round "$before ${commands/SEED/$round}" > "$out/$round.log" 2>&1 &
	vm=$!
	until grep -q '^ready' "$out/$round.log"; do
		kill -0 $vm 2> /dev/null || { tail "$out/$round.log"; exit 1; }
		sleep 0.1
	done
	sleep $((RANDOM % 3)).$((RANDOM % 10))
	kill -9 "$(cat "$BUILD/vm/test-history-crash-$round/pid")"
	wait $vm && exit 1
	[ $round = 1 ] || grep ' [1-9][0-9]* sectors have changed' "$out/$round.log"
done
machine end "$check $sessions" > "$out/end.log" 2>&1 || { cat "$out/end.log"; exit 1; }
grep ' [1-9][0-9]* sectors have changed' "$out/end.log"
rm "$out"/*.img
