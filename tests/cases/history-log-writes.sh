# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What `imgrement history export` makes of a log is what the kernel's dm-log-writes keeps of the same run. A target with
# a history lies between two of these. The logs have the same requests. If one comes after the other, the order is the
# same, too; otherwise, each write is durable with the same flush, or with one between those of the other two logs.
# disk: 32M
# timeout: 400 1800
# disk: 512M
# disk: 512M
# disk: 512M

echo "seed $SEED"
RANDOM=$SEED
mkdir /logs /files
mount -t tmpfs none /logs
node=/dev/mapper/upper
truncate -s 32M /logs/empty

# stack [ARGUMENTS...]: the three devices on an empty disk.
stack() {
	dd if=/logs/empty of=/dev/sda bs=1M oflag=direct status=none
	dmsetup create lower --table "0 $(sectors /dev/sda) log-writes /dev/sda /dev/sdd"
	make_target imgrement /dev/mapper/lower log off data off pattern none history /dev/sdb history_new on "$@"
	dmsetup create upper --table "0 $(sectors /dev/sda) log-writes /dev/mapper/imgrement /dev/sdc"
}
mark() {
	for name in upper imgrement lower; do dmsetup message "$name" 0 mark "$1"; done
}
# unstack: removes them. The export is in /logs/writes.
unstack() {
	local name
	expect 'gaps' 0 "$(counter history_gaps)"
	mark last
	for name in sdc sdd; do python3 lib/log-writes.py wait /dev/$name last; done
	dmsetup status | grep logging_disabled && fail 'dm-log-writes has given up'
	for name in upper imgrement lower; do remove_target $name; done
	for name in sdb sdc sdd; do blockdev --flushbufs /dev/$name; done
	rm -f /logs/writes
	imgrement history export /dev/sdb --format log-writes -o /logs/writes > /tmp/said 2>&1
	! grep 'left out' /tmp/said || fail 'the export lacks something'
}
# replay DISK [MARK]: all three logs give what is on the disk.
replay() {
	local log
	for log in /dev/sdc /logs/writes /dev/sdd; do python3 lib/log-writes.py replay $log "$@"; done
}
# job OPTION...: random writes past the page cache.
job() {
	fio --filename=$node --direct=1 --refill_buffers --randseed="$RANDOM" --minimal --output=/tmp/fio --rw=randwrite "$@"
}

# One request at a time.
stack base off
job --name=flushed --ioengine=psync --bsrange=512-64k --number_ios=40 --fsync=5
job --name=durable --ioengine=psync --bsrange=512-64k --number_ios=20 --sync=dsync
mark durable
dd if=/dev/sda of=/logs/durable bs=1M iflag=direct status=none
blkdiscard -o 3M -l 1M $node
job --name=flushed --ioengine=psync --bsrange=512-64k --number_ios=20 --fsync=3
blkdiscard -o 8M -l 512k $node
# These are never flushed.
job --name=open --ioengine=psync --bsrange=512-64k --number_ios=20
unstack
for log in /dev/sdc /dev/sdd; do python3 lib/log-writes.py same /logs/writes $log; done
replay /dev/sda
replay /logs/durable durable

# Many at a time: one job flushes, and writes past the disk's cache. The other's requests are also split.
stack
job --ioengine=psync --bsrange=512-16k --size=16M --number_ios=$(($(times 60 1000))) --sync=dsync --name=flushes \
	--name=others --sync=none --ioengine=libaio --iodepth=8 --bsrange=512-1500k --offset=16M --serialize_overlap=1
unstack
python3 lib/log-writes.py between /dev/sdc /logs/writes /dev/sdd /dev/sdb
replay /dev/sda

# A file system with a journal.
stack base off
mkfs.ext4 -q -J size=4 $node
# Only what a program asks for is flushed.
mount -o discard,commit=600 $node /files
python3 lib/restless.py files /files "$RANDOM" &
writer=$!
for _ in {1..600}; do
	[ "$(counter sectors_written)" -lt "$(times 8000 30000)" ] || break
	sleep 0.1
done
kill $writer
wait $writer || true
# After a freeze, nothing is written that is not flushed.
fsfreeze -f /files
sync $node
mark synced
dd if=/dev/sda of=/logs/synced bs=1M iflag=direct status=none
fsfreeze -u /files
rm -r /files/*
umount /files
unstack
python3 lib/log-writes.py between /dev/sdc /logs/writes /dev/sdd /dev/sdb
replay /logs/synced synced
replay /dev/sda
