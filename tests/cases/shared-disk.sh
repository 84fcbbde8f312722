# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A disk that another device-mapper device uses is accepted, as by dm-linear, and a line names that device.
# disk: 64M
# disk: 64M

# used_by DISK WANTED: the line that is printed when a target over DISK is created.
used_by() {
	dmesg -C
	make_target imgrement "$1" label x
	expect_text "$1" "$2" "$(lines | grep 'also used by' || true)"
	remove_target imgrement
}
note='what passes there is not seen here'

used_by /dev/sda ''
mkdir -p /etc/lvm
cat > /etc/lvm/lvm.conf <<-'EOF'
	devices {
		use_devicesfile = 0
		obtain_device_list_from_udev = 0
		filter = [ "a|^/dev/sda$|", "r|.*|" ]
	}
	activation { udev_sync = 0 udev_rules = 0 monitoring = 0 }
EOF
pvcreate -q /dev/sda
vgcreate -q group /dev/sda
lvcreate -q -y -W n -l 5 -n volume group /dev/sda
expect 'the volume' dm-0 "$(ls /sys/block/sda/holders)"
used_by /dev/sda "253:1: sda: also used by dm-0; $note"
# Nothing else uses the other disk, or LVM's volume.
used_by /dev/sdb ''
used_by /dev/mapper/group-volume ''
dmsetup create linear --table '0 8 linear /dev/sda 0'
used_by /dev/sda "253:2: sda: also used by dm-0 and 1 more; $note"

# A write that bypasses the target is indeed not seen.
make_target imgrement /dev/sda log off
write_at /dev/mapper/linear 0 DAMN
expect 'writes' 0 "$(counter write)"

# A table that replaces another one of the same device names only other devices.
vgchange -q -a n group
dmesg -C
dmsetup reload imgrement --table "0 $(sectors /dev/sda) imgrement /dev/sda 0"
dmsetup resume imgrement
expect_text 'another table' "253:2: sda: also used by dm-1; $note" "$(lines | grep 'also used by')"
dmsetup remove linear
dmesg -C
dmsetup reload imgrement --table "0 $(sectors /dev/sda) imgrement /dev/sda 0"
dmsetup resume imgrement
expect_text 'another table, and no other device' '' "$(lines | grep 'also used by' || true)"
remove_target imgrement

# A whole disk is refused if device-mapper has one of its partitions.
echo '2048,8192' | sfdisk -q --no-tell-kernel /dev/sdb
blockdev --rereadpt /dev/sdb
dmsetup create linear --table '0 8 linear /dev/sdb1 0'
expect_fail make_target imgrement /dev/sdb
expect_match 'a partition is used' 'Device or resource busy' "$said"
used_by /dev/sdb1 "253:1: sdb1: also used by dm-0; $note"
dmsetup remove linear

# A loop device is not seen, nor what is written through it.
modprobe loop
losetup /dev/loop0 /dev/sda
used_by /dev/sda ''
make_target imgrement /dev/sda log off
write_at /dev/loop0 0 DAMN
sync
expect 'writes of a loop device' 0 "$(counter write)"
remove_target imgrement
losetup -d /dev/loop0

# Whatever claims the disk excludes the target, and the other way round.
mkswap /dev/sda > /dev/null
make_target imgrement /dev/sda
expect_fail swapon /dev/sda
expect_match 'swap beside the target' 'Device or resource busy' "$said"
remove_target imgrement
swapon /dev/sda
expect_fail make_target imgrement /dev/sda
expect_match 'the target beside swap' 'Device or resource busy' "$said"
swapoff /dev/sda
