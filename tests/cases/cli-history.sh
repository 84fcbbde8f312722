# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# `imgrement history` brings back what the disk held at each mark: from a device that is in use, from its log, and from a
# copy of it without root. An undo turns the disk back, and can be undone. A file that was deleted comes back.
# disk: 8M
# disk: 96M
# disk: 96M

name=imgrement-sda
node=/dev/mapper/$name

# random_writes COUNT: of 512 bytes to 64 KiB, past the page cache.
random_writes() {
	fio --name=w --filename=$node --rw=randwrite --bsrange=512-64k --number_ios="$1" --direct=1 --randseed=$RANDOM \
		--ioengine=libaio --iodepth=4 --refill_buffers --minimal > /dev/null
}
# disk FILE: copies the disk as it is now.
disk() { dd if=/dev/sda of="$1" bs=1M iflag=direct status=none; }
# restored POINT LOG...: the state of then is in /tmp/then.
restored() {
	local point=$1
	shift
	rm -f /tmp/then
	imgrement history restore "$@" --at "$point" -o /tmp/then > /tmp/said
}

head -c 8M /dev/urandom > /dev/sda
sync
disk /tmp/begin
imgrement attach /dev/sda --log off --pattern none --history /dev/sdb > /dev/null
points=$(times 4 40)
for ((point = 1; point <= points; point++)); do
	random_writes 25
	imgrement mark $name "point $point"
	disk "/tmp/point$point"
done
# A reload begins a session, without a hole.
dmsetup load $name --table "$(dmsetup table $name)"
dmsetup resume $name
random_writes 25
disk /tmp/end

# While somebody writes: what has not changed yet is read from the disk, and may change meanwhile.
(while [ ! -e /tmp/enough ]; do random_writes 20; done) &
writer=$!
for ((point = 1; point <= points; point++)); do
	restored "point $point" $name
	cmp /tmp/then "/tmp/point$point" || fail "the state at point $point"
done
restored begin $name
cmp /tmp/then /tmp/begin || fail 'the state at the begin'
imgrement history cat $name --sector 0,64 --at 'point 2' | cmp -n 32768 - /tmp/point2 || fail 'some sectors'
touch /tmp/enough
wait $writer
disk /tmp/last

# Back and forth.
expect_fail imgrement history undo $name --to begin < /dev/null
expect_match 'without an answer' 'needs a confirmation' "$said"
imgrement history undo $name --to 'point 3' --yes > /tmp/said
disk /tmp/now
cmp /tmp/now /tmp/point3 || fail 'the disk after an undo'
undo=$(sed -n "s/^To undo this: imgrement history undo $name --to '\(.*\)'$/\1/p" /tmp/said)
[ -n "$undo" ] || fail "undo says: $(< /tmp/said)"
imgrement history undo $name --to "$undo" --yes > /dev/null
disk /tmp/now
cmp /tmp/now /tmp/last || fail 'the disk after an undo of the undo'
# What has not changed is not written.
writes=$(counter sectors_written $name)
imgrement history undo $name --to end --yes > /dev/null
expect 'sectors written for nothing' 0 $(($(counter sectors_written $name) - writes))

# The log alone, after the end: what has not changed since is on the disk.
imgrement detach $name
restored 'point 1' /dev/sdb --disk /dev/sda
cmp /tmp/then /tmp/point1 || fail 'the state at point 1, from the log device'
# A copy, by somebody who may read it, without the module.
rmmod dm-imgrement
dd if=/dev/sdb of=/tmp/log bs=1M iflag=direct conv=sparse status=none
chmod 644 /tmp/log /tmp/end
chmod 777 /tmp
rm -f /tmp/then
setpriv --reuid=65534 --regid=65534 --clear-groups \
	imgrement history restore /tmp/log --at 'point 4' --disk /tmp/last -o /tmp/then > /dev/null
cmp /tmp/then /tmp/point4 || fail 'the state at point 4, from a copy'
# To a device.
imgrement history restore /tmp/log --at 'point 2' --disk /tmp/last -o /dev/sdc --yes > /dev/null
dd if=/dev/sdc bs=1M count=8 iflag=direct status=none | cmp - /tmp/point2 || fail 'the state on a device'
imgrement history info /tmp/log > /tmp/info
expect 'marks' "$points" "$(grep -c '^point%20' /tmp/info)"
expect_match 'sessions' $'\n2 \(no hole before\) ' "$(< /tmp/info)"
rm /tmp/log /tmp/point* /tmp/then

# A document, deleted and written over.
dd if=/dev/zero of=/dev/sdb bs=1M count=1 conv=fsync status=none
mkfs.ext4 -q /dev/sda
mkfs.ext4 -q /dev/sdc
mkdir /tmp/disk /tmp/other
mount /dev/sdc /tmp/other
# The log is in a file this time.
expect 'attach' $node "$(imgrement attach /dev/sda --history /tmp/other/sda.log --history-size 64M)"
expect 'the mode of the file' 600 "$(stat -c %a /tmp/other/sda.log)"
mount $node /tmp/disk
head -c 1M /dev/urandom > /tmp/document
cp /tmp/document /tmp/disk/
sync
imgrement mark $name 'it is there'
rm /tmp/disk/document
sync
head -c 6M /dev/urandom > /tmp/disk/noise || true
expect_fail imgrement history undo $name --to 'it is there' --yes
expect_match 'mounted' "cannot undo $name: dm-[0-9]+ is mounted at /tmp/disk" "$said"
umount /tmp/disk
imgrement history undo $name --to 'it is there' --yes > /dev/null
mount $node /tmp/disk
cmp /tmp/disk/document /tmp/document || fail 'the document is not back'
umount /tmp/disk
# Its log is that of log-writes, too: the last entry is the mark of the end.
imgrement history export $name --format log-writes -o /tmp/writes > /dev/null
expect_match 'the last mark' 'dm-log-writes-end' "$(tail -c 512 /tmp/writes | tr -d '\0')"
expect 'detach' 'The history is in /tmp/other/sda.log' "$(imgrement detach $name)"
[ -z "$(losetup -a)" ] || fail "a loop device is left: $(losetup -a)"
expect_fail imgrement attach /dev/sda --history /tmp/other/sda.log --history-size 32M
expect_match 'another size' 'the file exists, and has 67108864 bytes' "$said"
# It goes on in the next session.
imgrement attach /dev/sda --history /tmp/other/sda.log > /dev/null
imgrement detach $name > /dev/null
imgrement history info /tmp/other/sda.log > /tmp/info
expect 'sessions' 2 "$(grep -c '^[12] .* suspended$' /tmp/info)"
# Between the sessions, anything may have happened.
expect_fail imgrement history restore /tmp/other/sda.log --at 'it is there' --disk /dev/sda -o /tmp/then
expect_match 'a hole' 'did not change in this part of the log, which has a hole after it' "$said"
restored 'it is there' /tmp/other/sda.log --disk /dev/sda --assume-unchanged
losetup --find --show --read-only /tmp/then > /tmp/loop
mount -o ro,noload "$(< /tmp/loop)" /tmp/disk
cmp /tmp/disk/document /tmp/document || fail 'the document is not in the image'
umount /tmp/disk
losetup -d "$(< /tmp/loop)"
