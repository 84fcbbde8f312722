# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A table that is never resumed, or is refused half-way, prints nothing, leaves nothing behind, and does not affect the
# one in use.

used() { awk '$1 == "VmallocUsed:" { print $2 }' /proc/meminfo; }
table() { dmsetup table imgrement | tr -s ' '; }
tables() { dmsetup info imgrement | sed -n 's/^Tables present: *//p'; }

# Loaded, never resumed: there is no line, and its pool of 8 MiB is freed, however it ends.
dmesg -C
dmsetup create imgrement --notable
before=$(used)
load() { dmsetup load imgrement --table "0 8192 imgrement /dev/sdb 0 4 records 2048 label $1"; }
load one
[ $(($(used) - before)) -ge 8192 ] || fail "a pool of 8 MiB took $(($(used) - before)) KiB"
expect 'tables' INACTIVE "$(tables)"
load two
expect 'the inactive table' "0 8192 imgrement 8:16 0 $(table_words 'pattern DAMN' label two)" \
	"$(dmsetup table --inactive imgrement)"
dmsetup clear imgrement
expect 'tables' None "$(tables)"
load three
dmsetup remove imgrement
dmsetup create imgrement --notable
for _ in {1..5}; do load four && dmsetup clear imgrement; done
dmsetup remove imgrement
now=$(used)
[ $((now - before)) -lt 8192 ] || fail "$((now - before)) KiB of memory are lost"
expect 'our lines' '' "$(lines)"
expect 'uses of the module' 0 "$(cat /sys/module/dm_imgrement/refcnt)"
# The disk is free.
python3 -c 'import os; os.open("/dev/sdb", os.O_RDWR | os.O_EXCL)'

# When a new table is refused, the old one continues unchanged.
make_target imgrement /dev/sdb label old records 2048
write_at /dev/mapper/imgrement 1 DAMN
table=$(table)
counts=$(counts)
before=$(used)
for _ in {1..5}; do
	expect_fail dmsetup load imgrement --table '0 4096 imgrement /dev/sdb 0 4 records 2048 label new
4096 2048 imgrement /dev/sdb 4096 4 records 2048 label new
6144 2048 imgrement /dev/sdb 6144 4 records 2048 label'
	expect 'refused' "device-mapper: reload ioctl on imgrement  failed: Invalid argument
Command failed." "$said"
done
now=$(used)
[ $((now - before)) -lt 8192 ] || fail "$((now - before)) KiB of memory are lost by refused tables"
expect 'tables' LIVE "$(tables)"
expect 'table' "$table" "$(table)"
expect 'counts' "$counts" "$(counts)"
dmsetup resume imgrement
expect_text 'still the old table' 'old: Found DAMN from page 1 times
old: W, bytes to transfer: 512, delta count: 1
old: bv #0: len 512, offset 0, at (2, 2)
old: Found DAMN from deltas 1 times' "$(traced write_at /dev/mapper/imgrement 2 DAMN | grep -v ': mark: ')"
