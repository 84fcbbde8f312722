# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Flushes and FUA reach the lower device as through dm-linear, over every kind of write cache. They are counted as
# often there, and come before the requests that must wait for them.

null_disk nullb0 memory_backed=1 cache_size=16 fua=0
null_disk nullb1 memory_backed=1 cache_size=16 fua=1
null_disk nullb2 memory_backed=1
# Each request takes 20 ms, flushes included, which shows what waits for what.
null_disk nullb3 memory_backed=1 cache_size=16 fua=0 irqmode=2 completion_nsec=20000000
echo 'write through' > /sys/block/sdb/queue/write_cache

# A write; one with FUA, and the flush after it; a flush; one through the page cache, and its flush.
cat > /tmp/writes.py <<'END_OF_WRITES'
import mmap, os, sys
direct, cached = (os.open(sys.argv[1], os.O_RDWR | flag) for flag in (os.O_DIRECT, 0))
memory = mmap.mmap(-1, 4096)
os.pwritev(direct, [memory], 0)
os.pwritev(direct, [memory], 4096, os.RWF_DSYNC)
os.fsync(direct)
os.pwrite(cached, b"D" * 4096, 8192)
os.fsync(cached)
END_OF_WRITES

# numbers DISK: the kernel's counters for it: reads, their sectors, writes, their sectors, discards, flushes.
numbers() { awk '{ print $1, $3, $5, $7, $12, $16 }' "/sys/block/$1/stat"; }

# try KIND DISK COMMAND...: what reaches the disk when COMMAND gets our device, and what is counted.
try() {
	local kind=$1 disk=$2 device before after i
	dmsetup create "$kind" --table "0 $(($(sectors "/dev/$2") - 8)) $kind /dev/$disk 8"
	device=dm-$(dmsetup info -c --noheadings -o minor "$kind")
	read -ra before < <(echo "$(numbers "$disk")" "$(numbers "$device")")
	reached "$disk" "${@:3}" "/dev/mapper/$kind"
	read -ra after < <(echo "$(numbers "$disk")" "$(numbers "$device")")
	for i in {0..11}; do
		after[i]=$((after[i] - before[i]))
	done
	echo "counted: ${after[*]}"
	[ "$kind" = linear ] || counts "$kind" > /tmp/counts
	remove_target "$kind"
}

# flushes DISK COUNTS NUMBERS REQUESTS: the expected effect of these writes: our counts, those of disk and device, and
# the requests that reach the disk. The last two are the same through dm-linear, and through the sample.
flushes() {
	expect_text "$1, dm-linear" "$4"$'\n'"counted: $3" "$(try linear "$1" python3 /tmp/writes.py)"
	expect_text "$1, rust_linear" "$4"$'\n'"counted: $3" "$(try rust_linear "$1" python3 /tmp/writes.py)"
	expect_text "$1" "$4"$'\n'"counted: $3" "$(try imgrement "$1" python3 /tmp/writes.py)"
	expect "$1: counts" "$2" "$(cat /tmp/counts)"
}
requests='WS 8 + 8
WFS 16 + 8
FWS
FWS
WS 24 + 8
FWS'
unflushed=$(sed '/^F/d; s/F//' <<< "$requests")
counts='write 3 flush 3 sectors_written 24 segments 3'
flushes sda "$counts" '0 0 6 24 0 3 0 0 6 24 0 0' "$requests"
flushes nullb1 "$counts" '0 0 6 24 0 3 0 0 6 24 0 0' "$requests"
# For a disk without FUA, the kernel below us turns FUA into another flush.
flushes nullb0 "$counts" '0 0 6 24 0 4 0 0 6 24 0 0' "$requests"
# A disk without a cache needs no flushes. If that is set later, they are dropped below us.
flushes nullb2 'write 3 sectors_written 24 segments 3' '0 0 3 24 0 0 0 0 3 24 0 0' "$unflushed"
flushes sdb "$counts" '0 0 3 24 0 0 0 0 6 24 0 0' "$unflushed"

# A journal commit is a write with PREFLUSH, FUA and data. dm-linear sends it whole; for us it is split. The disk has no
# FUA, so it is flushed before and after the commit, and no more often. Reads do not matter: a thread of ext4 reads
# ahead at any time.
files() {
	mount -t ext4 -o commit=1000 "$1" /mnt
	dd if=/dev/zero of=/mnt/file bs=4k count=4 conv=fsync status=none
	umount /mnt
}
truncate -s 8M /tmp/image
mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /tmp/image
for kind in linear imgrement; do
	dd if=/tmp/image of=/dev/nullb3 bs=4k seek=1 conv=fsync status=none
	try $kind nullb3 files > /tmp/tried
	awk '/^counted/ { $2 = $3 = $8 = $9 = "-" } !/^R/' /tmp/tried > /tmp/$kind
done
commits=$(grep -cE '^FWF[A-Z]* [0-9]+' /tmp/linear)
[ "$commits" -ge 2 ] || fail "only $commits writes with PREFLUSH, FUA and data"
sed -E '/^counted/d; s/^FWF([A-Z]*) ([0-9].*)/FW\1\nWF\1 \2/' /tmp/linear > /tmp/wanted
expect_text 'a journal' "$(cat /tmp/wanted)" "$(grep -v ^counted /tmp/imgrement)"
# Disk and device see one more request for each commit, but no more flushes.
wanted=$(awk -v more="$commits" '/^counted/ { $4 += more; $10 += more; print }' /tmp/linear)
expect 'a journal' "$wanted" "$(grep ^counted /tmp/imgrement)"
expect 'flushes counted' "$(grep -c '^FW' /tmp/wanted)" "$(sed -E 's/.*flush ([0-9]+).*/\1/' /tmp/counts)"
expect 'writes counted' "$(grep -c '^W' /tmp/wanted)" "$(sed -E 's/.*write ([0-9]+).*/\1/' /tmp/counts)"
# No commit was sent to the disk before its flush had completed. The trace of the last try shows this.
waited=$(grep block_bio_queue: /sys/kernel/tracing/trace |
	awk '{ at = $4 + 0 } flushed && at - flushed >= 0.020 { waited++ } { flushed = $7 ~ /^FW.*M/ ? at : 0 }
		END { print waited + 0 }')
expect 'commits that waited for their flush' "$commits" "$waited"
