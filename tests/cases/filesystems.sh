# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# ext4, xfs and btrfs are made, written to, trimmed, read again and found clean. The pool is small and loses records,
# but all sectors are counted and no data is lost.
# disk: 64M
# disk: 300M
# disk: 128M

disks=(sda sdb sdc)
for name in ext4 xfs btrfs; do
	[ $name = ext4 ] || [ -z "${BRIEF:-}" ] || break
	disk=${disks[0]}
	disks=("${disks[@]:1}")
	make_target $name "/dev/$disk" label $name records 64 log_rate 100
	count_from $name "$disk"
	new_filesystem $name
	mount_filesystem $name
	before=$(counter sectors_discarded $name)
	sum=$(python3 lib/exercise.py /$name/direct)
	cp -r /imgrement/tests /$name
	cp /$name/direct /$name/copied
	sync
	rm -r /$name/tests
	fstrim /$name
	[ "$(counter sectors_discarded $name)" -gt "$before" ] || fail "fstrim of $name discards nothing"
	umount /$name
	check_filesystem $name
	mount_filesystem $name
	expect "$name: what was written" "${sum%% *}" "$(md5sum < /$name/direct | cut -d ' ' -f 1)"
	cmp /$name/direct /$name/copied
	umount /$name
	expect_counted $name "$disk"
	expect "$name: errors" 0 "$(counter errors $name)"
	echo "$name: $(counts $name)"
	remove_target $name
done
