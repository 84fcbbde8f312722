# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The events of requests and of their ends, for each kind of request and each path through the target. They agree with
# the status, and each request completes once.
# memory: 1024
# disk: 1M
# disk: 8M
# dmesg: Buffer I/O error|I/O error, dev

modprobe -a dm_imgrement dm_test_erase btrfs
null_disk nullb0 size=128 zoned=1 zone_size=4 memory_backed=1 zone_max_open=12 zone_max_active=14
null_disk nullb1 size=8 memory_backed=1 discard=1
# Requests to these sectors fail.
echo +0-7 > /sys/kernel/config/nullb/nullb1/badblocks
dmsetup create knows --table '0 8192 test_erase /dev/sdb 0'

make_target plain /dev/nullb1 pattern none data off log off
make_target written /dev/nullb1 edges 16
make_target read /dev/nullb1 ops read,write data off
make_target limited /dev/nullb1 log_rate 1 places on
make_target eraser /dev/mapper/knows
make_target disk /dev/sda
make_target zoned /dev/nullb0 log_rate 0 log_lines 0
for name in plain written read limited eraser disk zoned; do
	dmsetup message $name 0 reset
done

# From two CPUs, because each has its own ids.
exercise() {
	local dev=/dev/mapper/$1
	yes 'DAMN it' | head -c 128K > /tmp/text
	dd if=/tmp/text of="$dev" bs=64k seek=1 oflag=direct status=none
	# Matches that straddle segments, and requests.
	printf 'xxDA' | dd of="$dev" bs=512 seek=1200 conv=sync oflag=direct status=none
	printf %4096s DA > /tmp/ends
	printf %-4096s MN >> /tmp/ends
	dd if=/tmp/ends of="$dev" bs=8k count=1 seek=100 oflag=direct status=none
	dd if=/tmp/ends of="$dev" bs=4k count=2 seek=300 oflag=direct,dsync status=none
	taskset -c 1 dd if="$dev" of=/tmp/got bs=64k skip=1 count=2 iflag=direct status=none
	cmp /tmp/text /tmp/got
	expect_fail dd if=/tmp/text of="$dev" bs=512 count=1 oflag=direct
	expect_fail taskset -c 1 dd if="$dev" of=/tmp/got bs=64k count=1 iflag=direct
	blkdiscard -q -f -o 1M -l 64K "$dev"
}

python3 lib/events.py start request complete
for name in plain written read limited; do
	exercise $name
done
fio --name=both --filename=/dev/mapper/plain --offset=2M --size=512k --rw=randrw --bsrange=512-32k --direct=1 \
	--numjobs=2 --randseed=7 --ioengine=libaio --iodepth=4 --output=/tmp/fio
blkdiscard -q -f -s -o 1M -l 64K /dev/mapper/eraser
dd if=/tmp/text of=/dev/mapper/disk bs=64k oflag=direct,dsync status=none
blkdiscard -q -f -z -o 256K -l 64K /dev/mapper/disk
sync /dev/mapper/disk
mkfs.btrfs -q -f -O zoned -d single -m single /dev/mapper/zoned
mount /dev/mapper/zoned /mnt
yes 'DAMN it' | head -c 256K > /mnt/file
umount /mnt
blkzone open -o 16384 -l 8192 /dev/mapper/zoned
blkzone close -o 16384 -l 8192 /dev/mapper/zoned
blkzone finish -o 16384 -l 8192 /dev/mapper/zoned
echo 0 > /sys/kernel/tracing/instances/case/tracing_on

{
	for name in plain written limited eraser disk zoned; do
		python3 lib/events.py agree $name
	done
	python3 lib/events.py agree --late read
} | tee /tmp/agreed
for op in read write flush discard secure-erase write-zeroes zone-append zone-reset zone-open zone-close zone-finish; do
	grep -q "'$op'" /tmp/agreed || fail "there was no $op"
done
