# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A read-only table reads and refuses to write, over a read-only disk or another one, as dm-linear does.

head -c 4M /dev/urandom > /tmp/random
sum=$(md5sum < /tmp/random)

# The kernel's own SCSI target exports sda as sdc: a disk that is write-protected itself, and that nothing opens for
# writing.
modprobe -a target_core_iblock tcm_loop
(
	cd /sys/kernel/config/target
	mkdir -p core/iblock_0/disk loopback/naa.5001405000000001/tpgt_1
	echo udev_path=/dev/sda,readonly=1 > core/iblock_0/disk/control
	echo 1 > core/iblock_0/disk/enable
	echo naa.5001405000000002 > loopback/naa.5001405000000001/tpgt_1/nexus
	mkdir loopback/naa.5001405000000001/tpgt_1/lun/lun_0
	ln -s "$PWD/core/iblock_0/disk" loopback/naa.5001405000000001/tpgt_1/lun/lun_0/disk
)
until [ -b /dev/sdc ]; do sleep 0.1; done
expect 'sdc is read-only' 1 "$(blockdev --getro /dev/sdc)"

# try KIND: what a program sees of a target of this kind.
try() {
	dd if=/tmp/random of=/dev/sdb bs=1M oflag=direct status=none
	while read -r command; do
		echo "# $command"
		bash -c "${command//KIND/$1}" 2>&1 || echo "status $?"
	done <<-'END' | sed "s/$1/KIND/g"
		blockdev --setro /dev/sdb
		dmsetup create KIND --readonly --table '0 8192 KIND /dev/sdb 0'
		dmsetup info KIND | grep State
		blockdev --getro /dev/mapper/KIND
		md5sum < /dev/mapper/KIND
		dd if=/dev/zero of=/dev/mapper/KIND bs=512 count=1 status=none
		blkdiscard -f /dev/mapper/KIND
		blkdiscard -f -z /dev/mapper/KIND
		blockdev --setrw /dev/mapper/KIND
		dd if=/dev/zero of=/dev/mapper/KIND bs=512 count=1 oflag=direct status=none
		dmsetup suspend KIND
		dmsetup resume KIND
		dmsetup create writable --table '0 8192 KIND /dev/sdb 0'
		dmsetup info writable | grep State
		dd if=/dev/zero of=/dev/mapper/writable bs=512 count=1 oflag=direct status=none
		blockdev --setrw /dev/sdb
		blockdev --getro /dev/mapper/writable
		dmsetup remove writable
		dd if=/dev/zero of=/dev/mapper/KIND bs=512 count=1 oflag=direct status=none
		dmsetup load KIND --readonly --table '0 4096 KIND /dev/sdb 4096'
		dmsetup resume KIND
		dmsetup info KIND | grep State
		blockdev --getro --getsz /dev/mapper/KIND
		dmsetup create protected --readonly --table '0 8192 KIND /dev/sdc 0'
		dmsetup info protected | grep State
		md5sum < /dev/mapper/protected
		dmsetup remove protected
		dmsetup create protected --table '0 8192 KIND /dev/sdc 0'
		dmsetup remove protected
		dmsetup remove KIND
	END
	dd if=/dev/sdb bs=1M iflag=direct status=none | md5sum
}

wanted=$(try linear)
for line in "$sum" "dd: error writing '/dev/mapper/KIND': Operation not permitted"; do
	grep -qxF -- "$line" <<< "$wanted" || fail "dm-linear does not say '$line' but: $wanted"
done
expect_match 'writable, over a disk that is protected' 'reload ioctl on protected .* failed: Read-only file system' "$wanted"
expect_text 'as dm-linear' "$wanted" "$(try imgrement)"
