# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A later target of a table opens the same device with more rights. Device-mapper then frees what it gave the earlier
# target. That target keeps working with the device, closes it in the end, and reads nothing that is freed.
# params: slub_debug=FZPU
# kernel: stock
# The debug kernel has no dm-era.

modprobe -a dm_era dm_rust_linear dm_imgrement
head -c 1M /dev/urandom > /tmp/random

# is_free DEVICE: nothing has claimed it.
is_free() { python3 -c 'import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_EXCL)' "$1"; }

for kind in rust_linear imgrement; do
	# The era's own data on sdb are after the range that is read.
	dd if=/dev/zero of=/dev/sdb bs=1M count=4 oflag=direct status=none
	dd if=/tmp/random of=/dev/sda bs=1M oflag=direct status=none
	dmesg -C
	# A read-only table, in which era opens its metadata for writing.
	era='2048 2048 era /dev/sdb /dev/sda'
	dmsetup create --readonly upgraded --table "0 2048 $kind 8:16 4096
$era 8"
	expect_match "$kind: table" "^0 2048 $kind 8:16 4096" "$(dmsetup table upgraded | head -n 1)"
	dd if=/tmp/random of=/dev/sdb bs=1M seek=2 oflag=direct status=none
	cmp -n 1048576 /tmp/random /dev/mapper/upgraded || fail "$kind: read from another place"
	# The same in a reload, and in one that is refused after the device has been opened again.
	dmsetup reload --readonly upgraded --table "0 2048 $kind 8:16 4096
$era 8"
	dmsetup resume upgraded
	cmp -n 1048576 /tmp/random /dev/mapper/upgraded || fail "$kind, reloaded: read from another place"
	expect_fail dmsetup reload --readonly upgraded --table "0 2048 $kind 8:16 4096
$era 7"
	expect_fail is_free /dev/sdb
	remove_target upgraded
	is_free /dev/sdb || fail "$kind: the device is not free afterwards"
	expect_text "$kind: said by device-mapper" 'device-mapper: table: 253:0: era: Invalid block size (-EINVAL)
device-mapper: ioctl: error adding target to table' "$(dmesg -t | grep ^device-mapper || true)"
done
