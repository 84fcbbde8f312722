# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The log gets full, fails, is removed, or a message stops the history: it ends with the reason in the status, an event
# and a line, and the disk goes on. Old bytes that cannot be read leave a gap. A log does not go on without a hole if
# its target got another disk.
# disk: 4M
# disk: 64M
# disk: 4M
# dmesg: Buffer I/O error|I/O error, dev

# shellcheck source=../lib/history.sh
. lib/history.sh
log=/dev/mapper/log disk=/dev/mapper/disk
with() { make_target imgrement $disk log off data off pattern none history "$@"; }
# copy_in: write all of the disk, and compare.
copy_in() {
	head -c 4M /dev/urandom > data
	dd if=data of=/dev/mapper/imgrement bs=256k oflag=direct status=none
	blockdev --flushbufs /dev/mapper/imgrement
	cmp data /dev/mapper/imgrement
}
# ends REASON COMMAND...: the command makes the history end so.
ends() {
	local event
	event=$(dmsetup info -c --noheadings -o events imgrement)
	timeout 60 dmsetup wait imgrement "$event" &
	local waiting=$!
	dmesg -C
	"${@:2}"
	until_is history ended
	expect 'reason' "$1" "$(status history_reason)"
	wait $waiting || fail "no event when the history ended: $1"
	expect "line of $1" 1 "$(count ": history on [a-z0-9-]+: has ended: $1\$")"
	copy_in
	dmsetup suspend imgrement
	dmsetup resume imgrement
	expect 'state after a resume' "ended $1" "$(status history) $(status history_reason)"
}

dmsetup create disk --table "0 8192 linear /dev/sda 0"
dmsetup create log --table "0 8192 linear /dev/sdb 0"

# Full: there are events before, too.
with $log history_buffer 256
event=$(dmsetup info -c --noheadings -o events imgrement)
ends full copy_in
remove_target imgrement
expect 'last' 'end detail 3' "$(entries /dev/sdb | tail -n 1 | sed -E 's/.* (end) .*(detail .).*/\1 \2/')"
with $log history_buffer 256
expect 'state with a full log' 'ended full' "$(status history) $(status history_reason)"
copy_in
remove_target imgrement

# It fails.
with $log history_new on history_buffer 256
copy() { change log '0 8192 error'; dd if=data of=/dev/mapper/imgrement bs=64k count=1 oflag=direct status=none; }
ends failed copy
remove_target imgrement
change log "0 $(sectors /dev/sdb) linear /dev/sdb 0"

# It is removed.
modprobe scsi_debug dev_size_mb=16
until scsi=$(grep -l scsi_debug /sys/block/sd*/device/model); do sleep 0.1; done
scsi=${scsi#/sys/block/} scsi=${scsi%%/*}
until [ -b "/dev/$scsi" ]; do sleep 0.1; done
with "/dev/$scsi" history_buffer 256
remove() { echo 1 > "/sys/block/$scsi/device/delete"; copy_in; }
ends failed remove
remove_target imgrement

# A message stops it, also while the device is suspended.
with $log history_new on
copy_in
ends stopped dmsetup message imgrement 0 history stop
remove_target imgrement
expect 'end' 1 "$(entries /dev/sdb | grep -c ' end .*detail 2 ')"
with $log
dmsetup suspend imgrement
dmsetup message imgrement 0 history stop
dmsetup resume imgrement
expect 'stopped while suspended' 'ended stopped' "$(status history) $(status history_reason)"
remove_target imgrement

# If the log cannot be completed then, that is the reason: it fails, or it hangs.
with $log history_new on
change log '0 8192 error'
ends failed dmsetup message imgrement 0 history stop
change log "0 $(sectors /dev/sdb) linear /dev/sdb 0"
remove_target imgrement
with $log history_new on history_timeout 1
dmsetup suspend log
ends hung dmsetup message imgrement 0 history stop
dmsetup resume log
remove_target imgrement

# What cannot be read is a gap. The write to it is none.
cp --sparse=never data /dev/sda
sync
with $log history_new on
change disk '0 8192 flakey /dev/sda 0 0 60 1 error_reads'
write_at /dev/mapper/imgrement 1003 over
change disk '0 8192 linear /dev/sda 0'
write_at /dev/mapper/imgrement 2003 over
expect 'gaps' 0 "$(status history_gaps)"
remove_target imgrement
entries /dev/sdb > found
sed -nE 's/^ *[0-9]+ (base|gap|write) *([0-9+]+) detail ([0-9]+) .*/\1 \2 \3/p' found > seen
expect_text 'entries' "gap 1000+8 2
write 1003+1 0
base 2000+8 0
write 2003+1 0" "$(cat seen)"

# The next table has another disk: what its chunks hold is not known.
with $log history_new on
cp data /dev/sdc
change imgrement "0 8192 imgrement /dev/sdc 0 2 history $log"
change imgrement "0 8192 imgrement /dev/sdc 0 2 history $log"
remove_target imgrement
blockdev --flushbufs /dev/sdb
expect 'chained' 'False False True' "$(PYTHONPATH=lib python3 -c '
import history
print(*[bool(e.payload[17]) for e in history.Log("/dev/sdb").entries if e.name == "begin"])')"

# Nor does it if the target got another log.
dmsetup create other --table '0 65536 linear /dev/sdb 65536'
with $log history_new on
change imgrement "0 8192 imgrement $disk 0 2 history /dev/mapper/other"
remove_target imgrement
blockdev --flushbufs /dev/mapper/other
expect 'chained' False "$(PYTHONPATH=lib python3 -c '
import history
print(*[bool(e.payload[17]) for e in history.Log("/dev/mapper/other").entries if e.name == "begin"])')"
