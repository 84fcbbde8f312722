# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# With little memory left, swap and write-back go through targets with histories, with a small buffer and with the
# default one. They make progress, no program is killed, the pages and the file come back unchanged, and the logs have all
# of it.
# kernel: stock
# disk: 192M
# disk: 4G
# disk: 64M
# disk: 256M
# memory: 192
# timeout: 240 1200

# shellcheck source=../lib/history.sh
. lib/history.sh
free() { awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo; }
# words NAME: what the status says about its history.
words() { dmsetup status "$1" | grep -oE ' history (on|ended)|history_(gaps|notes_lost) [0-9]+' | xargs; }
echo "$(free) MiB free"
make_target swap /dev/sda log off data off pattern none records 1 history /dev/sdb history_buffer 256
make_target data /dev/sdc log off data off pattern none records 1 history /dev/sdd
mkfs.ext4 -q /dev/mapper/data
mount /dev/mapper/data /mnt
mkswap /dev/mapper/swap > /tmp/mkswap 2>&1
swapon /dev/mapper/swap
echo 100 > /proc/sys/vm/swappiness
# As in the case swap.
echo 4096 > /proc/sys/vm/min_free_kbytes
for round in $(seq "$(times 1 10)"); do
	# More than there is.
	python3 lib/use-memory.py $(($(free) + 30)) 1 &
	hog=$!
	python3 lib/random-file.py /mnt/file 16 cached > /tmp/sum
	wait $hog || fail "round $round: a page came back wrong"
	sync
	echo 3 > /proc/sys/vm/drop_caches
	md5sum -c --quiet /tmp/sum
done
swapoff /dev/mapper/swap
umount /mnt
fsck.ext4 -fn /dev/mapper/data > /dev/null
out=$(awk '/^pswpout / { print $2 }' /proc/vmstat)
echo "$out pages out; swap: $(words swap); data: $(words data)"
[ "$out" -gt 5000 ] || fail 'that was not much'
for name in swap data; do
	expect "$name" 'history on history_gaps 0 history_notes_lost 0' "$(words $name)"
	expect "$name: errors" 0 "$(counter errors $name)"
	remove_target $name
done
expect 'killed' 0 "$(dmesg | grep -ciE 'out of memory|oom-kill' || true)"
