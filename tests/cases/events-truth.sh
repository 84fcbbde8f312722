# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For an fio job and for a file system's life, the trace events agree with the status and with the block layer's events
# for the device below. Latencies are between those of that device and those of fio.

# The lower device is a dm-linear: it completes each bio on its own, as a whole.
dmsetup create lower --table "0 131072 linear /dev/sda 0"
dmsetup create imgrement --table "0 129024 imgrement /dev/mapper/lower 2048 4 log off pattern DAMN"

python3 lib/events-truth.py fio /tmp/fio fio --name=truth --filename=/dev/mapper/imgrement --direct=1 \
	--ioengine=psync --thread --output=/tmp/fio.out --clocksource=clock_gettime --write_lat_log=/tmp/fio --log_offset=1 \
	--rw=randrw --bsrange=512-64k --fdatasync=16 --numjobs=2 --size=16M --offset_increment=16M \
	--number_ios="$(times 300 20000)"

python3 lib/events-truth.py any bash -euc '
	mkfs.ext4 -q -F /dev/mapper/imgrement
	mount /dev/mapper/imgrement /mnt
	cp -r cases /mnt/
	dd if=/dev/zero of=/mnt/large bs=1M count=8 conv=fsync status=none
	sync
	echo 3 > /proc/sys/vm/drop_caches
	cat /mnt/large /mnt/cases/* > /dev/null
	rm -r /mnt/large /mnt/cases
	fstrim /mnt
	umount /mnt'
