# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The log is slow, or hangs, on a history that waits and on one that leaves gaps; the target is suspended, resumed and
# removed meanwhile. No write fails, the disk has what was written, nothing waits for long, and what the log lacks is
# named.
# disk: 4M
# disk: 128M
# timeout: 300 1800

# shellcheck source=../lib/history.sh
. lib/history.sh
with() { make_target imgrement /dev/sda log off data off pattern none history /dev/mapper/log history_buffer 512 "$@"; }
# delay MILLISECONDS: how long each write to the log takes.
delay() {
	dmsetup load log --table "0 $(sectors /dev/sdb) delay /dev/sdb 0 0 /dev/sdb 0 $1"
	dmsetup suspend log
	dmsetup resume log
}
# begin NAME / finish: writes in the background.
begin() {
	rm -f /tmp/stop /tmp/stop.quiet
	python3 lib/history-harm.py load imgrement /dev/sda "/tmp/points-$1" /tmp/stop "$1" &
	load=$!
}
finish() {
	touch /tmp/stop
	wait $load || fail 'the load failed'
}
# check NAME [ended]: prints how many marks are in the log, and the most sectors that are unknown at one of them.
check() { python3 lib/history-harm.py check /dev/mapper/log /dev/sda "/tmp/points-$1" "${@:2}"; }
head -c 4M /dev/urandom > /dev/sda
sync
dmsetup create log --table "0 $(sectors /dev/sdb) linear /dev/sdb 0"

# A slow log: writes wait longer in all than history_timeout, but none of them does, so nothing is missing.
delay 150
with history_timeout 4
begin slow
sleep "$(times 6 30)"
finish
expect 'gaps' 0 "$(status history_gaps)"
[ "$(status history_held)" -gt 0 ] || fail 'no write has waited'
remove_target imgrement
read -r marks unknown <<< "$(check slow)"
[ "$marks" -ge 2 ] || fail "$marks marks"
expect 'unknown' 0 "$unknown"

# Without bases, too.
delay 500
with history_new on base off
begin off
until_more history_held 0
finish
expect 'gaps' 0 "$(status history_gaps)"
remove_target imgrement

# All buffers are full, and on their way. The end waits until the log has the notes, too. A slow machine needs some time
# to fill them.
delay 2000
with history_new on base off
fio --name=w --filename=/dev/mapper/imgrement --rw=write --bs=512 --direct=1 --ioengine=libaio --iodepth=32 --time_based \
	--runtime=600 --minimal > /dev/null 2>&1 &
load=$!
until_more history_held 50
dmsetup message imgrement 0 history stop
kill $load
wait $load || true
expect 'state' 'ended stopped' "$(status history) $(status history_reason)"
expect 'notes lost' 0 "$(status history_notes_lost)"
remove_target imgrement
delay 500

# It leaves gaps instead.
with history_new on history_slow gap
begin gap
until_more history_gaps 50
finish
expect 'state' on "$(status history)"
# The log hangs for a while.
delay 0
dmsetup suspend log
gaps=$(status history_gaps)
begin hang
touch /tmp/stop.quiet
until_more history_gaps $((gaps + 20))
dmsetup resume log
rm /tmp/stop.quiet
sleep 2
finish
expect 'state' on "$(status history)"
remove_target imgrement
read -r marks unknown <<< "$(check gap)"
echo "gap: $marks marks, $unknown unknown"
read -r marks unknown <<< "$(check hang)"
[ "$marks" -ge 1 ] || fail 'no mark after the log came back'
[ "$unknown" -gt 0 ] || fail 'nothing is unknown'

# It takes longer than a write may wait, but not twice as long: the writes that waited go on, with gaps, and so does the
# history. Later there are no more gaps.
with history_new on history_timeout 8
begin late
until_more history_held 0
until [ "$(count '^mark: late\.')" -gt 0 ]; do sleep 0.1; done
touch /tmp/stop.quiet
# From here on, the load does not wait for a mark.
until_more history_position $(($(status history_position) + 500000))
dmsetup suspend log
until_more history_gaps 0
dmsetup resume log
rm /tmp/stop.quiet
sleep 1
finish
expect 'state' on "$(status history)"
gaps=$(status history_gaps)
begin later
finish
expect 'gaps' "$gaps" "$(status history_gaps)"
remove_target imgrement
for name in late later; do
	read -r marks unknown <<< "$(check $name)"
	echo "$name: $gaps gaps, $marks marks, $unknown unknown"
	[ "$marks" -ge 2 ] || fail "$marks marks"
done

# It hangs for longer: the history ends, and the writes that waited go on. The removal waits for it.
with history_new on history_timeout 2
begin hung
until [ "$(count '^mark: hung\.')" -gt 0 ]; do sleep 0.1; done
dmsetup suspend log
until_is history ended
expect 'reason' hung "$(status history_reason)"
sleep 1
finish
dmsetup remove imgrement &
removal=$!
sleep 0.5
kill -0 $removal || fail 'the removal has not waited'
dmsetup resume log
wait $removal
read -r marks unknown <<< "$(check hung ended)"
[ "$marks" -ge 1 ] || fail "no mark before the log hung"
expect 'unknown' 0 "$unknown"

# A suspend does not wait for it: of each kind.
for kind in '' --noflush; do
	with history_new on history_timeout 600
	begin "suspend$kind"
	sleep 1
	touch /tmp/stop.quiet
	held=$(status history_held)
	dmsetup suspend log
	until_more history_held "$held"
	sleep 1
	# shellcheck disable=SC2086 # one word or none
	timeout 60 dmsetup suspend $kind imgrement || fail "the suspend $kind hangs"
	expect 'reason' hung "$(status history_reason)"
	dmsetup resume imgrement
	sleep 0.5
	finish
	dmsetup resume log
	remove_target imgrement
	read -r marks unknown <<< "$(check "suspend$kind" ended)"
	echo "suspend $kind: $marks marks, $unknown unknown"
done

# A resume does not wait for it, either.
with history_new on history_timeout 2
dmsetup suspend imgrement
dmsetup suspend log
timeout 60 dmsetup resume imgrement || fail 'the resume hangs'
expect 'state' 'ended hung' "$(status history) $(status history_reason)"
dd if=/dev/zero of=/dev/mapper/imgrement bs=4096 count=1 oflag=direct status=none
dmsetup resume log
remove_target imgrement
