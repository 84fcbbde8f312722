# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# With next to no memory left, write-back and swap through imgrement make progress, and the pages come back unchanged.
# memory: 128
# kernel: debug
# disk: 256M
# disk: 256M
# timeout: 180 1800

free() { awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo; }
echo "$(free) MiB free"
make_target data /dev/sda data on records 512 log_rate 10 label data
make_target swap /dev/sdb data on records 512 ops read,write log_rate 10 label swap
mkfs.ext4 -q /dev/mapper/data
mount /dev/mapper/data /mnt
mkswap /dev/mapper/swap > /dev/null
swapon /dev/mapper/swap
echo 100 > /proc/sys/vm/swappiness

# More pages than there is memory, all of which are read again, while a file is written at the same time.
for round in $(seq "$(times 1 10)"); do
	python3 - "$(free)" <<-'END' &
		import mmap, sys
		pages = (int(sys.argv[1]) + 30) << 8
		memory = mmap.mmap(-1, pages << 12)
		for page in range(pages):
		    memory[page << 12 : (page << 12) + 16] = b"%016d" % page
		for page in range(pages):
		    assert memory[page << 12 : (page << 12) + 16] == b"%016d" % page, page
	END
	hog=$!
	python3 lib/random-file.py /mnt/file 24 cached > /tmp/sum
	wait $hog || fail "round $round: what was swapped out came back wrong"
	sync
	echo 3 > /proc/sys/vm/drop_caches
	md5sum -c --quiet /tmp/sum
done
swapoff /dev/mapper/swap
for what in write read; do
	[ "$(counter $what swap)" -gt 0 ] || fail "swap: no $what"
done
[ "$(counter sectors_written data)" -ge $((24 << 11)) ] || fail 'the file was not written back'
umount /mnt
fsck.ext4 -fn /dev/mapper/data > /dev/null
for name in data swap; do
	expect "$name: errors" 0 "$(counter errors $name)"
	remove_target $name
done
