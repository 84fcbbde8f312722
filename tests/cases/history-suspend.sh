# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Suspends of all kinds, while writes wait for a slow log; tables with and without a history, and a removal by force,
# under load; logs in odd places. The disk has what was written, and the log knows each state.
# disk: 4M
# disk: 64M
# disk: 64M
# timeout: 300 3600

# shellcheck source=../lib/history.sh
. lib/history.sh
log=/dev/mapper/log
# table DISK LOG [ARGUMENTS]: the table of a target.
table() { echo "0 $(sectors "$1") imgrement $1 0 $((6 + $# - 2 + 2)) log off data off pattern none history $2 ${*:3}"; }
begin() {
	rm -f /tmp/stop /tmp/stop.quiet
	python3 lib/history-harm.py load imgrement "$2" "/tmp/points-$1" /tmp/stop "$1" &
	load=$!
}
finish() {
	touch /tmp/stop
	wait $load || fail 'the load failed'
}
# check NAME DISK LOG: all marks are right, and nothing is unknown.
check() {
	read -r marks unknown <<< "$(python3 lib/history-harm.py check "$3" "$2" "/tmp/points-$1")"
	echo "$1: $marks marks, $unknown unknown"
	[ "$marks" -ge 1 ] || fail "$1: no marks"
	expect "$1: unknown" 0 "$unknown"
}

head -c 4M /dev/urandom > /dev/sda
sync
dmsetup create log --table "0 $(sectors /dev/sdb) delay /dev/sdb 0 0 /dev/sdb 0 10"

for base in on durable; do
	dmsetup create imgrement --table "$(table /dev/sda $log history_buffer 256 history_new on base $base)"
	begin $base /dev/sda
	until_more history_held 3
	count=$(times 12 500)
	python3 lib/suspend.py "$count" imgrement
	finish
	expect 'state' on "$(status history)"
	expect 'sessions' $((count + 1)) "$(status history_session)"
	remove_target imgrement
	check $base /dev/sda $log
done

# With a history and without, under load.
dmsetup create imgrement --table "$(table /dev/sda $log history_new on)"
begin reload /dev/sda
for _ in $(seq "$(times 3 50)"); do
	change imgrement "0 8192 imgrement /dev/sda 0 2 log off"
	sleep 0.2
	dmsetup load imgrement --table "$(table /dev/sda $log history_new on)"
	dmsetup suspend --noflush imgrement
	dmsetup resume imgrement
	until_more history_position 100000
done
finish
remove_target imgrement
check reload /dev/sda $log

# By force: the writer gets errors, as without a history.
dmsetup create imgrement --table "$(table /dev/sda $log history_new on history_buffer 256)"
(while dd if=/dev/zero of=/dev/mapper/imgrement bs=64k oflag=direct status=none 2> /tmp/said; [ -b /dev/mapper/imgrement ]; do
	! grep -q 'Input/output error' /tmp/said || break
done) &
writer=$!
until_more history_held 0
timeout 60 dmsetup remove --force --retry imgrement || true
wait $writer
grep -q 'Input/output error' /tmp/said || fail "the writer got no error: $(cat /tmp/said)"
dmsetup info imgrement > /dev/null 2>&1 && remove_target imgrement
entries $log > found
expect 'end' 1 "$(grep -c ' end .*detail 1 ' found || true)"
dmsetup remove log

# A suspend without flush gives back what waits for a log that hangs. It reaches the disk after the resume.
dmsetup create log --table "0 $(sectors /dev/sdb) linear /dev/sdb 0"
dmsetup create imgrement --table "$(table /dev/sda $log history_new on history_buffer 256 history_timeout 600 base off)"
dmsetup suspend log
dd if=/dev/zero of=/dev/mapper/imgrement bs=32k count=16 oflag=direct status=none &
pids=($!)
until_more history_held 0
write_at /dev/mapper/imgrement 5000 waits &
pids+=($!)
until_more history_held 1
# held: what the disk has there.
held() { dd if=/dev/sda bs=512 skip=5000 count=1 iflag=direct status=none | tr -d '\0' | head -c 5; }
timeout 60 dmsetup suspend --noflush imgrement || fail 'the suspend hangs'
[ "$(held)" != waits ] || fail 'a write that waited was not given back'
dmsetup resume log
dmsetup resume imgrement
for pid in "${pids[@]}"; do wait "$pid"; done
expect 'what waited' waits "$(held)"
remove_target imgrement
dmsetup remove log

# On another partition of the same disk.
sfdisk -q --wipe always /dev/sdb <<< $'2048 8192\n16384 65536\n'
until [ -b /dev/sdb2 ]; do sleep 0.1; done
dmsetup create imgrement --table "$(table /dev/sdb1 /dev/sdb2 history_new on)"
begin partition /dev/sdb1
sleep 1
finish
remove_target imgrement
check partition /dev/sdb1 /dev/sdb2
uuid=$(blkid -p -s PART_ENTRY_UUID -o value /dev/sdb1)
expect 'the UUID in the superblock' "${uuid:?}" \
	"$(dd if=/dev/sdb2 bs=4096 count=1 iflag=direct status=none | dd bs=1 skip=152 count=40 status=none | tr -d '\0')"

# On a loop device over a file.
mkfs.ext4 -q /dev/sdc
mount /dev/sdc /mnt
truncate -s 40M /mnt/file
modprobe loop
loop=$(losetup --find --show /mnt/file)
dmsetup create imgrement --table "$(table /dev/sda "$loop")"
begin loop /dev/sda
sleep 1
dmsetup suspend --noflush imgrement
dmsetup resume imgrement
finish
remove_target imgrement
check loop /dev/sda "$loop"
losetup -d "$loop"
umount /mnt

# Each other's disks, and the disk and the log swapped: refused.
dmsetup create imgrement --table "$(table /dev/sda /dev/sdc history_new on)"
expect_fail dmsetup create other --table "$(table /dev/sdc /dev/sda history_new on)"
expect_fail dmsetup load imgrement --table "0 8192 imgrement /dev/sdc 0 2 history /dev/sda"
remove_target imgrement
