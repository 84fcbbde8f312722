# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A hundred patterns of 1 to 255 bytes, through the disk itself, ext4 and xfs. The log names exactly the places where
# a pattern occurs in a request; the copy and the pattern's count agree. SEED repeats the contents.
# disk: 64M
# disk: 300M
# cpus: 2
# memory: 1024
# params: log_buf_len=64M
# timeout: 300 3600

device=/dev/mapper/imgrement
# The case looks at the log, not at the console, which is slow for so many lines.
dmesg -n 1
echo "seed $SEED"
mkdir /tmp/set
size=$(times 1 32)
python3 lib/patterns.py make "$SEED" /tmp/set $((size << 20))
words=$(< /tmp/set/patterns)

# target DISK: a new target that loses nothing, and a new log.
target() {
	# shellcheck disable=SC2086 # words
	make_target imgrement "$1" $words places on log_rate 0 log_lines 0 records 32768
	drain
	dmesg -C
}

# compare WHAT DISK [FILE...]: compare everything written since with the content of the disk, and remove the target.
compare() {
	drain
	expect "$1: lost" '0 0 0' "$(counter degraded) $(counter finds_lost) $(counter left_out)"
	lines > /tmp/lines
	pattern_counts > /tmp/counts
	remove_target imgrement
	blockdev --flushbufs "$2"
	echo "$1 (after $SECONDS s):"
	python3 lib/patterns.py check /tmp/set/patterns "$2" /tmp/counts "${@:3}" < /tmp/lines
	python3 lib/log.py < /tmp/lines
}

# Small and large writes in any order, by four writers at once.
target /dev/sda
python3 lib/blocks.py $device /tmp/set/contents "$(times 1,1,2,7,8,16,64,128 1,1,2,7,8,16,64,128,512,2048)" 4 "$SEED" > /tmp/blocks
writes=$(counter write)
[ "$writes" -ge "$(< /tmp/blocks)" ] || fail "$(< /tmp/blocks) blocks were $writes writes"
expect 'on the disk' "$(md5sum < /tmp/set/contents)" "$(head -c "${size}M" /dev/sda | md5sum)"
compare disk /dev/sda

[ -z "${BRIEF:-}" ] || exit 0

# By fio, with contents in which matches are dense: more than a thousand in a request.
target /dev/sda
text='"a NEEDLE in a Needle In A Haystack qzQZabababab"0x07fefe00ff00c1'
fio --name=write --filename=$device --rw=randwrite --bsrange=4k-512k --size="${size}M" --direct=1 \
	--ioengine=io_uring --iodepth=16 --randseed="$SEED" --buffer_pattern="$text" > /tmp/fio 2>&1 ||
	fail "$(cat /tmp/fio)"
compare fio /dev/sda

for name in ext4 xfs; do
	disk=/dev/sda
	[ $name = ext4 ] || disk=/dev/sdb
	target $disk
	ln -sf imgrement /dev/mapper/$name
	new_filesystem $name
	mount_filesystem $name
	# As a whole, in files of a block and more, and with direct I/O.
	cp /tmp/set/contents /$name/whole
	mkdir /$name/parts
	head -c "$(times 128K 512K)" /tmp/set/contents | (cd /$name/parts && split -b 12K -a 3 -)
	dd if=/tmp/set/contents of=/$name/direct bs=64K count="$(times 4 16)" oflag=direct status=none
	sync
	umount /$name
	rm /dev/mapper/$name
	compare $name $disk /tmp/set/contents
done
