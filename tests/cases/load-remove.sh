# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The target is removed while in use, deferred, by force, and after its holder was killed, also during a suspend. It
# behaves as dm-linear does, and the module stays as long as there is a target.

cd /tmp
device=/dev/mapper/disk
# All data that is read back comes from the disk, immediately.
start_load() {
	fio --thread --name=load --filename=$device --size=4M --rw=randwrite --bs=4k --direct=1 --ioengine=libaio \
		--iodepth=4 --verify=crc32c --verify_fatal=1 --verify_backlog=16 --time_based --runtime=1000 > output 2>&1 &
	load=$!
	read -r _ _ _ _ writes _ < "/sys/dev/block/$(stat -c %Hr:%Lr $device)/stat"
	until read -r _ _ _ _ now _ < "/sys/dev/block/$(stat -c %Hr:%Lr $device)/stat" && [ "$now" -gt "$writes" ]; do
		sleep 0.05
	done
}
kill_load() {
	kill -9 $load
	wait $load 2> /dev/null || echo "ended with $?"
}
state() { dmsetup info disk 2>&1 | grep -E '^(State|Open count|Device)' || true; }
said() { "$@" 2>&1 || echo "status $?"; }
# unload: rmmod. The message for dm-linear's module differs, and does not matter.
unload() {
	[ "$kind" = linear ] || expect_fail rmmod dm-imgrement
	[ "$kind" = linear ] || expect 'rmmod in use' 'rmmod: ERROR: Module dm_imgrement is in use' "$said"
}

try() {
	local kind=$1 arguments
	arguments=$([ "$kind" = linear ] || echo '2 log_rate 20')
	dmsetup create disk --table "0 131072 $kind /dev/sda 0 $arguments"
	start_load
	unload
	echo '# remove, while it is in use'
	said dmsetup remove disk
	state
	echo '# deferred, and who holds it is killed'
	said dmsetup remove --deferred disk
	state
	kill -0 $load
	unload
	kill_load
	state

	echo '# killed while it waits for a device that is suspended'
	dmsetup create disk --table "0 131072 $kind /dev/sda 0 $arguments"
	count_from disk sda
	for how in '' --noflush; do
		start_load
		# shellcheck disable=SC2086 # a word or none
		dmsetup suspend $how disk
		kill -9 $load
		sleep 0.2
		kill -0 $load && echo 'still waits'
		unload
		dmsetup resume disk
		wait $load || echo "ended with $?"
		state
	done
	[ "$kind" = linear ] || expect_counted disk sda

	echo '# by force, while it is in use'
	start_load
	# The load ends with the first error, now or a little later.
	exec 5< $device
	said dmsetup remove --force disk
	exec 5<&-
	wait $load || echo "ended with $?"
	grep -o 'Input/output error' output | sort -u
	dmsetup table disk
	said dd if=$device of=/dev/null bs=4k count=1 iflag=direct status=none
	said dmsetup remove disk
	state

	echo '# by force, while it is not in use'
	dmsetup create disk --table "0 131072 $kind /dev/sda 0 $arguments"
	said dmsetup remove --force disk
	state
}
wanted=$(try linear)
modprobe dm-imgrement
echo "$wanted"
expect_text 'as dm-linear' "$wanted" "$(try imgrement)"

# Nothing is left of it: the module can be unloaded and loaded again.
expect 'uses of the module' 0 "$(cat /sys/module/dm_imgrement/refcnt)"
rmmod dm-imgrement
make_target imgrement /dev/sda
remove_target imgrement
