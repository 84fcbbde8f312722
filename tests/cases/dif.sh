# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Disks with protection information (T10 DIF types 1 to 3, with DIX). Tags arrive as through dm-linear. If data do not
# match their tag, the same error comes back and is recorded. A target refuses devices with different integrity
# profiles.

modprobe dm_imgrement
head -c 1M /dev/urandom > /tmp/random

# tried KIND: the limits on offer, what the disk receives, and what comes back.
tried() {
	local dev=/dev/mapper/$1
	dmsetup create "$1" --table "0 16384 $1 $disk 1024"
	grep . "/sys/block/dm-$(dmsetup info -c --noheadings -o minor "$1")/integrity/"*
	# The tags are generated above the target, and checked by the disk.
	dd if=/tmp/random of="$dev" bs=64k oflag=direct status=none
	dd if=/tmp/random of="$dev" bs=512 seek=4096 count=33 oflag=direct status=none
	# Read with the tags on another path, so that each tag is checked against its sector.
	cmp -n 1048576 /tmp/random <(dd if="$disk" bs=64k skip=8 count=16 iflag=direct status=none)
	cmp -n 1048576 /tmp/random <(dd if="$dev" bs=64k count=16 iflag=direct status=none)

	# New data on a sector that keeps its old tag.
	sg_dd if=/dev/zero of="$disk" bs=512 count=1 seek=1034 blk_sgio=1 verbose=0 2> /dev/null
	dd if="$dev" of=/dev/null bs=512 skip=10 count=1 iflag=direct status=none || echo "status $?"
	dd if="$dev" of=/dev/null bs=4096 count=4 iflag=direct status=none || echo "status $?"
	dd if=/tmp/random of="$dev" bs=512 skip=10 seek=10 count=1 oflag=direct status=none
	dd if="$dev" bs=512 skip=10 count=1 iflag=direct status=none | cmp - <(dd if=/tmp/random bs=512 skip=10 count=1 status=none)
	if [ "$1" = imgrement ]; then
		drain
		counter errors > /tmp/errors
	fi
	dmsetup remove --retry "$1"
}

for type in 1 2 3; do
	for kind in linear imgrement; do
		modprobe scsi_debug dif=$type dix=1 dev_size_mb=16 sector_size=512
		disk=/dev/$(basename /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*:*/block/*)
		dmesg -C
		tried $kind > /tmp/$kind 2>&1 || { cat /tmp/$kind; fail "$kind, type $type"; }
		sed -i "s/$kind/KIND/" /tmp/$kind
		rmmod scsi_debug
	done
	expect_text "type $type, as dm-linear" "$(cat /tmp/linear)" "$(cat /tmp/imgrement)"
	for line in "/sys/block/dm-0/integrity/format:T10-DIF-TYPE$((type == 3 ? 3 : 1))-CRC" 'status 1' \
		"dd: error reading '/dev/mapper/KIND': Invalid or incomplete multibyte or wide character"; do
		grep -qxF "$line" /tmp/linear || fail "type $type: dm-linear does not say '$line' but: $(cat /tmp/linear)"
	done
	# 84 is EILSEQ: the request of one sector, and that of the block that contains it.
	expect_text "type $type: errors" $'R, error 84, at (1034, 1034)\nR, error 84, at (1032, 1039)' "$(lines | grep error)"
	expect "type $type: errors counted" 2 "$(cat /tmp/errors)"
done

# pair FIRST SECOND: a target over both, which passes integrity on.
pair() { dmsetup create pair --table "0 2048 test_pair $1 0 $2 2048"; }
modprobe dm_test_pair
null_disk nullb0
modprobe scsi_debug dif=1 dix=1 dev_size_mb=16 sector_size=512
disk=/dev/$(basename /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*:*/block/*)
# dm-integrity has its own tags: here as large as the disk's, and smaller.
for size in 8 4; do
	null_disk "nullb$size" memory_backed=1
	dmsetup create "tags$size" --table "0 8192 integrity /dev/nullb$size 0 $size D 0"
	expect "bytes of tags$size" $size \
		"$(cat "/sys/block/dm-$(dmsetup info -c --noheadings -o minor "tags$size")/integrity/tag_size")"
done
differ='has another integrity profile than %s; all devices of this target share one'
number() { echo "$((0x$(stat -Lc %t "$1"))):$((0x$(stat -Lc %T "$1")))"; }
for devices in "$disk /dev/nullb0" "/dev/nullb0 $disk" "$disk /dev/mapper/tags8" \
	'/dev/mapper/tags8 /dev/mapper/tags4' "/dev/mapper/tags4 $disk"; do
	read -r first second <<< "$devices"
	dmesg -C
	expect_fail pair "$first" "$second"
	# shellcheck disable=SC2059 # the sentence is one
	expect_match "$devices" ": '$(number "$second")': $(printf "$differ" "$(number "$first")")"$'\n' "$(dmesg -t)"
done
pair /dev/nullb0 /dev/nullb0
remove_target pair
# Tags arrive on both halves.
pair "$disk" "$disk"
dd if=/tmp/random of=/dev/mapper/pair bs=64k oflag=direct status=none
cmp -n 524288 /tmp/random <(dd if="$disk" bs=64k count=8 iflag=direct status=none)
cmp -n 524288 <(tail -c +524289 /tmp/random) <(dd if="$disk" bs=64k skip=24 count=8 iflag=direct status=none)
cmp -n 1048576 /tmp/random <(dd if=/dev/mapper/pair bs=64k iflag=direct status=none)
expect 'tags of the pair' T10-DIF-TYPE1-CRC \
	"$(cat "/sys/block/dm-$(dmsetup info -c --noheadings -o minor pair)/integrity/format")"
remove_target pair
