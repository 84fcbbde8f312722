# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The log device fails for a while: when it is opened, when a session begins, under load, and when a session ends. The
# history ends, no write fails, and the next table goes on with the same log, and says that there is a hole. The disk
# fails for a while: the writer gets the error, the note has it, and what the sectors hold is then unknown.
# disk: 4M
# disk: 128M
# dmesg: Buffer I/O error|I/O error, dev

# shellcheck source=../lib/history.sh
. lib/history.sh
log=/dev/mapper/log disk=/dev/mapper/disk
with() { make_target imgrement $disk log off data off pattern none history $log history_buffer 512 "$@"; }
whole() { echo "0 $(sectors "/dev/$1") linear /dev/$1 0"; }
# failing DISK WHAT: all of these fail.
failing() { echo "0 $(sectors "/dev/$1") flakey /dev/$1 0 0 60 1 error_$2"; }
# written: the disk takes what it gets, and has it.
written() {
	head -c 1M /dev/urandom > data
	dd if=data of=/dev/mapper/imgrement bs=64k oflag=direct status=none
	blockdev --flushbufs /dev/mapper/imgrement
	cmp -n 1048576 data /dev/mapper/imgrement
	expect "$1" 'ended failed' "$(status history) $(status history_reason)"
}
head -c 4M /dev/urandom > /dev/sda
sync
dmsetup create disk --table "$(whole sda)"
dmsetup create log --table "$(whole sdb)"

# When it is opened.
change log "$(failing sdb reads)"
expect_fail with
expect_match 'the reason' 'Input/output error' "$said"
change log "$(whole sdb)"
with
dmsetup message imgrement 0 mark begins

# When a session begins. It has not: the next one does, with a hole.
dmsetup suspend imgrement
change log "$(failing sdb writes)"
dmsetup resume imgrement
written 'at a resume'
change log "$(whole sdb)"
remove_target imgrement

# When it ends: the last batch, or the superblock after it.
with
dd if=/dev/zero of=/dev/mapper/imgrement bs=4096 count=1 seek=9 oflag=direct status=none
change log "$(failing sdb writes)"
dmsetup suspend imgrement
change log "$(whole sdb)"
dmsetup resume imgrement
written 'at a suspend'
remove_target imgrement
with
dd if=/dev/zero of=/dev/mapper/imgrement bs=4096 count=1 seek=19 oflag=direct status=none
change log "0 8 flakey /dev/sdb 0 0 60 1 error_writes
8 $(($(sectors /dev/sdb) - 8)) linear /dev/sdb 8"
dmsetup suspend imgrement
change log "$(whole sdb)"
dmsetup resume imgrement
written 'at the superblock'
remove_target imgrement

# Each time there was a hole, since the disk was written.
blockdev --flushbufs /dev/sdb
expect 'chained' 'False False False' "$(PYTHONPATH=lib python3 -c '
import history
print(*[bool(e.payload[17]) for e in history.Log("/dev/sdb").entries if e.name == "begin"])')"

# Under load, on and off every second.
with history_new on
rm -f /tmp/stop
python3 lib/history-harm.py load imgrement $disk /tmp/points /tmp/stop flaky &
load=$!
until [ "$(count '^mark: flaky\.')" -gt 1 ]; do sleep 0.1; done
change log "0 $(sectors /dev/sdb) flakey /dev/sdb 0 1 1 1 error_writes"
until_is history ended
expect 'reason' failed "$(status history_reason)"
sleep 2
touch /tmp/stop
wait $load || fail 'the load failed'
change log "$(whole sdb)"
remove_target imgrement
read -r marks unknown <<< "$(python3 lib/history-harm.py check $log $disk /tmp/points ended)"
echo "flaky: $marks marks, $unknown unknown"
[ "$marks" -ge 1 ] || fail 'no mark before the log failed'

# The disk fails some writes.
with history_new on
dmsetup message imgrement 0 mark before
write_at /dev/mapper/imgrement 1000 good
change disk "0 1000 linear /dev/sda 0
1000 8 flakey /dev/sda 1000 0 60 1 error_writes
1008 7184 linear /dev/sda 1008"
expect_fail write_at /dev/mapper/imgrement 1001 bad
write_at /dev/mapper/imgrement 1008 good
dmsetup message imgrement 0 mark broken
change disk "$(whole sda)"
write_at /dev/mapper/imgrement 1001 better
dmsetup message imgrement 0 mark after
expect 'state' 'on 0' "$(status history) $(status history_gaps)"
remove_target imgrement
blockdev --flushbufs /dev/sdb
imgrement history list /dev/sdb > listed
expect 'writes that failed' 1 "$(grep -c '1 request, 1 failed$' listed)"
for at in before after; do
	imgrement history cat /dev/sdb --disk /dev/sda --sector 1000,9 --at $at > /tmp/$at || fail "unknown at $at"
done
expect 'after' better "$(dd if=/tmp/after bs=512 skip=1 count=1 status=none | tr -d '\0')"
expect_fail imgrement history cat /dev/sdb --disk /dev/sda --sector 1000,9 --at broken
expect_match 'what is unknown' '1001' "$said"
imgrement history cat /dev/sdb --disk /dev/sda --sector 1008 --at broken > /tmp/seen
expect 'the write that succeeded' good "$(tr -d '\0' < /tmp/seen)"
