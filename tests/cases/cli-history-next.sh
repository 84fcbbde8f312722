# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A history goes on with another log device under load, twice. The command reads the three logs as one: each state comes
# back, and every completion has its place. A device that hangs is no next log, and no write waits long for it; later,
# the log itself may hang, too.
# disk: 4M
# disk: 32M
# disk: 32M
# disk: 32M

# shellcheck source=../lib/history.sh
. lib/history.sh
logs='/dev/sdb /dev/sdc /dev/sdd'
node=/dev/mapper/imgrement
with() { make_target imgrement /dev/sda log off data off pattern none history "$@"; }
load() {
	rm -f /tmp/stop
	fio --name=w --filename=$node --rw=randwrite --bsrange=512-32k --direct=1 --ioengine=libaio --iodepth=8 --time_based \
		--runtime=600 --refill_buffers --fsync=50 --minimal > /dev/null 2>&1 &
	load=$!
}
calm() {
	kill $load
	wait $load || true
}
# point NAME: nothing is written now.
point() {
	dmsetup message imgrement 0 mark "$1"
	dd if=/dev/sda of="/tmp/$1" bs=1M iflag=direct status=none
}

head -c 4M /dev/urandom > /dev/sda
sync
with /dev/sdb history_buffer 512
load
until_more history_position 1000000
calm
point first
load
for log in /dev/sdc /dev/sdd; do
	from=$(status history_position)
	until_more history_position $((from + 1000000))
	dmsetup message imgrement 0 history next $log
done
from=$(status history_position)
until_more history_position $((from + 1000000))
calm
point last
# These change all sectors, so that both states must come from the logs.
dd if=/dev/zero of=$node bs=64k oflag=direct status=none 2> /dev/null || true
expect 'state' 'on 0 0' "$(status history) $(status history_gaps) $(status history_notes_lost)"
remove_target imgrement

for log in $logs; do blockdev --flushbufs "$log"; done
# shellcheck disable=SC2086 # words
imgrement history info $logs > /tmp/info
expect_match 'marks' $'\n''first .*'$'\n''last ' "$(< /tmp/info)"
# shellcheck disable=SC2086
imgrement history list $logs > /tmp/list
for word in first last; do
	# shellcheck disable=SC2086
	imgrement history restore $logs --disk /dev/sda --at $word -o /tmp/then > /dev/null
	cmp /tmp/then /tmp/$word || fail "the state at $word"
	rm /tmp/then
done
PYTHONPATH=lib python3 - <<-'END'
	import struct, history
	log = history.Log("/dev/sdb,/dev/sdc,/dev/sdd")
	writes = {e.position for e in log.entries if e.name in ("write", "flush")}
	ends = [e.position for e in log.entries if e.name == "end"]
	notes = [struct.unpack_from("<QQ", e.payload, at)
	         for e in log.entries if e.name == "completions" for at in range(0, len(e.payload), 32)]
	assert {position for position, _ in notes} == writes, "%d notes, %d writes" % (len(notes), len(writes))
	late = [note for note in notes if not note[0] < note[1] <= ends[-1]]
	assert not late, "%d heads that are no positions: %s" % (len(late), late[:3])
	print("%d writes; these completed after the change: %s" % (
	    len(writes), [sum(p < end < h for p, h in notes) for end in ends]))
END

# A device that hangs is refused, soon.
dmsetup create log --table "0 $(sectors /dev/sdb) linear /dev/sdb 0"
dmsetup create hung --table "0 $(sectors /dev/sdc) linear /dev/sdc 0"
dd if=/dev/zero of=/dev/mapper/hung bs=4096 count=1 oflag=direct status=none
with /dev/mapper/log history_new on history_timeout 600
dmsetup suspend hung
for errno in 'timed out' 'busy'; do
	expect_fail timeout 60 dmsetup message imgrement 0 history next /dev/mapper/hung
	expect_match "$errno" "$errno" "${said,,}"
done
expect 'state' on "$(status history)"
# Neither a suspend nor the end waits for it.
timeout 60 dmsetup suspend imgrement
timeout 60 dmsetup resume imgrement
expect 'state after a suspend' on "$(status history)"
# Its superblock hangs, too: the end takes as long as it may.
dmsetup load log --table "0 8 delay /dev/sdb 0 600000
8 $(($(sectors /dev/sdb) - 8)) linear /dev/sdb 8"
dmsetup suspend log
dmsetup resume log
dmsetup message imgrement 0 history_timeout 2
timeout 60 dmsetup message imgrement 0 history stop || fail 'the end hangs'
expect 'state at the end' 'ended hung' "$(status history) $(status history_reason)"
timeout 60 dd if=/dev/zero of=$node bs=4096 count=1 oflag=direct status=none || fail 'a write hangs'
# The removal waits for both.
dmsetup resume hung
dmsetup load log --table "0 $(sectors /dev/sdb) linear /dev/sdb 0"
dmsetup suspend log
dmsetup resume log
remove_target imgrement
