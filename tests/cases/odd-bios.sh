# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Requests of 256 segments, of single sectors, and of many pages in one vector. Some are split at targets, at chunks or
# by the disk; some start in the middle of a vector. Every sector reaches its place once, and is in one delta.

# Two identical disks, which accept at most 32 KiB at once.
for name in nullb0 nullb1; do
	null_disk $name size=32 memory_backed=1 max_sectors=64
done
echo 4 > /proc/sys/vm/nr_hugepages

# The targets meet in the middle of a page. The device on top does not split, or splits at every third sector.
for kind in linear imgrement; do
	while read -r start length offset label; do
		case $kind in
		linear) echo "$start $length linear /dev/nullb0 $offset" ;;
		imgrement) echo "$start $length imgrement /dev/nullb1 $offset 8 label $label log_rate 0 log_lines 0 records 8192" ;;
		esac
	done <<-END | dmsetup create $kind
		0 2045 64 a
		2045 3 4099 b
		2048 30720 8192 c
	END
	dmsetup create top-$kind --table "0 32768 linear /dev/mapper/$kind 0"
done
python3 lib/odd-bios.py "$(times 24 300)" 1 0
for kind in linear imgrement; do
	dmsetup remove top-$kind
	dmsetup create top-$kind --table "0 32766 striped 1 3 /dev/mapper/$kind 0"
done
python3 lib/odd-bios.py "$(times 8 60)" 2 3
