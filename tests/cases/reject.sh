# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A target of the abstraction can fail a bio, return it in `map` or in `end_io`, and refuse a resume. A bio that is
# returned during a suspend without flush goes to the next table. During any other suspend it fails.
# timeout: 60

modprobe dm_test_reject
# Its status counts for all instances.
dmsetup create idle --table '0 8 test_reject /dev/sdb 0 kill'
# seen: what the module has seen since `begin`, as `mapped N ended N dropped N`.
totals() { dmsetup status idle | cut -d ' ' -f 4-; }
begin() { before=$(totals); }
seen() {
	paste -d ' ' <(xargs -n 2 <<< "$before") <(xargs -n 2 <<< "$(totals)") |
		awk '$1 != "suspends" { printf "%s%s %d", space, $1, $4 - $2; space = " " }'
}
# after_presuspend: wait until one more suspend has begun.
after_presuspend() {
	until [ "$(totals | cut -d ' ' -f 2)" -gt "$(cut -d ' ' -f 2 <<< "$before")" ]; do sleep 0.05; done
}
# block DEVICE SECTOR: the first bytes of a block.
block() { dd if="$1" bs=4k skip=$(($2 * 512)) count=1 iflag=skip_bytes,direct status=none | head -c 7; }
# put DEVICE TEXT: write one block that begins with TEXT.
put() { printf '%-4096s' "$2" | dd of="$1" oflag=direct iflag=fullblock bs=4k count=1 conv=notrunc status=none; }

# A killed bio fails immediately. `end_io` is not called for it, and its data is dropped.
dmsetup create reject --table '0 64 test_reject /dev/sdb 0 kill'
begin
expect_fail put /dev/mapper/reject killed
expect_match 'a killed write' 'Input/output error' "$said"
expect_fail dd if=/dev/mapper/reject of=/dev/null iflag=direct bs=4k count=1
expect 'killed' 'mapped 2 ended 0 dropped 2' "$(seen)"
dmsetup remove reject

# Returned in `map`, in a suspend without flush: the next table writes it elsewhere.
put /dev/sdb nothing
dmsetup create reject --table '0 64 test_reject /dev/sdb 0 requeue'
begin
dmsetup suspend --noflush reject &
suspending=$!
after_presuspend
put /dev/mapper/reject from-map &
putting=$!
wait $suspending
# Until the suspend blocks I/O, device-mapper keeps mapping the bio again.
read -r _ mapped _ ended _ dropped <<< "$(seen)"
expect 'given back' "0 $mapped" "$ended $dropped"
kill -0 $putting || fail 'the write did not wait'
dmsetup load reject --table '0 64 linear /dev/sdb 1024'
dmsetup resume reject
wait $putting
expect 'where it went' 'nothing from-ma' "$(block /dev/sdb 0) $(block /dev/sdb 1024)"
dmsetup remove reject

# The same in a suspend with flush: it fails.
dmsetup create reject --table '0 64 test_reject /dev/sdb 0 requeue'
begin
dmsetup suspend --nolockfs reject &
suspending=$!
after_presuspend
expect_fail put /dev/mapper/reject failed
wait $suspending
expect 'given back with flush' 'mapped 1 ended 0 dropped 1' "$(seen)"
dmsetup remove reject

# Returned in `end_io`: the device below completes it only when the suspend has begun.
dmsetup create below --table '0 64 linear /dev/sdb 0'
dmsetup create reject --table '0 64 test_reject /dev/mapper/below 0 requeue-at-end'
dmsetup suspend below
begin
put /dev/mapper/reject from-end &
putting=$!
until [ "$(seen | cut -d ' ' -f 2)" = 1 ]; do sleep 0.05; done
dmsetup suspend --noflush reject &
suspending=$!
after_presuspend
dmsetup resume below
wait $suspending
read -r _ mapped _ ended _ dropped <<< "$(seen)"
expect 'given back at its end' "$mapped $mapped" "$ended $dropped"
kill -0 $putting || fail 'the write did not wait'
dmsetup load reject --table '0 64 linear /dev/sdb 2048'
dmsetup resume reject
wait $putting
expect 'where it went' 'from-en from-en' "$(block /dev/sdb 0) $(block /dev/sdb 2048)"

# A resume that the target refuses leaves the device suspended, and another table can be resumed.
dmsetup load reject --table '0 64 test_reject /dev/sdb 0 resume'
expect_fail dmsetup resume reject
expect_match 'a refused resume' 'Device or resource busy' "$said"
expect 'state' 'Suspended' "$(dmsetup info -c --noheadings -o suspended reject)"
dmsetup load reject --table '0 64 linear /dev/sdb 2048'
dmsetup resume reject
expect 'after another resume' 'from-en' "$(block /dev/mapper/reject 0)"
for name in reject below idle; do remove_target $name; done
