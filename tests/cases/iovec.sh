# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A pattern is found no matter how the memory of a write is split. Each piece is one delta.

make_target imgrement /dev/sdb pattern DAMNDAMN

# One request of three vectors, two of which cross a page boundary.
wanted='W, bytes to transfer: 5632, delta count: 5
bv #0: len 512, offset 0, at (24, 24)
bv #1: len 512, offset 3584, at (25, 25)
bv #2: len 512, offset 0, at (26, 26)
bv #3: len 3584, offset 512, at (27, 33)
bv #4: len 512, offset 0, at (34, 34)
Found DAMNDAMN across deltas 1 times'
got=$(traced python3 lib/write.py /dev/mapper/imgrement 12288 512,1024@3584,4096@512 506=DAMNDAMN)
expect_text 'across vectors' "$wanted" "$got"
expect counts 'write 1 sectors_written 11 segments 5 across 1' "$(counts)"
expect 'on the disk' 1 "$(dd if=/dev/sdb bs=512 skip=24 count=11 iflag=direct status=none | grep -ao DAMNDAMN | wc -l)"

# Overlapping matches all count, within a delta and across two.
dmsetup message imgrement 0 pattern AA
dmsetup message imgrement 0 reset
wanted='Found AA from page 3 times
Found AA from page 1 times
Found AA from page 3 times
W, bytes to transfer: 2048, delta count: 3
bv #0: len 512, offset 0, at (8, 8)
Found AA from deltas 3 times
bv #1: len 1024, offset 1024, at (9, 10)
Found AA from deltas 1 times
bv #2: len 512, offset 0, at (11, 11)
Found AA from deltas 3 times
Found AA across deltas 1 times'
got=$(traced python3 lib/write.py /dev/mapper/imgrement 4096 512,1024@1024,512 9=AAA 510=AAAA 1536=AAAA)
expect_text overlapping "$wanted" "$got"
expect counts 'write 1 sectors_written 4 segments 3 page 7 deltas 7 across 1' "$(counts)"

# Pieces shorter than a sector are refused as by dm-linear: EINVAL, and nothing is seen.
dmsetup message imgrement 0 pattern DAMNDAMN
dmsetup message imgrement 0 reset
dmsetup create plain --table '0 8192 linear /dev/sdb 0'
for device in plain imgrement; do
	expect_fail python3 lib/write.py /dev/mapper/$device 4096 508,4,512
	expect "$device: pieces shorter than a sector" EINVAL "$said"
done
expect counts '' "$(counts)"

# Other drivers do send such pieces. So the kernel's own SCSI target exports our device as a disk that requires an
# alignment of only 4 bytes. There a match spans three deltas.
modprobe -a target_core_iblock tcm_loop
cd /sys/kernel/config/target
mkdir -p core/iblock_0/imgrement loopback/naa.5001405000000001/tpgt_1
echo udev_path=/dev/mapper/imgrement > core/iblock_0/imgrement/control
echo 1 > core/iblock_0/imgrement/enable
echo naa.5001405000000002 > loopback/naa.5001405000000001/tpgt_1/nexus
mkdir loopback/naa.5001405000000001/tpgt_1/lun/lun_0
ln -s "$PWD/core/iblock_0/imgrement" loopback/naa.5001405000000001/tpgt_1/lun/lun_0/imgrement
until [ -b /dev/sdc ]; do sleep 0.1; done
cd /imgrement/tests

# When this has been read, the kernel's own reads of the new disk are over.
dd if=/dev/sdc of=/dev/null bs=4k count=1 iflag=direct status=none
dmsetup message imgrement 0 reset
wanted='W, bytes to transfer: 5120, delta count: 5
bv #0: len 1016, offset 3080, at (16, 17)
bv #1: len 4, offset 0, at (17, 17)
bv #2: len 4, offset 0, at (17, 17)
bv #3: len 4, offset 0, at (18, 18)
bv #4: len 4092, offset 4, at (18, 25)
Found DAMNDAMN across deltas 1 times'
got=$(traced python3 lib/write.py /dev/sdc 8192 1020@3080,4,4,4092@4 1018=DAMNDAMN)
expect_text 'across four deltas' "$wanted" "$got"
wanted='Found DAMNDAMN from page 1 times
W, bytes to transfer: 1024, delta count: 3
bv #0: len 508, offset 0, at (8, 8)
bv #1: len 4, offset 0, at (8, 8)
bv #2: len 512, offset 0, at (9, 9)
Found DAMNDAMN from deltas 1 times
Found DAMNDAMN across deltas 1 times'
got=$(traced python3 lib/write.py /dev/sdc 4096 508,4,512 506=DAMNDAMN 1016=DAMNDAMN)
expect_text 'across three deltas' "$wanted" "$got"
expect counts 'write 2 sectors_written 12 segments 8 page 1 deltas 1 across 2' "$(counts)"
expect 'on the disk' 3 "$(dd if=/dev/sdb bs=512 skip=8 count=18 iflag=direct status=none | grep -ao DAMNDAMN | wc -l)"
