# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Below and above other targets and drivers. With dm-linear in its place, the same stack has the same limits and passes
# on the same requests as with imgrement, which counts all of them.
# disk: 64M
# timeout: 180 1200

cd /tmp
modprobe -a loop nbd dm-crypt dm-thin-pool

# Each of these makes a disk on top of /dev/mapper/below and leaves its name in $disk, or removes it again.
crypt_up() {
	dmsetup create middle --table "0 65536 crypt aes-xts-plain64 $(printf '07%.0s' {1..64}) 0 \
/dev/mapper/below 0 1 allow_discards"
	disk=/dev/mapper/middle
}
crypt_down() { dmsetup remove --retry middle; }

loop_up() { disk=$(losetup --find --show --direct-io=on /dev/mapper/below); }
loop_down() { losetup -d "$disk"; }

# A file on a file system on it.
file_up() {
	mkfs.ext4 -q -E lazy_itable_init=0 /dev/mapper/below
	mount /dev/mapper/below /mnt
	truncate -s 24M /mnt/file
	disk=$(losetup --find --show /mnt/file)
}
file_down() {
	losetup -d "$disk"
	umount /mnt
	fsck.ext4 -fn /dev/mapper/below > output 2>&1 || fail "$(cat output)"
}

nbd_up() {
	python3 /imgrement/tests/lib/nbd.py /dev/nbd0 /dev/mapper/below &
	server=$!
	until [ "$(< /sys/block/nbd0/size)" != 0 ]; do
		kill -0 "$server"
		sleep 0.1
	done
	disk=/dev/nbd0
}
nbd_down() {
	kill "$server"
	wait "$server"
}

nested_up() {
	dmsetup create middle --table "0 65536 $kind /dev/mapper/below 0 $arguments"
	disk=/dev/mapper/middle
}
nested_down() { dmsetup remove --retry middle; }

# Two targets in one table, with the halves swapped.
halves_up() {
	dmsetup create middle --table "0 32768 $kind /dev/mapper/below 32768 $arguments
32768 32768 $kind /dev/mapper/below 0 $arguments"
	disk=/dev/mapper/middle
}
halves_down() { dmsetup remove --retry middle; }

thin_up() {
	dmsetup create meta --table '0 8192 linear /dev/sda 65536'
	dd if=/dev/zero of=/dev/mapper/meta bs=4k count=1 oflag=direct status=none
	dmsetup create below-meta --table "0 8192 $kind /dev/mapper/meta 0 $arguments"
	dmsetup create pool --table '0 65536 thin-pool /dev/mapper/below-meta /dev/mapper/below 128 0'
	dmsetup message pool 0 create_thin 0
	dmsetup create middle --table '0 65536 thin /dev/mapper/pool 0'
	disk=/dev/mapper/middle
}
thin_down() {
	dmsetup remove --retry middle
	dmsetup remove --retry pool
	dmsetup remove --retry below-meta
	thin_check /dev/mapper/meta > output 2>&1 || fail "$(cat output)"
	dmsetup remove --retry meta
}

# limits DISK: everything that sysfs shows of it.
limits() {
	(cd "/sys/dev/block/$(stat -c %Hr:%Lr "$1")" && grep -s '' queue/* alignment_offset discard_alignment ro size)
}

# stack NAME: what happens in it, with $kind below and above.
stack() {
	count_from below mapper/disk
	"$1_up"
	dmsetup create above --table "0 $(sectors "$disk") $kind $disk 0 $arguments"
	count_from above "${disk#/dev/}"
	python3 /imgrement/tests/lib/exercise.py /dev/mapper/above $((8 << 20))
	limits /dev/mapper/above
	[ "$kind" = linear ] || expect_counted above "${disk#/dev/}"
	dmsetup remove --retry above
	"$1_down"
	if [ "$kind" = imgrement ]; then
		expect_counted below mapper/disk
		dmsetup message below 0 reset
	fi
	# How much metadata a file system writes varies.
	[ "$1" = file ] || difference "$(did mapper/disk)" "${did_before[mapper/disk]}"
}

names='crypt loop file nbd nested halves thin'
for kind in linear imgrement; do
	arguments=$([ $kind = linear ] || echo '2 log_rate 20')
	dmsetup create disk --table '0 65536 linear /dev/sda 0'
	dmsetup create below --table "0 65536 $kind /dev/mapper/disk 0 $arguments"
	for name in $names; do stack "$name" > "$kind-$name"; done
	dmsetup remove --retry below
	dmsetup remove --retry disk
done
for name in $names; do
	expect_text "$name: as with dm-linear" "$(cat "linear-$name")" "$(cat "imgrement-$name")"
	echo "$name: $(tail -n 1 "linear-$name") sectors read, written, discarded"
done
