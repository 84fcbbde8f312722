# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# After 64 MiB of random I/O through ext4 on imgrement, the bare disk holds what was written.
# disk: 64M
# disk: 96M

make_target imgrement
mkfs.ext4 -q /dev/mapper/imgrement
mount /dev/mapper/imgrement /mnt

# Two files through the page cache and two with direct I/O, at the same time.
size=$(times 16 16 4)
write_files() { python3 lib/random-file.py "/mnt/$1-a" "$size" "$1" && python3 lib/random-file.py "/mnt/$1-b" "$size" "$1"; }
write_files cached > /tmp/cached &
write_files direct > /tmp/direct &
wait -n
wait -n
umount /mnt

expect errors 0 "$(counter errors)"
[ "$(counter sectors_written)" -ge $((2 * size * 2048)) ] || fail 'less was written than must have been'

# The wrapped disk is the disk, sector by sector.
python3 - <<'END'
import mmap, os
disks = [os.open(name, os.O_RDONLY | os.O_DIRECT) for name in ("/dev/mapper/imgrement", "/dev/sdb")]
memory = [mmap.mmap(-1, 1 << 20) for _ in disks]
for place in range(0, os.lseek(disks[0], 0, os.SEEK_END), 1 << 20):
    assert [os.preadv(*pair, place) for pair in zip(disks, ([piece] for piece in memory))] == [1 << 20] * 2
    assert memory[0][:] == memory[1][:], f"they differ in the MiB at {place}"
END

# Without the target, the disk still holds what was written.
remove_target imgrement
echo 3 > /proc/sys/vm/drop_caches
e2fsck -fn /dev/sdb
mount -o ro /dev/sdb /mnt
cat /tmp/cached /tmp/direct > /tmp/written
expect files 4 "$(wc -l < /tmp/written)"
md5sum --quiet -c /tmp/written
