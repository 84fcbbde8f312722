# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The disk and the log device of a history may have logical blocks of 512 and 4096 bytes, in any combination.
# disk: 64M
# disk: 4M

modprobe scsi_debug sector_size=4096 dev_size_mb=24 add_host=2 per_host_store=1 delay=0
until [ -b /dev/sda ] && [ -b /dev/sdd ]; do sleep 0.1; done

# run DISK LOG SEED
run() {
	head -c "$(blockdev --getsize64 "/dev/$1")" /dev/urandom > "/dev/$1"
	sync
	make_target imgrement "/dev/$1" log off data off pattern none history "/dev/$2" history_buffer 1024 history_new on
	python3 lib/history-load.py imgrement "/dev/$1" "/dev/$2" 2 "$3"
	remove_target imgrement
	echo "disk of $(blockdev --getss "/dev/$1"), log of $(blockdev --getss "/dev/$2")"
}
run sdb sdc 1
run sdc sda 2
run sdc sdd 3
