# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Swap goes through a target with a history when memory is short. It makes progress, the pages come back unchanged, and
# the log has each page that was written.
# kernel: stock
# disk: 256M
# disk: 1G
# memory: 224
# timeout: 180 900

# shellcheck source=../lib/history.sh
. lib/history.sh
device=/dev/mapper/imgrement
make_target imgrement /dev/sda log off data off pattern none history /dev/sdb history_buffer 1024
mkswap $device > /tmp/mkswap 2>&1
swapon $device
# As in the case swap.
echo 8192 > /proc/sys/vm/min_free_kbytes
python3 lib/use-memory.py 60 "$(times 2 20)" &
longer=$!
python3 lib/use-memory.py 60 "$(times 1 15)" &
wait $!
swapoff $device
wait $longer

out=$(awk '/^pswpout / { print $2 }' /proc/vmstat)
echo "$out pages out; $(dmsetup status imgrement | grep -o 'history .*history_notes_lost [0-9]*')"
[ "$out" -gt 5000 ] || fail 'that was not much'
expect 'state' on "$(status history)"
expect 'gaps' 0 "$(status history_gaps)"
expect 'errors' 0 "$(counter errors)"
# Each page, once as it was, at most, and once as it was written.
[ "$(status history_position)" -gt $((out * 4096)) ] || fail 'the log is too short'
remove_target imgrement
