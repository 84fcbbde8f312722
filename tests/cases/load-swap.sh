# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Under a load that checks what it wrote, the device becomes dm-linear, error and imgrement again. It gets other
# arguments, another size, and tables that are refused half-way or at resume. Nothing is lost, and every table counts
# what it saw.
# disk: 64M
# timeout: 180 3600
# dmesg: device-mapper: table: 253:[0-9]*: dm-imgrement: sda too small

cd /tmp
# The load uses `top`, so it can wait while there is an error below.
dmsetup create lower --table '0 131072 linear /dev/sda 0'
make_target imgrement /dev/mapper/lower label live log off
dmsetup create top --table '0 65536 linear /dev/mapper/imgrement 0'
count_from imgrement sda
load() {
	local passes=0
	until [ -e stop ]; do
		fio --thread --name=load --filename=/dev/mapper/top --size=4M --rw=randwrite --bsrange=4k-16k --direct=1 \
			--ioengine=libaio --iodepth=8 --fsync=64 --verify=crc32c --verify_fatal=1 --do_verify=1 \
			--loops=2 > output 2>&1 ||
			{ cat output >&2; return 1; }
		passes=$((passes + 2))
	done
	echo $passes > passes
}
load &
load=$!

earlier='0 0 0'
# change SUSPEND TABLE: replace the table in use by TABLE, and keep its counts.
change() {
	dmsetup load imgrement --table "$2"
	# shellcheck disable=SC2086 # words
	dmsetup suspend $1 imgrement
	case $(dmsetup status imgrement) in
	*imgrement*) earlier=$(sum "$earlier" "$(sectors_counted imgrement)") ;;
	*linear*) earlier=$(sum "$earlier" "$(difference "$(did sda)" "$linear")") ;;
	esac
	# Only the disk knows what dm-linear does.
	linear=$(did sda)
	dmsetup resume imgrement
}

resize_lower() {
	dmsetup load lower --table "0 $1 linear /dev/sda 0"
	dmsetup suspend lower
	dmsetup resume lower
}

ways=('' --noflush --nolockfs)
rounds=$(times 2 100)
for ((round = 0; round < rounds; round++)); do
	how=${ways[round % 3]}
	change "$how" '0 131072 linear /dev/mapper/lower 0'
	change "$how" '0 131072 imgrement /dev/mapper/lower 0 4 records 16 log_rate 5'
	change "$how" '0 131072 imgrement /dev/mapper/lower 0 6 data off pattern none log off'
	# Smaller, and back to the full size.
	change "$how" '0 98304 imgrement /dev/mapper/lower 0'
	expect 'a smaller size' 98304 "$(sectors /dev/mapper/imgrement)"
	change "$how" '0 131072 imgrement /dev/mapper/lower 0 2 log off'
	expect 'the size' 131072 "$(sectors /dev/mapper/imgrement)"

	# The users above wait, and notice nothing.
	dmsetup suspend --noflush top
	change "$how" '0 131072 error'
	expect_fail dd if=/dev/mapper/imgrement of=/dev/null bs=4k count=1 iflag=direct
	expect_match 'a read from error' 'Input/output error' "$said"
	change "$how" '0 131072 imgrement /dev/mapper/lower 0 2 log off'
	dmsetup resume top

	# Refused in its second line, when the first has already opened its disk and made its pool.
	table=$(dmsetup table imgrement)
	expect_fail dmsetup load imgrement --table '0 65536 imgrement /dev/mapper/lower 0
65536 65536 imgrement /dev/mapper/lower 65536 2 records many'
	# Refused at resume, because its disk has shrunk meanwhile. The old table can be resumed.
	dmsetup load imgrement --table '0 131072 imgrement /dev/mapper/lower 0 2 label refused'
	resize_lower 98304
	expect_fail dmsetup resume imgrement
	dmsetup resume imgrement
	resize_lower 131072
	expect 'the table after one that was refused' "$table" "$(dmsetup table imgrement)"
done
touch stop
wait $load
echo "passes $(cat passes), $rounds rounds"
expect_counted imgrement sda "$earlier"
