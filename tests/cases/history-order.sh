# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What a disk held before is never taken from after a write that the log lacks, and a mark comes after the gaps of what
# was written before it. The disk keeps reads until it is told, so that other requests pass while old bytes are read. A write
# that completes late has its note.
# disk: 4M
# disk: 64M

# shellcheck source=../lib/history.sh
. lib/history.sh
disk=/dev/mapper/disk
with() { make_target imgrement $disk log off data off pattern none history /dev/mapper/log "$@"; }
plain="0 8192 linear /dev/sda 0"
# A suspend of such a device lets the reads go.
keeping="0 8192 delay /dev/sda 0 600000 /dev/sda 0 0"
# write SECTOR TEXT
write() { write_at /dev/mapper/imgrement "$1" "$2"; }

head -c 4M /dev/urandom > /dev/sda
sync
cp --sparse=never /dev/sda before
dmsetup create disk --table "$plain"
dmsetup create log --table "0 $(sectors /dev/sdb) linear /dev/sdb 0"

# A write waits for old bytes. The history is stopped, so another write to the same chunk passes, and is among the bytes.
with history_timeout 600
change disk "$keeping"
write 1000 waits &
waiting=$!
until_more history_held 0
dmsetup message imgrement 0 history stop &
stop=$!
until_is history ending
write 1001 passes
change disk "$plain"
wait $waiting
wait $stop
expect 'state' 'ended stopped' "$(status history) $(status history_reason)"
remove_target imgrement
entries /dev/sdb > log
expect 'bases' 0 "$(grep -c ' base ' log || true)"
expect 'end' 1 "$(grep -c ' end .*detail 2 ' log || true)"

# The same, but the other write passes because the history leaves gaps.
cp before /dev/sda
sync
with history_new on history_buffer 256 history_timeout 600
fill() { dd if=/dev/zero of=/dev/mapper/imgrement bs=32k count=1 oflag=direct status=none; }
fill
dmsetup message imgrement 0 mark known
held=$(status history_held)
# Two devices keep reads, so that those of one can go while those of the other stay.
dmsetup create here --table "0 1496 delay /dev/sda 0 600000 /dev/sda 0 0"
dmsetup create there --table "0 6696 delay /dev/sda 1496 600000 /dev/sda 1496 0"
change disk "0 1496 linear /dev/mapper/here 0
1496 6696 linear /dev/mapper/there 0"
dmsetup suspend log
write 1000 first &
pids=($!)
until_more history_held "$held"
# Four of them fill the buffers. So all requests wait.
for _ in 1 2 3 4 5 6; do
	fill &
	pids+=($!)
done
until_more history_held $((held + 2))
write 2000 waits &
waiting=$!
until_more history_held $((held + 3))
# The first one goes on, as soon as there is room. Then the other one's old bytes are read.
dmsetup suspend here
dmsetup resume here
dmsetup resume log
for pid in "${pids[@]}"; do wait "$pid"; done
dmsetup message imgrement 0 history_slow gap
write 2001 passes
expect 'gaps' 1 "$(status history_gaps)"
dmsetup message imgrement 0 mark passed &
mark=$!
sleep 0.3
dmsetup suspend there
dmsetup resume there
wait $waiting
wait $mark
change disk "$plain"
dmsetup remove here there
remove_target imgrement
entries /dev/sdb > log
blockdev --flushbufs /dev/sda
PYTHONPATH=lib python3 - <<-'END'
	import history
	before, now, log = open("before", "rb").read(), open("/dev/sda", "rb").read(), history.Log("/dev/sdb")
	mark = [e.position for e in log.entries if e.payload == b"passed"][0]
	for at, truth in ((0, before), (mark, now)):
	    data, unknown = log.state(at, now)
	    for sector in (2001, 2002):
	        bytes_ = slice(sector * 512, sector * 512 + 512)
	        assert sector in unknown or data[bytes_] == truth[bytes_], (at, sector)
	assert 2001 in log.state(mark, now)[1], "no gap before the mark"
END

# The log has completed its write, while the old bytes took longer than history_timeout: it does not hang.
with history_new on history_timeout 4
write 100 known
dmsetup message imgrement 0 mark known
held=$(status history_held)
change disk "$keeping"
dmsetup suspend log
write 101 written
# It is written soon, and the log keeps it.
sleep 0.5
write 3000 waits &
waiting=$!
until_more history_held "$held"
dmsetup resume log
sleep 5
change disk "$plain"
wait $waiting
dmsetup message imgrement 0 mark end
expect 'state' on "$(status history)"
remove_target imgrement

# A write completes long after its entry was written. Then its note is written soon, also if nothing follows.
change disk "0 8192 delay /dev/sda 0 0 /dev/sda 0 1000"
with history_new on base off
write 5000 late
until_logged /dev/sdb 'write 1 note 1'
remove_target imgrement
