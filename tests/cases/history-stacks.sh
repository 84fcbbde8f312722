# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A history below LVM, with its log on a logical volume of another disk; and below LUKS, with its log on another one.
# Programs above find what they wrote, and earlier states of the disk below come back.
# disk: 32M
# disk: 128M
# timeout: 240 600

node=/dev/mapper/imgrement
mkdir -p /etc/lvm
cat > /etc/lvm/lvm.conf <<-'END'
	devices {
		use_devicesfile = 0
		obtain_device_list_from_udev = 0
		filter = [ "a|^/dev/mapper/imgrement$|", "a|^/dev/sdb$|", "r|.*|" ]
	}
	activation { udev_sync = 0 udev_rules = 0 monitoring = 0 }
	global { use_lvmpolld = 0 }
END
# verified DEVICE: fio reads what it wrote.
verified() {
	fio --name=v --filename="$1" --rw=randwrite --bsrange=4k-64k --direct=1 --ioengine=libaio --iodepth=8 --fsync=32 \
		--size="$(times 4 16)M" --verify=crc32c --verify_fatal=1 > /tmp/fio 2>&1 || fail "fio: $(cat /tmp/fio)"
}
# point NAME: the disk at a mark, when nobody writes.
point() {
	sync
	dmsetup message imgrement 0 mark "$1"
	dd if=/dev/sda of="/tmp/$1" bs=1M iflag=direct status=none
}
# points NAME...: each state comes back.
points() {
	local name
	expect 'state' 'history on history_gaps 0' \
		"$(dmsetup status imgrement | grep -oE 'history on|history_gaps [0-9]+' | xargs)"
	for name; do
		imgrement history restore imgrement --at "$name" -o /tmp/then > /dev/null
		cmp /tmp/then "/tmp/$name" || fail "the state at $name"
		rm /tmp/then "/tmp/$name"
	done
}

# Below LVM. The log is a volume, made of two pieces.
pvcreate -q /dev/sdb
vgcreate -q logs /dev/sdb
lvcreate -q -y -W n -l 4 -n log logs
lvcreate -q -y -W n -l 1 -n between logs
lvextend -q -l +10 logs/log
dd if=/dev/zero of=/dev/mapper/logs-log bs=4096 count=1 conv=fsync status=none
make_target imgrement /dev/sda log off data off pattern none history /dev/mapper/logs-log
point empty
pvcreate -q $node
vgcreate -q group $node
lvcreate -q -y -W n -l 3 -n volume group
verified /dev/mapper/group-volume
point first
lvcreate -q -s -y -l 2 -n copy group/volume
mkfs.ext4 -q /dev/mapper/group-volume
mount /dev/mapper/group-volume /mnt
head -c 2M /dev/urandom > /mnt/file
umount /mnt
# The snapshot still has what there was.
vgchange -q -a n group
point second
vgchange -q -a y group
e2fsck -fn /dev/mapper/group-volume > /tmp/checked 2>&1 || fail "the file system: $(cat /tmp/checked)"
vgchange -q -a n group
points empty first second
remove_target imgrement
vgchange -q -a n logs
vgremove -q -f logs
pvremove -q /dev/sdb

# Below LUKS, and the log below another one.
export DM_DISABLE_UDEV=1
head -c 32 /dev/urandom > /tmp/key
# opened NAME DEVICE
opened() {
	cryptsetup luksFormat --batch-mode --type luks1 --pbkdf-force-iterations 1000 --cipher aes-cbc-essiv:sha256 \
		--key-size 256 --key-file /tmp/key "$2"
	cryptsetup open --key-file /tmp/key "$2" "$1"
}
opened log /dev/sdb
dd if=/dev/zero of=/dev/mapper/log bs=4096 count=1 conv=fsync status=none
make_target imgrement /dev/sda log off data off pattern none history /dev/mapper/log
point empty
opened plain $node
verified /dev/mapper/plain
point first
verified /dev/mapper/plain
point second
points empty first second
cryptsetup close plain
remove_target imgrement
# The log itself is not in plain.
expect 'a batch in plain' 0 "$(head -c 8M /dev/sdb | grep -c imgbatch || true)"
cryptsetup close log
