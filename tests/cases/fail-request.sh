# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# If one in a hundred requests to the disk fails, each failure reaches the program as through dm-linear and is
# counted, and no other request fails.
# kernel: debug
# disk: 64M
# disk: 64M

failures=$(times 20 400)
requests=$((failures * 400))
echo 1 > /sys/block/sdb/make-it-fail

# errors NAME: random requests; prints how many of them fio saw fail, and with which errno.
errors() {
	# The failures are used up long before the end.
	inject fail_make_request probability=1 times="$failures"
	fio --name=load --filename=/dev/mapper/"$1" --rw=randrw --bs=4k --direct=1 --ioengine=libaio \
		--iodepth=8 --size=64M --norandommap --io_size=$((requests * 4))k --continue_on_error=io \
		--output-format=json --output=/tmp/fio.json || true
	inject fail_make_request probability=0
	expect "$1: injected" 0 "$(cat /sys/kernel/debug/fail_make_request/times)"
	python3 -c '
import errno, json
[job] = json.load(open("/tmp/fio.json"))["jobs"]
print(job["total_err"], errno.errorcode[job["error"]])'
}

dmsetup create plain --table '0 131072 linear /dev/sdb 0'
linear=$(errors plain)
dmsetup remove --retry plain
make_target imgrement /dev/sdb log off
expect 'errors that fio saw, with dm-linear and with imgrement' "$linear" "$(errors imgrement)"
expect 'errors that fio saw' "$failures EIO" "$linear"
expect 'errors that were counted' "$failures" "$(counter errors)"
expect 'requests' "$requests" $(($(counter read) + $(counter write)))
