# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The disk and the log device of a history may have logical blocks of 512 and 4096 bytes, in any combination.
# Each state comes back, by the command, too.
# disk: 64M
# disk: 4M

modprobe scsi_debug sector_size=4096 dev_size_mb=24 add_host=2 per_host_store=1 delay=0
until [ -b /dev/sda ] && [ -b /dev/sdd ]; do sleep 0.1; done

copy() { dd if="/dev/$1" of="$2" bs=1M iflag=direct status=none; }

# run DISK LOG SEED
run() {
	head -c "$(blockdev --getsize64 "/dev/$1")" /dev/urandom > "/dev/$1"
	sync
	make_target imgrement "/dev/$1" log off data off pattern none history "/dev/$2" history_buffer 1024 history_new on
	python3 lib/history-load.py imgrement "/dev/$1" "/dev/$2" 2 "$3"
	# The mark comes after all of this load. Then the same sectors are written again.
	copy "$1" /tmp/then
	python3 lib/history-load.py imgrement "/dev/$1" "/dev/$2" 1 "$3$3"
	copy "$1" /tmp/now
	rm -f /tmp/restored
	imgrement history restore imgrement --at "end$3" -o /tmp/restored > /tmp/said
	cmp /tmp/restored /tmp/then || fail 'the command restores another state'
	imgrement history undo imgrement --to "end$3" --yes > /tmp/said
	copy "$1" /tmp/restored
	cmp /tmp/restored /tmp/then || fail 'the disk after an undo'
	! cmp -s /tmp/now /tmp/then || fail 'nothing was undone'
	remove_target imgrement
	echo "disk of $(blockdev --getss "/dev/$1"), log of $(blockdev --getss "/dev/$2")"
}
run sdb sdc 1
run sdc sda 2
run sdc sdd 3
