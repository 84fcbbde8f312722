# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# An error of the lower device is passed up as through dm-linear. The errno for each status is the same, and so are the
# bytes before it, and the operations that are switched off for good. Each failed request is counted.
# dmesg: Buffer I/O error|I/O error, dev

# try KIND DISK: run the steps on that disk (DISK in them). Prints their results, and what the disk can do afterwards.
try() {
	local disk=${2##*/} queue
	dmsetup create "$1" --table "0 $(sectors "$2") $1 $2 0"
	queue=/sys/block/dm-$(dmsetup info -c --noheadings -o minor "$1")/queue
	sed "s/DISK/$disk/" /tmp/steps | python3 lib/errors.py "/dev/mapper/$1" | sed "s/$disk/DISK/"
	(cd "$queue" && grep '' discard_max_bytes write_zeroes_max_bytes)
	[ "$1" = linear ] || counter errors > /tmp/errors
	remove_target "$1"
}

# same WHAT ERRORS DISK [OUR_DISK] < STEPS: the same as through dm-linear, with ERRORS failed requests.
same() {
	cat > /tmp/steps
	try linear "$3" > /tmp/wanted
	cat /tmp/wanted
	expect_text "$1" "$(cat /tmp/wanted)" "$(try imgrement "${4:-$3}")"
	expect "$1: errors counted" "$2" "$(cat /tmp/errors)"
}

# A range of a disk that always fails.
dmsetup create broken --table '0 64 linear /dev/sdb 0
64 64 error
128 4096 linear /dev/sdb 128'
same 'dm-error' 8 /dev/mapper/broken <<'END_OF_STEPS'
read 56 8
read 64 8
read 56 16
write 56 16
write 120 16
fua 120 8
discard 56 16
zeroes 56 16
zeroes 64 8
flush
read 128 8
END_OF_STEPS
dmsetup remove broken

# Bad sectors of a null block device: some always fail, some only once.
null_disk nullb0 size=16 memory_backed=1 discard=1 cache_size=4
bad() { echo "put /sys/kernel/config/nullb/nullb0/badblocks $1"; }
same 'bad blocks' 3 /dev/nullb0 <<END_OF_STEPS
$(bad +70-71)
read 64 4
read 64 8
write 64 8
read 71 1
$(bad -70-71)
read 64 8
END_OF_STEPS

# Everything that a SCSI disk can answer to a command: host, driver and status bytes, sense key, and its two codes. Some
# answers switch an operation off, so dm-linear has a disk of its own.
modprobe scsi_debug dev_size_mb=8 lbpu=1 lbpws=1 delay=0 num_tgts=2
errors=/sys/kernel/debug/scsi_debug
for disk in sdc sdd; do
	ln -s "$errors/$(basename "$(readlink -f /sys/block/$disk/device)")/error" /tmp/$disk
done
# answer COMMAND ANSWER STEP...: a step that gets this answer, once.
answer() {
	echo "put /tmp/DISK 2 -1 $1 $2
${*:3}
put /tmp/DISK - 2 $1"
}
# A command that never completes and is aborted after a second; a disk that is switched off.
for disk in sdc sdd; do
	echo 1 > /sys/block/$disk/device/timeout
	echo 0 > "$(echo /sys/block/$disk/device/scsi_disk/*/max_retries)"
done
same 'SCSI' 15 /dev/sdc /dev/sdd <<END_OF_STEPS
$(answer 0x28 '0 0 2 3 0x11 0' read 64 8)
$(answer 0x28 '0 0 2 4 0x44 0' read 72 8)
$(answer 0x28 '0 0 2 5 0x24 0' read 80 8)
$(answer 0x28 '0 0 2 b 0x10 1' read 88 8)
$(answer 0x2a '0 0 2 7 0x27 7' write 64 8)
$(answer 0x2a '0 0 0x18 0 0 0' write 72 8)
$(answer 0x2a '1 0 0 0 0 0' write 80 8)
$(answer 0x2a '0xf 0 0 0 0 0' write 88 8)
$(answer 0x35 '0 0 2 4 0x44 0' flush)
$(answer 0x93 '0 0 2 5 0x20 0' zeroes 96 8)
$(answer 0x42 '0 0 2 5 0x20 0' discard 104 8)
put /tmp/DISK 0 -1 0x28
read 64 8
put /tmp/DISK - 0 0x28
put /sys/block/DISK/device/state offline
read 64 8
write 64 8
flush
put /sys/block/DISK/device/state running
flush
write 64 8
read 64 8
read 96 8
END_OF_STEPS
# The errors must differ.
expect 'errors of a SCSI disk' 'EBADE EILSEQ EIO ENODATA ENOLINK ENOSPC EREMOTEIO' \
	"$(grep -oE ' E[A-Z]+$' /tmp/wanted | sort -u | xargs)"
