# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Abilities of a disk beyond reads and writes, as through dm-linear: NOWAIT requests, atomic writes, secure erase. Also
# what the target refuses on purpose: inline encryption, which then happens above the target.

modprobe -a dm_imgrement dm_test_erase

# each_kind COMMAND...: run it with `kind` and `dev` over the whole of LOWER. Same result for dm-linear and imgrement.
each_kind() {
	local kind wanted got dev
	for kind in linear imgrement; do
		dev=/dev/mapper/$kind
		dmsetup create $kind --table "0 $(($(sectors "$lower") - 1024)) $kind $lower 1024"
		got=$("$@" 2>&1)
		dmsetup remove --retry $kind
		[ $kind = imgrement ] || wanted=$got
	done
	expect_text "$*, as dm-linear" "$wanted" "${got//imgrement/linear}"
	said=$wanted
}

# A NOWAIT request on a running device, and on a suspended one.
cat > /tmp/nowait.py <<'END'
import errno, mmap, os, sys
disk = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT)
page = mmap.mmap(-1, 4096)
for call in (os.preadv, os.pwritev):
    try:
        print(call(disk, [page], 8192, os.RWF_NOWAIT))
    except OSError as error:
        print(errno.errorcode[error.errno])
END
nowait() {
	python3 /tmp/nowait.py "$dev"
	dmsetup suspend "$kind"
	python3 /tmp/nowait.py "$dev"
	dmsetup resume "$kind"
}
lower=/dev/sdb
each_kind nowait
expect_text 'nowait' $'4096\n4096\nEAGAIN\nEAGAIN' "$said"

# io_uring first tries requests with NOWAIT.
uring() {
	fio --name=uring --filename="$dev" --ioengine=io_uring --iodepth=8 --rw=randwrite --bs=4k --size=2M \
		--fixedbufs --verify=crc32c --randseed=1 --output-format=terse --terse-version=3 |
		cut -d ';' -f 5,6,47
}
each_kind uring
expect_match 'io_uring: no error' '^0;[1-9][0-9]*;[1-9][0-9]*$' "$said"

# Atomic writes: 4 KiB to 64 KiB, aligned.
modprobe scsi_debug atomic_wr=1 dev_size_mb=16 sector_size=512 physblk_exp=3
atomic_disk=$(basename /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*:*/block/*)
cat > /tmp/atomic.py <<'END'
import errno, mmap, os, sys
RWF_ATOMIC = 0x40
disk = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT)
for at, size in (0, 4096), (65536, 65536), (4096, 8192), (65536, 131072), (0, 12288), (512, 512):
    buffer = mmap.mmap(-1, size)
    buffer.write(bytes([at // 4096 + 1]) * size)
    try:
        print(at, size, os.pwritev(disk, [buffer], at, RWF_ATOMIC))
    except OSError as error:
        print(at, size, errno.errorcode[error.errno])
END
atomic() {
	grep . "/sys/block/dm-$(dmsetup info -c --noheadings -o minor "$kind")/queue/"atomic_*
	reached "$lower" python3 /tmp/atomic.py "$dev"
	dd if="$lower" bs=1M count=1 iflag=direct status=none | md5sum
}
lower=/dev/$atomic_disk
each_kind atomic
# They arrive whole and as atomic writes (U). A length that is no power of two, or not aligned, is refused.
for line in 'WSU 1024 + 8' 'WSU 1152 + 128' '0 4096 4096' '65536 65536 65536' '0 12288 EINVAL' '4096 8192 EINVAL'; do
	grep -qxF "$line" <<< "$said" || fail "atomic writes: no line '$line' in: $said"
done

# Secure erase, on a disk that supports it.
dmsetup create eraser --table '0 8192 test_erase /dev/sdb 0'
erase() {
	cat "/sys/block/dm-$(dmsetup info -c --noheadings -o minor "$kind")/queue/write_zeroes_max_bytes"
	blkdiscard -f -s -o 4096 -l 8192 "$dev"
	dmsetup status eraser | sed 's/.* \(sector [0-9]\)/\1/'
	blkdiscard -f -s "$dev" || echo "status $?"
	dmsetup status eraser | sed 's/.* \(sector [0-9]\)/\1/'
	[ "$kind" = linear ] || counts > /tmp/counts
}
lower=/dev/mapper/eraser
statistics=/sys/block/dm-$(dmsetup info -c --noheadings -o minor eraser)/stat
read -ra before < "$statistics"
each_kind erase
read -ra after < "$statistics"
grep -qxF 'sector 1032 sectors 16' <<< "$said" || fail "dm-linear passes no secure erase on: $said"
# Each of them ended within map, and counts as one more write in its device's statistics.
expect_match 'erases ended in map' ' erases 10 ended 10 ' "$(dmsetup status eraser)"
expect 'erases in the statistics, and their sectors' '10 14368' "$((after[4] - before[4])) $((after[6] - before[6]))"
dmsetup remove eraser
# In one piece, and the whole of it in pieces of 2048 sectors.
expect 'secure erases' 'secure_erase 5 sectors_discarded 7184' "$(cat /tmp/counts)"

# Inline encryption: the target does not offer it, so the file system encrypts above it, in software. What the target
# sees is what reaches the disk.
mkfs.ext4 -q -O encrypt /dev/sda
dmsetup create imgrement --table "0 $(sectors /dev/sda) imgrement /dev/sda 0 2 pattern PLAIN-TEXT-HERE"
mount -o inlinecrypt /dev/mapper/imgrement /mnt
grep -q inlinecrypt /proc/mounts || fail 'the kernel has no inline encryption'
mkdir /mnt/secret
python3 - <<'END'
import fcntl, os, struct
mount = os.open("/mnt", os.O_RDONLY)
# struct fscrypt_add_key_arg: by identifier, 64 bytes of key.
arg = bytearray(struct.pack("=II32xII28x4x", 2, 0, 64, 0).ljust(80, b"\0") + bytes(range(64)))
fcntl.ioctl(mount, 3 << 30 | 80 << 16 | ord("f") << 8 | 23, arg)
identifier = bytes(arg[8:24])
# struct fscrypt_policy_v2: AES-256-XTS, AES-256-CTS, padded to 32.
policy = struct.pack("=BBBBB3x16s", 2, 1, 4, 3, 0, identifier)
fcntl.ioctl(os.open("/mnt/secret", os.O_RDONLY), 2 << 30 | 12 << 16 | ord("f") << 8 | 19, policy)
END
printf 'PLAIN-TEXT-HERE %.0s' {1..256} > /mnt/secret/file
sync
expect 'encrypted: found in what is written' 0 "$(counter page)"
expect 'encrypted: found on the disk' 0 "$(dd if=/dev/sda bs=1M iflag=direct status=none | grep -c PLAIN-TEXT-HERE || true)"
printf 'PLAIN-TEXT-HERE %.0s' {1..256} > /mnt/file
sync
expect 'not encrypted: found in what is written' 256 "$(counter page)"
umount /mnt
