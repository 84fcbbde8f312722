# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# ioctls reach the lower device, or not, by dm-linear's own rule. These are SCSI commands, persistent reservations,
# partitions, geometry and BLKROSET; on a whole device and on a part of it, with and without privileges.

# The kernel's own SCSI target has persistent reservations: sdc is sdb.
modprobe -a target_core_iblock tcm_loop
(
	cd /sys/kernel/config/target
	mkdir -p core/iblock_0/disk loopback/naa.5001405000000001/tpgt_1
	echo udev_path=/dev/sdb > core/iblock_0/disk/control
	echo 1 > core/iblock_0/disk/enable
	echo naa.5001405000000002 > loopback/naa.5001405000000001/tpgt_1/nexus
	mkdir loopback/naa.5001405000000001/tpgt_1/lun/lun_0
	ln -s "$PWD/core/iblock_0/disk" loopback/naa.5001405000000001/tpgt_1/lun/lun_0/disk
)
# It stores them here.
mkdir -p /var/target/pr
until [ -b /dev/sdc ]; do sleep 0.1; done

# try KIND: what a program sees of such a target.
try() {
	while read -r command; do
		echo "# $command"
		bash -c "${command//KIND/$1}" 2>&1 || echo "status $?"
	done <<-'END' | sed "s/$1/KIND/g"
		dmsetup create KIND --table '0 8192 KIND /dev/sdc 0'
		python3 lib/ioctls.py /dev/mapper/KIND
		setpriv --bounding-set=-sys_rawio,-sys_admin python3 lib/ioctls.py /dev/mapper/KIND
		blockdev --setro /dev/mapper/KIND
		blockdev --getro /dev/mapper/KIND /dev/sdc
		dd if=/dev/zero of=/dev/mapper/KIND bs=512 count=1 oflag=direct status=none
		blockdev --setrw /dev/mapper/KIND
		dd if=/dev/zero of=/dev/mapper/KIND bs=512 count=1 oflag=direct status=none
		blockdev --setra 512 --setfra 1024 --getra --getfra /dev/mapper/KIND
		hdparm -r -a -g -W -I /dev/mapper/KIND
		hdparm -a 64 /dev/mapper/KIND
		sg_persist --in --report-capabilities /dev/mapper/KIND
		dmsetup suspend --noflush --nolockfs KIND
		timeout 20 python3 lib/ioctls.py /dev/mapper/KIND
		dmsetup resume KIND
		dmsetup remove KIND
		dmsetup create KIND --table '0 8184 KIND /dev/sdc 8'
		python3 lib/ioctls.py /dev/mapper/KIND
		setpriv --bounding-set=-sys_rawio,-sys_admin python3 lib/ioctls.py /dev/mapper/KIND
		dmsetup remove KIND
		dmsetup create KIND --table '0 8184 KIND /dev/sdc 0'
		setpriv --bounding-set=-sys_rawio python3 lib/ioctls.py /dev/mapper/KIND
		dmsetup remove KIND
		printf '0 4096 KIND /dev/sdc 0\n4096 4096 KIND /dev/sdc 4096\n' | dmsetup create KIND
		python3 lib/ioctls.py /dev/mapper/KIND
		dmsetup remove KIND
		dmsetup create KIND --readonly --table '0 8192 KIND /dev/sdc 0'
		blockdev --setrw /dev/mapper/KIND
		dmsetup remove KIND
		dmsetup create KIND --table '0 131072 KIND /dev/sda 0'
		python3 lib/ioctls.py /dev/mapper/KIND
		dmsetup remove KIND
	END
}
wanted=$(try linear)
# Reservations are made and refused (24 is the status of a conflict), and commands pass or fail.
for line in 'IOC_PR_REGISTER 0' 'IOC_PR_REGISTER, a wrong key 24' 'IOC_PR_RESERVE 0' 'IOC_PR_RESERVE EAGAIN' \
	'IOC_PR_RESERVE ENOTTY' 'TEST UNIT READY 0' 'TEST UNIT READY EAGAIN' 'TEST UNIT READY ENOTTY' \
	'no such command 2' 'no such command EPERM' 'BLKPG 1 EINVAL' 'BLKPG 1 EACCES'; do
	grep -q "^$line" <<< "$wanted" || fail "dm-linear does not say '$line': $wanted"
done
expect_text 'as dm-linear' "$wanted" "$(try imgrement)"
