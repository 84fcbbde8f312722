# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The sample dm_rust_linear behaves like dm-linear: words, data, operations, mistakes and limits.

head -c 4M /dev/urandom > /tmp/random
for kind in linear rust_linear; do
	dmsetup create $kind --table "0 4096 $kind /dev/sdb 64"
	dmsetup create whole-$kind --table "0 8192 $kind /dev/sdb 0"
done
expect_text 'table, status' 'linear: 0 4096 linear 8:16 64
rust_linear: 0 4096 rust_linear 8:16 64
whole-linear: 0 8192 linear 8:16 0
whole-rust_linear: 0 8192 rust_linear 8:16 0
linear: 0 4096 linear 
rust_linear: 0 4096 rust_linear 
whole-linear: 0 8192 linear 
whole-rust_linear: 0 8192 rust_linear ' "$(dmsetup table; dmsetup status)"

# Data, through both in parallel.
dd if=/tmp/random of=/dev/sdb bs=1M oflag=direct status=none
cmp <(dd if=/tmp/random bs=512 skip=64 count=4096 status=none) /dev/mapper/rust_linear
dd if=/tmp/random of=/dev/mapper/rust_linear bs=64k skip=32 count=32 oflag=direct status=none
cmp <(dd if=/tmp/random bs=64k skip=32 status=none) <(dd if=/dev/mapper/linear bs=1M iflag=direct status=none)

# The requests that reach the disk, from the kernel's own trace. It is switched on once and does not follow which task
# runs, because each such change patches the running kernel.
trace=/sys/kernel/tracing
echo 0 > $trace/options/record-cmd
echo "dev == $((8 << 20 | 16))" > $trace/events/block/block_bio_queue/filter
echo 1 > $trace/events/block/block_bio_queue/enable

# tried KIND < COMMANDS: their output and status, the requests that reach the disk, and its content afterwards.
tried() {
	local command
	dd if=/tmp/random of=/dev/sdb bs=1M oflag=direct status=none
	echo > $trace/trace
	while read -r command; do
		echo "# $command"
		echo "# $command" > $trace/trace_marker
		(eval "${command//KIND/$1}") 2>&1 || echo "status $?"
	done | sed "s/$1/KIND/g"
	# A request without a length has no meaningful sector.
	sed -nE 's/.* tracing_mark_write: //p
		s/.* block_bio_queue: [0-9,]* ([A-Z]* [0-9]* \+ [0-9]*) .*/\1/; s/ [0-9]* \+ 0$//; T; p' $trace/trace
	dd if=/dev/sdb bs=1M iflag=direct status=none | md5sum
}

cat > /tmp/commands <<'END'
blockdev --getsize64 --getss --getpbsz --getiomin --getioopt --getalignoff --getra --getro /dev/mapper/KIND
dmsetup deps KIND
dmsetup message KIND 0 hello
dd if=/dev/mapper/KIND bs=4096 skip=1 count=1 iflag=direct status=none | md5sum
dd if=/dev/zero of=/dev/mapper/KIND bs=4096 seek=1 count=2 oflag=direct status=none
dd if=/dev/zero of=/dev/mapper/KIND bs=1M seek=1 count=1 oflag=direct status=none
dd if=/dev/zero of=/dev/mapper/KIND bs=4096 count=1 oflag=direct,dsync status=none
sync /dev/mapper/KIND
blkdiscard -f -o 4096 -l 8192 /dev/mapper/KIND
blkdiscard -f -z -o 8192 -l 8192 /dev/mapper/KIND
blkdiscard -f -s -o 16384 -l 8192 /dev/mapper/KIND
blkdiscard -f /dev/mapper/KIND
blkdiscard -f -o 2093056 -l 8192 /dev/mapper/KIND
dd if=/dev/mapper/KIND bs=4096 skip=512 count=1 iflag=direct status=none
dd if=/dev/zero of=/dev/mapper/KIND bs=4096 seek=511 count=2 oflag=direct status=none
sg_inq /dev/mapper/KIND
setpriv --bounding-set=-sys_rawio sg_inq /dev/mapper/KIND
setpriv --bounding-set=-sys_rawio sg_inq /dev/mapper/whole-KIND
dmsetup suspend KIND && dmsetup load KIND --table '0 2048 KIND /dev/sdb 128' && dmsetup resume KIND
dmsetup table KIND
dd if=/dev/mapper/KIND bs=1M iflag=direct status=none | md5sum
END
# One mistake each. The output and the exit status are the same, and nothing is left behind.
while read -r arguments; do
	echo "dmsetup create bad --table '0 4096 KIND $arguments'"
	echo 'dmsetup table bad'
	echo 'dmsetup remove bad'
done >> /tmp/commands <<'END'

/dev/sdb
/dev/sdb x
/dev/sdb 1 2
/dev/nothing 0
/tmp 0
99:99 0
8:16 0
/dev/sdb 4096
/dev/sdb 4097
/dev/sdb -1
/dev/sdb +1
/dev/sdb 010
/dev/sdb 0x10
/dev/sdb 18446744073709551615
/dev/sdb 18446744073709551616
/dev/sdb 36028797018963968
END
wanted=$(tried linear < /tmp/commands)
expect_text 'commands' "$wanted" "$(tried rust_linear < /tmp/commands)"
# Both did what they should, and not both nothing.
for line in 'FWS' 'DS 72 + 16' 'WZS 80 + 16' 'WS 72 + 8' 'WFS 64 + 8'; do
	grep -qxF "$line" <<< "$wanted" || fail "dm-linear passes no request '$line' on, but: $wanted"
done

# limits KIND: everything that sysfs shows of it. Each disk has its own number.
limits() {
	cd "/sys/block/dm-$(dmsetup info -c --noheadings -o minor "$1")"
	grep -s '' queue/* alignment_offset discard_alignment hidden range removable ro size
}
limits linear > /tmp/limits
[ "$(wc -l < /tmp/limits)" -ge 50 ] || fail "only $(wc -l < /tmp/limits) limits"
expect_text 'limits' "$(cat /tmp/limits)" "$(limits rust_linear)"

# NOWAIT requests (RWF_NOWAIT) are accepted, too.
nowait() {
	python3 - "$1" <<-'END'
		import errno, mmap, os, sys
		disk = os.open("/dev/mapper/" + sys.argv[1], os.O_RDONLY | os.O_DIRECT)
		try:
		    print(os.preadv(disk, [mmap.mmap(-1, 4096)], 0, os.RWF_NOWAIT))
		except OSError as error:
		    print(errno.errorcode[error.errno])
	END
}
expect 'nowait, dm-linear' 4096 "$(nowait linear)"
expect 'nowait, dm_rust_linear' 4096 "$(nowait rust_linear)"
