# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# If the log is stored on the traced disk, each line causes more lines; log_rate bounds that.

rate=20
make_target imgrement /dev/sda log_rate $rate
# Nothing is left for a thread of the file system to write later.
mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /dev/mapper/imgrement
# Each line that is stored there is immediately a write of data, and some of metadata.
mount -o sync /dev/mapper/imgrement /mnt

# write: a file, which is in the log.
write() { timeout 20 bash -c 'date > /mnt/other' || fail 'a file should be written'; }

# write_often: for some seconds.
write_often() {
	local began=$SECONDS
	while [ $SECONDS -lt $((began + 5)) ]; do
		write
		sleep 0.1
	done
}

# write_once: then the log feeds itself, until it has many lines.
write_once() {
	write
	for _ in {1..600}; do
		[ "$(grep -c 'bytes to transfer' /mnt/log)" -le 200 ] || return 0
		sleep 0.1
	done
}

# follow RATE WRITER: while the function WRITER writes files. Leaves $seconds, $printed, $left_out and $counted. The file
# system may write at any time, so the log is off before and after. A mark then reports everything that was left out,
# and neither the lines nor the counter change from then on.
follow() {
	local began logger
	dmsetup message imgrement 0 log off
	drain
	dmesg -C
	dmsetup message imgrement 0 reset
	dmsetup message imgrement 0 log_rate "$1"
	dmsetup message imgrement 0 log on
	began=$SECONDS
	dmesg -t --follow-new > /mnt/log &
	logger=$!
	"$2"
	# Without a limit, nothing else would end it.
	dmsetup message imgrement 0 log off
	seconds=$((SECONDS - began + 1))
	kill $logger
	wait $logger || true
	drain
	lines > /tmp/lines
	read -r printed _ left_out _ < <(python3 lib/log.py < /tmp/lines)
	counted=$(counter left_out)
	grep -q '^imgrement: W, bytes to transfer: ' /mnt/log || fail 'the log is not on the disk'
}

follow $rate write_often
expect 'left out' "$counted" "$left_out"
[ "$printed" -le $(((seconds + 1) * rate)) ] || fail "$printed requests were printed in $seconds s"
[ "$printed" -ge $((3 * rate)) ] || fail "only $printed requests were printed in $seconds s"
[ "$left_out" -gt 0 ] || fail 'there were not enough requests for the limit'

follow 0 write_once
expect 'left out without a limit' '0 0' "$counted $left_out"
[ "$printed" -gt 100 ] || fail "$printed requests without a limit: the log does not feed itself"

# When the log is no longer stored there, the disk is idle.
dmsetup message imgrement 0 log on
umount /mnt
drain
before=$(counts)
sleep 1
expect 'counts of a disk at rest' "$before" "$(counts)"
