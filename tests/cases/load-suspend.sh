# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The target is suspended and resumed many times, in all four ways, under loads that check what they wrote. Meanwhile
# four processes query and change it, and a CPU goes off and on. Nothing is lost, and everything is counted once.
# disk: 64M
# disk: 64M
# timeout: 180 3600

cd /tmp
dmesg -C
dmesg --follow --notime > log &
follow=$!
make_target raw /dev/sda label raw log_rate 20
make_target files /dev/sdb label files log_rate 20
count_from raw sda
count_from files sdb
mkfs.ext4 -q /dev/mapper/files
mount /dev/mapper/files /mnt

# load NAME FILE: write and read again, until /tmp/stop exists. Leaves the number of rounds.
load() {
	local passes=0
	until [ -e stop ]; do
		fio --thread --name="$1" --filename="$2" --size=4M --rw=randwrite --bsrange=4k-16k --direct=1 \
			--ioengine=libaio --iodepth=8 --fsync=64 --verify=crc32c --verify_fatal=1 --do_verify=1 --loops=2 > "fio-$1" 2>&1 ||
			{ cat "fio-$1" >&2; return 1; }
		passes=$((passes + 2))
	done
	echo $passes > "passes-$1"
}

# discard: discard the rest of the disk.
discard() {
	local times=0
	until [ -e stop ]; do
		blkdiscard -f -o 16M -l 4M -p 64k /dev/mapper/raw 2> /dev/null
		times=$((times + 1))
		sleep 0.2
	done
	echo $times > discards
}

hotplug() {
	local times=0
	until [ -e stop ]; do
		echo 0 > /sys/devices/system/cpu/cpu1/online
		echo 1 > /sys/devices/system/cpu/cpu1/online
		times=$((times + 1))
		sleep 0.5
	done
	echo $times > hotplugs
}

load raw /dev/mapper/raw &
pids=($!)
load files /mnt/file &
pids+=($!)
discard &
pids+=($!)
hotplug &
pids+=($!)
for who in a b c d; do
	python3 /imgrement/tests/lib/talk.py raw $who > rounds-$who &
	pids+=($!)
done
python3 /imgrement/tests/lib/suspend.py "$(times 16 1000)" raw files
touch stop
for pid in "${pids[@]}"; do wait "$pid"; done
umount /mnt
echo "passes $(cat passes-raw) and $(cat passes-files), $(cat discards) discards, $(cat hotplugs) times another" \
	"processor, rounds $(cat rounds-? | xargs)"
[ "$(cat hotplugs)" -ge 3 ] || fail 'the processor did not come and go'

# All sectors are counted once.
expect 'sectors read, written and discarded by what was done' \
	"$(($(cat passes-raw) * 8192)) $(($(cat passes-raw) * 8192)) $(($(cat discards) * 8192))" "$(sectors_counted raw)"
expect_counted raw sda
expect_counted files sdb

# Each request is in the log, or counted as left out or lost. All lines are complete, and each mark is there, in
# order.
for name in raw files; do dmsetup message $name 0 mark end; done
until grep -q 'files: mark: end' log; do sleep 0.1; done
kill $follow
sed -n 's/^imgrement: //p' log > lines
for name in raw files; do
	read -r whole _ left_out _ _ unrecorded _ < <(python3 /imgrement/tests/lib/log.py $name < lines | tr -d ,)
	expect "requests of $name" "$(requests_counted $name)" $((whole + left_out + unrecorded))
	expect "left_out of $name" "$(counter left_out $name)" "$left_out"
	expect "record_lost of $name" "$(counter record_lost $name)" "$unrecorded"
	expect "errors of $name" 0 "$(counter errors $name)"
done
for who in a b c d; do
	[ "$(cat rounds-$who)" -ge 5 ] || fail "$who had only $(cat rounds-$who) rounds"
	expect "marks of $who" "$(seq "$(cat rounds-$who)" | xargs)" "$(sed -n "s/^raw: mark: $who-//p" lines | xargs)"
done
