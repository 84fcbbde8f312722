# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Each kind of request has the same effect on the disk as through dm-linear, is counted, and has its line.
# disk: 64M
# disk: 1M

# The same range of the disk twice.
dmsetup create plain --table '0 1024 linear /dev/sdb 1024'
dmsetup create imgrement --table '0 1024 imgrement /dev/sdb 1024'
cd /tmp
printf 'U%.0s' {1..65536} > u
cat u{,,,,,,,,,,,,,,,} > full
fill() { dd if=full of=/dev/sdb bs=1M oflag=direct status=none; }

# do_op COMMAND...: run it on the device DEV. Leaves its output and status in a file.
do_op() {
	local status=0
	"${@//DEV/$dev}" > output 2>&1 || status=$?
	echo "status $status" >> output
}

# op COUNTS LINES REQUESTS COMMAND...: the expected counts, lines, and requests that reach the disk.
op() {
	local counts=$1 lines=$2 requests=$3 dev said
	shift 3
	fill
	dev=/dev/mapper/plain
	expect_text "$*, dm-linear: requests" "$requests" "$(reached /dev/sdb do_op "$@")"
	said=$(< output)
	dd if=/dev/sdb of=disk bs=1M iflag=direct status=none

	fill
	dmsetup message imgrement 0 reset
	dmesg -C
	expect_text "$*: requests" "$requests" "$(dev=/dev/mapper/imgrement reached /dev/sdb do_op "$@")"
	drain
	expect_text "$*: output and status" "${said//$dev//dev/mapper/imgrement}" "$(< output)"
	echo 3 > /proc/sys/vm/drop_caches
	cmp disk /dev/sdb || fail "$*: the disk is another than with dm-linear"
	expect_text "$*: lines" "$lines${lines:+$'\n'}mark: drained" "$(lines)"
	expect_text "$*: counts" "$counts" "$(counts)"
}

transfer='bytes to transfer: 4096, delta count: 1
bv #0: len 4096, offset 0, at (1032, 1039)'
flush='flush, bytes to transfer: 0, delta count: 0'
block() { dd bs=4096 count=1 status=none "$@"; }

op 'read 1 sectors_read 8 segments 1' "R, $transfer" 'RS 1032 + 8' \
	block if=DEV of=got skip=1 iflag=direct
expect 'what was read' "$(printf 'U%.0s' {1..4096})" "$(cat got)"

printf 'A%.0s' {1..4096} > new
op 'write 1 sectors_written 8 segments 1' "W, $transfer" 'WS 1032 + 8' \
	block if=new of=DEV seek=1 oflag=direct
expect 'what was written' "$(cat new)" "$(dd if=/dev/sdb bs=512 skip=1032 count=8 iflag=direct status=none)"

# FUA (the first F) stays on the write. The second request is the flush that a block device adds.
op 'write 1 flush 1 sectors_written 8 segments 1' "W, $transfer"$'\n'"$flush" 'WFS 1032 + 8
FWS' block if=new of=DEV seek=1 oflag=direct,dsync

op 'flush 1' "$flush" FWS sync DEV

op 'discard 1 sectors_discarded 16' 'discard, bytes to transfer: 0, delta count: 0, at (1032, 1047)' \
	'DS 1032 + 16' blkdiscard -f -o 4096 -l 8192 DEV

op 'write_zeroes 1 sectors_zeroed 16' 'write-zeroes, bytes to transfer: 0, delta count: 0, at (1032, 1047)' \
	'WZS 1032 + 16' blkdiscard -f -z -o 4096 -l 8192 DEV
expect 'zeroes' 8192 "$(dd if=/dev/sdb bs=512 skip=1032 count=16 iflag=direct status=none | tr -d U | wc -c)"

# The disk has no secure erase, so device-mapper does not offer it.
op '' '' '' blkdiscard -f -s -o 4096 -l 8192 DEV
expect_text 'secure erase' 'blkdiscard: Operation forced, data will be lost!
blkdiscard: BLKSECDISCARD: /dev/mapper/imgrement ioctl failed: Operation not supported
status 2' "$(< output)"

# A file system on another disk: the log has exactly what reaches the disk.
files() {
	mkfs.ext4 -q /dev/mapper/imgrement
	mount /dev/mapper/imgrement /mnt
	seq 10000 > /mnt/file
	sync
	seq 10000 | dd of=/mnt/other oflag=sync bs=16k status=none
	rm /mnt/file
	sync
	fstrim -v /mnt
	echo 3 > /proc/sys/vm/drop_caches
	md5sum < /mnt/other
	umount /mnt
}
remove_target imgrement
dmsetup create imgrement --table '0 8192 imgrement /dev/sda 2048 4 log_rate 0 log_lines 0'
drain
dmesg -C
reached /dev/sda files > requests
drain
lines | awk -F '[ ,()]+' '
	/^flush/ { print "F" }
	/^discard/ { print "D " $(NF - 2) " + " $(NF - 1) - $(NF - 2) + 1 }
	/^write-zeroes/ { print "WZ " $(NF - 2) " + " $(NF - 1) - $(NF - 2) + 1 }
	/^[RW],/ { op = $1; left = $NF }
	/^bv #0:/ { first = $(NF - 2) }
	/^bv/ && --left == 0 { print op " " first " + " $(NF - 1) - first + 1 }
' | sort > logged
sed -E 's/^(F|WZ|.)[A-Z]*/\1/' requests | sort > reached
for op in R W F D WZ; do
	grep -qE "^$op( |\$)" reached || fail "the file system makes no request $op"
done
expect_text 'requests of a file system' "$(cat reached)" "$(cat logged)"
expect 'degraded requests' 0 "$(counter degraded)"
read -ra words < <(dmsetup status imgrement)
counted=0
for i in {4..18..2}; do
	counted=$((counted + words[i]))
done
expect 'requests counted' "$(wc -l < reached)" $counted
