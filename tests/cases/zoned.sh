# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Host-managed zoned disks: each zone operation has the same effect as through dm-linear, and the record of a zone
# append says where the data really went.
# memory: 1536
# file: zns.img 128M
# qemu: -drive if=none,id=zns,format=raw,file=@/zns.img -device nvme,id=nvme0,serial=1 -device nvme-ns,drive=zns,bus=nvme0,zoned=on,zoned.zone_size=4M,zoned.zone_capacity=4M,zoned.max_open=12,zoned.max_active=14,logical_block_size=4096,physical_block_size=4096

modprobe -a null_blk nvme
mountpoint -q /sys/kernel/config || mount -t configfs config /sys/kernel/config
disk=/sys/kernel/config/nullb/nullb8
mkdir $disk
for setting in size=128 zoned=1 zone_size=4 zone_nr_conv=2 zone_max_open=12 zone_max_active=14 memory_backed=1 blocksize=512; do
	echo "${setting#*=}" > "$disk/${setting%=*}"
done
echo 1 > $disk/power
modprobe scsi_debug zbc=managed zone_size_mb=4 zone_nr_conv=2 zone_max_open=12 dev_size_mb=128 sector_size=512
until [ -b /dev/nvme0n1 ]; do sleep 0.1; done
scsi=$(basename /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*:*/block/*)

# tried KIND LOWER OFFSET: the output of a series of operations, their errors, and what reaches LOWER. The zones have
# 8192 sectors; from the third on, all have a write pointer.
tried() {
	local dev=/dev/mapper/zoned lower=/dev/$2 node
	blkzone reset -o 16384 "$lower"
	dmsetup create zoned --table "0 $(($(sectors "$lower") - $3)) $1 $lower $3"
	reached "$lower" python3 lib/zones.py $dev 2>&1
	node=$(readlink -f "/sys/dev/block/$(stat -c %Hr:%Lr $dev)")
	grep -s '' "$node"/queue/* | sed 's,.*/,,'
	dmsetup remove zoned
	# A target that does not begin at a zone.
	dmsetup create zoned --table "0 81920 $1 $lower 16385" 2>&1 || echo "status $?"
}

modprobe btrfs
for lower in nullb8 "$scsi" nvme0n1; do
	expect 'the disk' host-managed "$(cat "/sys/block/$lower/queue/zoned")"
	wanted=$(tried linear "$lower" 16384)
	# It did what it should, and not both times nothing.
	for line in ZRS ZOS ZCS ZFS 'WF?S 24576 \+ 128' zoned:host-managed 'done' EIO EINVAL 'status 1'; do
		grep -qxE "$line" <<< "$wanted" || fail "$lower: dm-linear's does not say '$line', but $wanted"
	done
	dmesg -C
	expect_text "$lower, as dm-linear" "$wanted" "$(tried imgrement "$lower" 16384)"
	# The kernel's trace has no sector for zone operations; the log has.
	expect_text "$lower: operations on zones" 'zone-open at (32768, 32768)
zone-close at (32768, 32768)
zone-finish at (40960, 40960)
zone-finish at (49152, 49152)
zone-reset at (24576, 24576)' "$(lines | sed -n 's/^\(zone-[a-z]*\), bytes to transfer: 0, delta count: 0,/\1/p' | head -n 5)"

	if [ "$lower" = nullb8 ]; then
		# All zones at once: device-mapper passes that on if the disk supports it, and so do we.
		grep -qxF ZRAS <<< "$wanted" || fail "$lower: dm-linear resets no zones at once: $wanted"
		expect 'resets of all zones' 1 "$(count '^zone-reset-all, bytes')"
		wanted=$(tried linear "$lower" 0)
		expect_text "$lower from its beginning, as dm-linear" "$wanted" "$(tried imgrement "$lower" 0)"
	fi

	# A file system that uses zone appends. Its data is where the log says it went. The pool is small, so records
	# that never came back from an append would show.
	blkzone reset -o 16384 "/dev/$lower"
	dmsetup create imgrement --table "0 $(($(sectors "/dev/$lower") - 16384)) imgrement /dev/$lower 16384 8 pattern zone-$lower log_rate 0 log_lines 0 records 256"
	mkfs.btrfs -q -f -O zoned -d single -m single /dev/mapper/imgrement
	mount /dev/mapper/imgrement /mnt
	dmsetup message imgrement 0 reset
	# Each block of the file begins with its number.
	python3 - "$lower" > /tmp/file <<-'END'
		import sys
		for i in range(64):
		    print(end=f"zone-{sys.argv[1]} {i:4}".ljust(4096))
	END
	dmesg -C
	cp /tmp/file /mnt/file
	sync
	drain
	lines > /tmp/lines
	# A SCSI disk has no zone append. Above the target, device-mapper turns appends into writes.
	append=zone-append
	[ "$lower" != "$scsi" ] || append=W
	python3 - "/dev/$lower" $append /tmp/lines > /tmp/blocks <<-'END'
		import mmap, os, re, sys
		disk = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECT)
		page = mmap.mmap(-1, 4096)
		op = ""
		for line in open(sys.argv[3]):
		    op = op if line.startswith(("bv", "Found")) else line.split(",")[0]
		    delta = re.match(r"bv .* at .(\d+), (\d+)", line)
		    if delta and op == sys.argv[2]:
		        for sector in range(int(delta[1]), int(delta[2]), 8):
		            os.preadv(disk, [page], sector * 512)
		            print(page[:64].decode("ascii", "replace").rstrip())
	END
	expect_text "$lower: blocks of the file where the log says that they went" \
		"$(for ((i = 0; i < 64; i++)); do printf 'zone-%s %4d\n' "$lower" $i; done)" \
		"$(grep -a "^zone-$lower " /tmp/blocks | sort -u)"
	echo 3 > /proc/sys/vm/drop_caches
	cmp /tmp/file /mnt/file
	for i in 2 3 4 5 6; do
		cp /tmp/file /mnt/file$i
		sync
		drain
	done
	expect "$lower: requests that were not recorded in full" 0 "$(counter degraded)"
	umount /mnt
	remove_target imgrement
done
