# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Whatever limits a lower device has, every file in queue/ and the topology are the same as dm-linear's.
# file: odd.img 64M
# qemu: -drive if=none,id=odd,format=raw,file=@/odd.img,discard=unmap
# qemu: -device scsi-hd,drive=odd,bus=scsi.0,scsi-id=9,physical_block_size=4096,min_io_size=16384,opt_io_size=65536,discard_granularity=8192,rotation_rate=7200,max_io_size=131072
# file: nvme.img 64M
# qemu: -drive if=none,id=nvme,format=raw,file=@/nvme.img
# qemu: -device nvme,serial=nvme,drive=nvme,logical_block_size=4096,physical_block_size=16384,opt_io_size=131072,min_io_size=65536
# file: virtio.img 64M
# qemu: -drive if=none,id=virtio,format=raw,file=@/virtio.img,discard=unmap
# qemu: -device virtio-blk-pci,drive=virtio,max-discard-sectors=2048,max-write-zeroes-sectors=1024,discard_granularity=65536,num-queues=1

modprobe dm-imgrement

# tables WHAT DEVICE: the whole device, and ranges that begin at sector 1, at a page, and at sector 63.
tables() {
	local size offset
	size=$(sectors "$2")
	echo "$1: 0 $size KIND $2 0"
	for offset in 1 8 63; do
		echo "$1, from sector $offset on: 0 $((size / 2)) KIND $2 $offset"
	done
}

# same: each table on standard input must give the same as dm-linear. Differences are reported at the end.
same() { python3 lib/limits.py >> /tmp/seen || touch /tmp/different; }

# null WORD=VALUE...: add another null block device; nullb0 is the first.
nulls=0
null() {
	null_disk nullb$nulls "$@"
	tables "$*" /dev/nullb$nulls
	nulls=$((nulls + 1))
}

# QEMU's disks, one of them with partitions.
echo 0 9 0 > /sys/class/scsi_host/host0/scan
printf '%s\n' 'start=63, size=65536' 'start=65600, size=16384' | sfdisk -q /dev/sdc
modprobe nvme
until [ -b /dev/nvme0n1 ] && [ -b /dev/vdb ]; do sleep 0.1; done
echo 'write through' > /sys/block/sdb/queue/write_cache
# The kernel's own devices. Two stripes have chunks.
modprobe loop max_loop=1
losetup --sector-size 4096 /dev/loop0 /dev/sda
dmsetup create striped --table '0 8192 striped 2 64 /dev/sda 0 /dev/sdb 0'
{
	tables '512 bytes' /dev/sda
	tables 'no write cache' /dev/sdb
	tables '512e' /dev/sdc
	tables 'nvme' /dev/nvme0n1
	tables 'a partition off alignment' /dev/sdc1
	tables 'a partition on alignment' /dev/sdc2
	tables 'virtio' /dev/vdb
	tables 'loop' /dev/loop0
	tables 'striped' /dev/mapper/striped
	null blocksize=512 memory_backed=1 cache_size=16 fua=0 rotational=1
	null blocksize=4096 memory_backed=1 cache_size=16 discard=1
	null queue_mode=0 virt_boundary=1
	null poll_queues=1 max_sectors=64
	echo '512e and 4 KiB: 0 8 KIND /dev/sdc 0; 8 16 KIND /dev/nvme0n1 8'
	echo 'chunks and a small range: 0 2048 KIND /dev/mapper/striped 0; 2048 2048 KIND /dev/nullb3 0'
	echo 'cache and no cache: 0 2048 KIND /dev/sda 0; 2048 2048 KIND /dev/sdb 0'
} | same

# SCSI disks that report many limits.
for settings in \
	'sector_size=4096 physblk_exp=1 lowest_aligned=1 opt_blks=64 lbpu=1 unmap_granularity=8 unmap_alignment=3' \
	'physblk_exp=3 lowest_aligned=7 lbpws=1 unmap_max_blocks=4096 removable=1 dif=1 dix=1' \
	'physblk_exp=3 opt_blks=256 lbpws10=1 write_same_length=128 atomic_wr=1'; do
	# shellcheck disable=SC2086 # several words
	modprobe scsi_debug dev_size_mb=64 $settings
	tables "$settings" /dev/sdd | same
	modprobe -r scsi_debug
done

[ ! -e /tmp/different ] || fail 'see above'

# The devices must really differ, some must have failed, and none may have reported nothing.
for file in {alignment_offset,discard_alignment,errno,integrity/format} \
	queue/{logical_block_size,physical_block_size,minimum_io_size,optimal_io_size,chunk_sectors} \
	queue/{discard_granularity,discard_max_bytes,write_zeroes_max_bytes,atomic_write_max_bytes} \
	queue/{max_sectors_kb,max_hw_sectors_kb,max_segments,max_segment_size,virt_boundary_mask} \
	queue/{write_cache,fua,rotational,io_poll,read_ahead_kb}; do
	values=$(grep "^$file " /tmp/seen | sort | uniq -c | sort -rn)
	wanted=2
	[ "$file" != errno ] || wanted=1
	[ "$(grep -c . <<< "$values")" -ge $wanted ] || fail "$file is the same of all: $values"
done
