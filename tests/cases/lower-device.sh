# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A lower device grows, shrinks, is replaced or disappears. The effect above is the same as with dm-linear. Status,
# suspend, reload and removal of the target still work.
# dmesg: Buffer I/O error|I/O error, dev

modprobe loop max_loop=0
modprobe scsi_debug dev_size_mb=8 delay=0 num_tgts=2

# try KIND DISK: what a program sees of a target of this kind. DISK is lost.
try() {
	local command
	dmesg -C
	truncate -s 4M /tmp/file
	losetup /dev/loop7 /tmp/file
	dmsetup create low --table '0 4096 striped 1 8 /dev/sdb 0'
	while read -r command; do
		echo "# $command"
		bash -c "${command//KIND/$1}" 2>&1 || echo "status $?"
	done <<-END | sed "s/$1/KIND/g; s/$2/DISK/g; s/(8, .*)/(NUMBER)/"
		dmsetup create KIND --table '0 8192 KIND /dev/loop7 0'
		truncate -s 6M /tmp/file && losetup -c /dev/loop7
		blockdev --getsz /dev/loop7 /dev/mapper/KIND
		dd if=/dev/zero of=/dev/mapper/KIND bs=4k seek=1024 count=1 oflag=direct status=none
		dmsetup suspend KIND && dmsetup load KIND --table '0 12288 KIND /dev/loop7 0' && dmsetup resume KIND
		blockdev --getsz /dev/mapper/KIND
		dd if=/dev/zero of=/dev/mapper/KIND bs=4k seek=1535 count=1 oflag=direct status=none
		truncate -s 2M /tmp/file && losetup -c /dev/loop7
		blockdev --getsz /dev/loop7 /dev/mapper/KIND
		dd if=/dev/mapper/KIND of=/dev/null bs=4k skip=511 count=1 iflag=direct status=none
		dd if=/dev/mapper/KIND of=/dev/null bs=4k skip=512 count=1 iflag=direct status=none
		dd if=/dev/zero of=/dev/mapper/KIND bs=8k seek=255 count=1 oflag=direct status=none
		dd if=/dev/zero of=/dev/mapper/KIND bs=16k seek=127 count=2 oflag=direct status=none
		blkdiscard -f -o 2093056 -l 8192 /dev/mapper/KIND
		blkdiscard -f -z -o 2093056 -l 8192 /dev/mapper/KIND
		sync /dev/mapper/KIND
		dmsetup suspend KIND && dmsetup resume KIND
		dmsetup info KIND | grep State
		{ dmsetup load KIND --table '0 8192 KIND /dev/loop7 0' && dmsetup resume KIND; } > /dev/null 2>&1
		dmsetup resume KIND
		blockdev --getsz /dev/mapper/KIND
		dmsetup load KIND --table '0 4096 KIND /dev/loop7 0' && dmsetup resume KIND
		blockdev --getsz /dev/mapper/KIND
		dd if=/dev/mapper/KIND of=/dev/null bs=4k skip=511 count=1 iflag=direct status=none
		dmsetup remove KIND
		dmsetup create KIND --table '0 4096 KIND /dev/mapper/low 0'
		dmsetup load low --table '0 2048 striped 1 8 /dev/sdb 0' && dmsetup resume low
		dd if=/dev/mapper/KIND of=/dev/null bs=1M count=2 iflag=direct status=none
		dmsetup load low --table '0 4096 error' && dmsetup resume low
		dd if=/dev/mapper/KIND of=/dev/null bs=4k count=1 iflag=direct status=none
		dmsetup load low --table '0 4096 striped 1 8 /dev/sdb 4096' && dmsetup resume low
		dd if=/dev/mapper/KIND of=/dev/null bs=1M count=2 iflag=direct status=none
		dmsetup remove low
		dmsetup remove KIND
		dmsetup remove low
		dmsetup create KIND --table '0 8192 KIND /dev/$2 0'
		dd if=/dev/zero of=/dev/mapper/KIND bs=4k count=1 oflag=direct status=none
		dd if=/dev/zero of=/dev/mapper/KIND bs=4k seek=1 count=1 status=none; echo 1 > /sys/block/$2/device/delete
		sync /dev/mapper/KIND
		dd if=/dev/mapper/KIND of=/dev/null bs=4k count=1 iflag=direct status=none
		dd if=/dev/zero of=/dev/mapper/KIND bs=4k count=1 oflag=direct status=none
		dd if=/dev/zero of=/dev/mapper/KIND bs=4k count=1 oflag=direct,dsync status=none
		blkdiscard -f -z -o 0 -l 8192 /dev/mapper/KIND
		sg_inq /dev/mapper/KIND
		blockdev --getsz --getro /dev/mapper/KIND
		dmsetup table KIND | cut -d ' ' -f 1-3
		dmsetup deps KIND
		dmsetup suspend KIND && dmsetup resume KIND
		dmsetup load KIND --table '0 8192 KIND /dev/$2 0'
		dmsetup load KIND --table '0 8192 KIND /dev/sdb 0' && dmsetup resume KIND
		dd if=/dev/mapper/KIND of=/dev/null bs=4k count=1 iflag=direct status=none
		dmsetup remove KIND
	END
	losetup -d /dev/loop7
	# The kernel's lines about requests that do not fit.
	dmesg -t | grep -E 'beyond end|rw='
}
wanted=$(try linear sdc)
# There were errors where expected, and none before and after.
expect 'commands that failed, dm-linear' 16 "$(grep -c '^status' <<< "$wanted")"
expect_text 'as dm-linear' "$wanted" "$(try imgrement sdd)"
