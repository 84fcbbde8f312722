# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Below and above raid1 that loses a disk and gets it back, and LVM that moves a volume, both while in use.
# disk: 128M
# timeout: 180 600

cd /tmp
# The checksum if nothing is lost.
sum=$(python3 /imgrement/tests/lib/exercise.py /dev/sda)
for leg in a b; do
	dmsetup create disk-$leg --table "0 65536 linear /dev/sda $([ $leg = a ] && echo 0 || echo 131072)"
	dmsetup create below-$leg --table "0 65536 imgrement /dev/mapper/disk-$leg 0 4 label $leg log off"
	count_from below-$leg mapper/disk-$leg
done

# above DISK: a target over it.
above() {
	dmsetup create above --table "0 $(sectors "$1") imgrement $1 0 2 log off"
	count_from above "${1#/dev/}"
}

# load COMMAND...: while it runs, write and read the disk above over and over, at least once.
load() {
	rm -f stop
	(
		while :; do
			python3 /imgrement/tests/lib/exercise.py /dev/mapper/above
			[ ! -e stop ] || break
		done
	) > sums &
	"$@"
	touch stop
	wait $!
	expect 'what was read' "$sum" "$(sort -u sums)"
}

modprobe raid1
export MDADM_NO_UDEV=1
mdadm --create /dev/md0 --run --metadata=1.2 --level=1 --raid-devices=2 --bitmap=none --assume-clean \
	/dev/mapper/below-{a,b} 2>&1
above /dev/md0
lose_a() {
	mdadm /dev/md0 --fail /dev/mapper/below-a --remove /dev/mapper/below-a
	# It misses what is written meanwhile.
	python3 /imgrement/tests/lib/exercise.py /dev/mapper/above $((8 << 20))
	blkdiscard -f -z /dev/mapper/below-a
	mdadm /dev/md0 --add /dev/mapper/below-a
	mdadm --wait /dev/md0 || true
}
load lose_a
expect_match 'both are in use' '\[UU\]' "$(cat /proc/mdstat)"
echo check > /sys/block/md0/md/sync_action
mdadm --wait /dev/md0 || true
expect 'blocks that differ' 0 "$(cat /sys/block/md0/md/mismatch_cnt)"
expect_counted above md0
dmsetup remove --retry above
mdadm --stop /dev/md0
for leg in a b; do blkdiscard -f -z /dev/mapper/below-$leg; done

mkdir -p /etc/lvm
cat > /etc/lvm/lvm.conf <<-'EOF'
	devices {
		use_devicesfile = 0
		obtain_device_list_from_udev = 0
		filter = [ "a|^/dev/mapper/below-|", "r|.*|" ]
	}
	activation { udev_sync = 0 udev_rules = 0 monitoring = 0 }
	global { use_lvmpolld = 0 }
EOF
pvcreate -q /dev/mapper/below-{a,b}
vgcreate -q group /dev/mapper/below-{a,b}
lvcreate -q -y -W n -l 5 -n volume group /dev/mapper/below-a
above /dev/mapper/group-volume
move() { pvmove -q --interval 1 /dev/mapper/below-a; }
load move
expect 'where it is' '/dev/mapper/below-b(0)' "$(lvs --noheadings -o devices group/volume | xargs)"
lvextend -q -l +3 group/volume
lvcreate -q -s -y -l 2 -n copy group/volume
load true
expect_counted above mapper/group-volume
dmsetup remove --retry above
vgchange -q -a n group
vgremove -q -f group
for leg in a b; do
	expect_counted below-$leg mapper/disk-$leg
	expect 'errors' 0 "$(counter errors below-$leg)"
done
