# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Several targets at once, on disks of their own and in one table, each with its own counts and lines.
# disk: 64M
# disk: 32M
# disk: 16M

disks='sda sdb sdc'
pids=()
for disk in $disks; do
	make_target "$disk" /dev/"$disk" label "of_$disk" log_rate 100
done

# Each is written to and read again, all at once, with a request size of its own.
dmesg -C
for disk in $disks; do
	case $disk in sda) sizes='8M 64k' ;; sdb) sizes='4M 16k' ;; sdc) sizes='2M 4k' ;; esac
	fio --name="$disk" --filename=/dev/mapper/"$disk" --rw=randwrite --size="${sizes% *}" --bs="${sizes#* }" --direct=1 --ioengine=libaio \
		--iodepth=8 --verify=crc32c --verify_fatal=1 --do_verify=1 --randseed=1 > /tmp/fio-"$disk" 2>&1 &
	pids[${#pids[@]}]=$!
done
for pid in "${pids[@]}"; do wait "$pid"; done
# status_of DISK SECTORS REQUESTS DELTAS: it has seen this many in writes, and the same in reads.
status_of() {
	drain "$1"
	expect "status of $1" "$3 $3 $2 $2 $(($4 * 2))" "$(for word in read write sectors_read sectors_written segments; do
		counter $word "$1"; done | xargs)"
	read -r whole _ left_out _ _ unrecorded _ < <(lines | python3 lib/log.py "of_$1" | tr -d ,)
	expect "requests of $1 in the log, left out, unrecorded" $((2 * $3)) $((whole + left_out + unrecorded))
	expect "left_out of $1" "$(counter left_out "$1")" "$left_out"
	expect "record_lost of $1" "$(counter record_lost "$1")" "$unrecorded"
	[ "$whole" -ge 100 ] || fail "only $whole requests of $1 are in the log"
}
status_of sda 16384 128 2048
status_of sdb 8192 256 1024
status_of sdc 4096 512 512
expect 'lines without a label' '' "$(lines | grep -v '^of_sd[abc]: ' || true)"
for disk in $disks; do remove_target "$disk"; done

# One table: two ranges of a disk in swapped order, and an untraced one between them.
dmsetup create imgrement --table '0 2048 imgrement /dev/sdb 4096 2 label a
2048 1024 linear /dev/sdb 2048
3072 2048 imgrement /dev/sdb 0 2 label b'
head -c 2560k /dev/urandom > /tmp/random
dmesg -C
dd if=/tmp/random of=/dev/mapper/imgrement bs=2560k oflag=direct status=none
dmsetup message imgrement 0 mark drained
dmsetup message imgrement 3072 mark drained
part() { dd if="$1" bs=512 skip="$2" count="$3" status=none; }
cmp <(part /tmp/random 0 2048) <(part /dev/sdb 4096 2048)
cmp <(part /tmp/random 2048 1024) <(part /dev/sdb 2048 1024)
cmp <(part /tmp/random 3072 2048) <(part /dev/sdb 0 2048)
cmp /tmp/random /dev/mapper/imgrement

# wanted_write LABEL SECTOR SECTORS: the lines of a write of whole pages.
wanted_write() {
	local i
	echo "$1: W, bytes to transfer: $(($3 * 512)), delta count: $(($3 / 8))"
	for ((i = 0; i < $3 / 8; i++)); do
		echo "$1: bv #$i: len 4096, offset 0, at ($(($2 + i * 8)), $(($2 + i * 8 + 7)))"
	done
}

# cross SECTOR SECTORS: one such write, from page-aligned memory.
cross() { python3 lib/write.py /dev/mapper/imgrement $(($1 * 512)) $(($2 * 512)) > /dev/null; }
# both: the lines of both targets, by label.
both() {
	dmesg -C
	"$@"
	dmsetup message imgrement 0 mark drained
	dmsetup message imgrement 3072 mark drained
	lines | sed '/: mark: drained$/d' | sort -s -k 1,1
}
expect_text 'across the first border' "$(wanted_write a 6128 16)" "$(both cross 2032 32)"
expect_text 'across the second border' "$(wanted_write b 0 24)" "$(both cross 3056 40)"
expect_text 'from the first over the second to the third' \
	"$(wanted_write a 6136 8; wanted_write b 0 8)" "$(both cross 2040 1040)"
expect_text 'up to the border' "$(wanted_write a 6136 8)" "$(both cross 2040 8)"
expect_text 'the last sectors' "$(wanted_write b 2040 8)" "$(both cross 5112 8)"
expect_text 'a flush' 'a: flush, bytes to transfer: 0, delta count: 0
b: flush, bytes to transfer: 0, delta count: 0' "$(both sync /dev/mapper/imgrement)"
expect_text 'a discard' 'a: discard, bytes to transfer: 0, delta count: 0, at (6136, 6143)
b: discard, bytes to transfer: 0, delta count: 0, at (0, 7)' \
	"$(both blkdiscard -f -o $((2040 * 512)) -l $((1040 * 512)) /dev/mapper/imgrement)"

# A message goes to one of them.
dmsetup message imgrement 3072 pattern none
expect 'patterns' 'DAMN none' "$(dmsetup table imgrement | sed -n 's/.* pattern \([A-Za-z]*\) .*/\1/p' | xargs)"
