# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Polled I/O is polled at the lower device, and buffers that are registered with io_uring work, as through dm-linear.
# Each block is verified, and read once more from the disk itself. On the debug kernel, a memory-backed, polled null_blk
# itself is reported for sleeping in atomic context.
# kernel: stock
# timeout: 120 900

# Polled queues get no interrupts, and any other request takes a second.
null_disk nullb0 size=32 memory_backed=1 submit_queues=2 poll_queues=2 irqmode=2 completion_nsec=1000000000
requests=$(times 256 2048)
dmsetup create linear --table '0 32768 linear /dev/nullb0 0'
dmsetup create imgrement --table '0 32768 imgrement /dev/nullb0 32768 4 log_rate 0 log_lines 0'
expect 'polled' '1 1 1' "$(cat /sys/block/{nullb0,dm-0,dm-1}/queue/io_poll | xargs)"

# load KIND ENGINE...: write to random places, and verify.
load() {
	fio --name=load --filename="/dev/mapper/$1" --rw=randwrite --bs=4k --direct=1 --randseed=7 \
		--size=$((requests * 4096)) --verify=crc32c --verify_fatal=1 --do_verify=1 \
		--output-format=json "${@:2}" > /tmp/fio || fail "$*: $(cat /tmp/fio)"
	python3 - <<-'END'
		import json
		job = json.load(open("/tmp/fio"))["jobs"][0]
		print(*(job[way]["total_ios"] for way in ("read", "write")), job["error"])
	END
}

# part DEVICE MIB: what was written, from there on.
part() { dd if="$1" bs=1M skip="$2" count=$((requests / 256)) iflag=direct status=none; }

# both ENGINE...: the same through both, in a fifth of the time that it would take without polling.
both() {
	local kind
	for kind in linear imgrement; do
		dmsetup message imgrement 0 reset
		SECONDS=0
		expect "$kind $*" "$requests $requests 0" "$(load $kind "$@")"
		[ $SECONDS -lt $((requests / 5)) ] || fail "$kind $*: it took $SECONDS s, so it was not polled"
	done
	expect "$*" "$requests $requests $((2 * requests))" "$(counter read) $(counter write) $(counter segments)"
	cmp <(part /dev/mapper/imgrement 0) <(part /dev/nullb0 16)
}
both --ioengine=io_uring --hipri --iodepth=2
both --ioengine=io_uring --hipri --fixedbufs --registerfiles --iodepth=2
# Reads that are searched are polled, too, although a task completes them.
dmsetup message imgrement 0 ops read,write
both --ioengine=io_uring --hipri --iodepth=2
dmsetup remove imgrement

# A polled write that a target keeps is no longer polled, and ends.
modprobe dm_test_defer
null_disk nullb1 size=32 memory_backed=1 submit_queues=2 poll_queues=2
requests=256
dmsetup create defer --table '0 8192 test_defer /dev/nullb1 0 /dev/sdb'
expect 'polled' 1 "$(cat "/sys/block/dm-$(dmsetup info -c --noheadings -o minor defer)/queue/io_poll")"
expect 'kept' "$requests $requests 0" "$(load defer --ioengine=io_uring --hipri --iodepth=2)"
cmp <(part /dev/mapper/defer 0) <(part /dev/sdb 0)
