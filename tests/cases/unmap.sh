# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Discards and zeroes, which may or may not unmap, are split as through dm-linear, and leave the same blocks of the disk
# mapped.

# A disk that maps blocks of 4 KiB, unmaps 512 KiB per command, and shows which sectors are mapped.
modprobe scsi_debug dev_size_mb=4 delay=0 lbpu=1 lbpws=1 lbprz=1 unmap_granularity=8 unmap_max_blocks=1024
map=/sys/bus/pseudo/drivers/scsi_debug/map
head -c 4M /dev/zero | tr '\0' U > /tmp/full
dmsetup create linear --table '0 4096 linear /dev/sdc 1024'
dmsetup create imgrement --table '0 4096 imgrement /dev/sdc 1024'

# try KIND COMMAND...: what reaches the disk when COMMAND runs on DEV, which blocks are mapped afterwards, and how many
# bytes are unchanged.
try() {
	local command=("${@:2}")
	dd if=/tmp/full of=/dev/sdc bs=1M oflag=direct status=none
	reached sdc "${command[@]//DEV//dev/mapper/$1}" 2> /tmp/said
	cat $map
	dd if=/dev/sdc bs=1M iflag=direct status=none > /tmp/left
	tr -dc U < /tmp/left | wc -c
}

# op COUNTS WANTED COMMAND...: what our device counts, and the effect through both devices.
op() {
	expect_text "${*:3}, dm-linear" "$2" "$(try linear "${@:3}")"
	mv /tmp/left /tmp/wanted
	dmsetup message imgrement 0 reset
	expect_text "${*:3}" "$2" "$(try imgrement "${@:3}")"
	cmp /tmp/wanted /tmp/left
	expect "${*:3}: counts" "$1" "$(counts)"
}

# From sector 1029: the head goes by itself, and only the 15 whole blocks are unmapped.
op 'discard 2 sectors_discarded 128' "D 1029 + 3
DS 1032 + 125
0-128,144-1023
$(((1024 - 15) * 4096))" blkdiscard -f -o 2560 -l 64k DEV

# Four times as much as the disk accepts at once.
op 'discard 4 sectors_discarded 4096' "$(for i in {1..4}; do echo "DS $((i * 1024)) + 1024"; done)
0-127,640-1023
$(((1024 - 512) * 4096))" blkdiscard -f DEV

# Zeroes that must not unmap, and zeroes that may.
op 'write_zeroes 1 sectors_zeroed 128' "WZS 1280 + 128
0-1023
$(((1024 - 16) * 4096))" blkdiscard -f -z -o 128k -l 64k DEV
op 'flush 1 write_zeroes 1 sectors_zeroed 128' "WZS 1536 + 128
FWS
0-191,208-1023
$(((1024 - 16) * 4096))" fallocate -p -o 256k -l 64k DEV
