# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# DAX would bypass the target, so it is refused, and a file system that insists on it says so.
# params: memmap=64M!512M
# On the debug kernel this would need memory hotplug, only to show a refusal.
# kernel: stock

modprobe -a nd_e820 nd_pmem
until [ -b /dev/pmem0 ]; do sleep 0.1; done
for kind in linear imgrement; do
	dmsetup create $kind --table "0 $(sectors /dev/pmem0) $kind /dev/pmem0 0"
done
expect 'queue/dax: pmem, dm-linear, imgrement' '1 1 0' "$(cat /sys/block/{pmem0,dm-0,dm-1}/queue/dax | xargs)"
dmsetup remove imgrement
mkfs.ext4 -q -b 4096 /dev/mapper/linear
mount -o dax=always /dev/mapper/linear /mnt
grep -q 'dax=always' /proc/mounts || fail 'dm-linear has no DAX, so that nothing is shown'
umount /mnt
dmsetup remove linear
dmsetup create imgrement --table "0 $(sectors /dev/pmem0) imgrement /dev/pmem0 0 2 pattern STORED-BY-MMAP"
expect_fail mount -o dax=always /dev/mapper/imgrement /mnt
dmesg | grep -q 'EXT4-fs.*: DAX unsupported by block device' || fail 'the refusal is silent'
mount /dev/mapper/imgrement /mnt
python3 - <<'END'
import mmap
with open("/mnt/file", "wb+") as file:
    file.truncate(4096)
    memory = mmap.mmap(file.fileno(), 4096)
    memory[100:114] = b"STORED-BY-MMAP"
    memory.flush()
END
expect 'what was stored into a mapping' 1 "$(counter page)"
umount /mnt
remove_target imgrement
