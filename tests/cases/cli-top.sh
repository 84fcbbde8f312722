# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# `imgrement top` shows what passes through, also with 20 devices under load. It reacts to keys, fits any screen, and
# leaves the terminal as it was, however it ends.
# memory: 1024

says() {
	local status=$1 text=$2 got=0
	shift 2
	said=$("$@" 2>&1 < /dev/null) || got=$?
	expect "$*" "$status $text" "$got $said"
}
instances() { ls /sys/kernel/tracing/instances; }

# Messages.
says 1 'imgrement: nothing is attached, so there is nothing to watch
  To attach a disk: imgrement attach DEVICE' imgrement top
says 1 'imgrement: there is no device other
  To list the devices: imgrement list' imgrement top other
expect_fail imgrement top --interval 1h1
expect_match 'a wrong time' "invalid value '1h1' for '--interval <TIME>'" "$said"
expect_fail imgrement top --interval 0.1
expect_match 'too short' 'not from 250ms to 1h' "$said"
imgrement attach /dev/sdb --log off > /dev/null
says 1 'imgrement: no permission to use device-mapper
  Run it as root: sudo imgrement ...' setpriv --reuid 1000 --clear-groups imgrement top

# Text without a terminal: the intervals add up to what was done.
imgrement top imgrement-sdb --interval 500ms > /tmp/out 2> /tmp/err < /dev/null &
top=$!
until grep -qs 1 "/sys/kernel/tracing/instances/imgrement-$top/events/imgrement/match/enable"; do
	kill -0 "$top" || fail "it ended: $(< /tmp/err)"
	sleep 0.1
done
python3 - << 'PYTHON'
import mmap
import os

disk = os.open("/dev/mapper/imgrement-sdb", os.O_RDWR | os.O_DIRECT)
memory = mmap.mmap(-1, 65536)
for place in range(300):
    os.preadv(disk, [memoryview(memory)[: 4096 if place % 3 else 8192]], place * 4096)
memory[:9] = b"DAMN DAMN"
for place in range(100):
    os.pwrite(disk, memoryview(memory)[:1024], (2 << 20) + place * 1024)
    if place % 20 == 0:
        os.fsync(disk)
PYTHON
blocks=$(grep -c UTC /tmp/out || true)
until [ "$(grep -c UTC /tmp/out)" -ge $((blocks + 3)) ]; do sleep 0.2; done
kill "$top"
wait "$top"
expect 'instances' '' "$(instances)"
python3 - << 'PYTHON'
import re
from collections import Counter
from pathlib import Path

UNITS = {"B": 1, "KiB": 1024, "MiB": 1 << 20}
requests, sizes, ranges, found = Counter(), Counter(), Counter(), 0
for block in Path("/tmp/out").read_text().split("\n\n")[:-1]:
    assert "  1 device  last 0.5 s  no events lost\n" in block, block
    section = ""
    for line in block.splitlines()[1:]:
        words = line.split()
        if words[0] in ("OP", "DEVICE", "COMMAND", "RANGE", "PATTERN"):
            section = words[0]
        elif section == "OP":
            requests[words[0]] += float(words[1]) / 2
            sizes[words[0]] += float(words[2]) * UNITS[words[3]] / 2
        elif section == "COMMAND":
            assert words[0] == "python3", block
        elif section == "RANGE":
            ranges[f"{words[0]} {words[1]}"] += float(words[2]) / 2
        elif section == "PATTERN":
            assert words[0] == "DAMN", block
            found = int(words[2])
assert requests == {"read": 300, "write": 100, "flush": 5}, requests
# Sizes are rounded.
for op, wanted in ("read", 1600 << 10), ("write", 100 << 10):
    assert abs(sizes[op] - wanted) <= wanted / 20, sizes
assert ranges == {"0 B": 256, "1 MiB": 44, "2 MiB": 100}, ranges
assert found == 200, found
PYTHON
imgrement top --batch --count 2 --interval 250ms > /tmp/out
expect 'intervals' 2 "$(grep -c UTC /tmp/out)"
# Nobody reads it any more.
imgrement top --interval 250ms | head -n 1 > /dev/null
expect 'closed: status' '0 0' "${PIPESTATUS[*]}"

# Removed while it is watched; without tracefs.
(sleep 1; imgrement detach imgrement-sdb) &
expect_fail imgrement top imgrement-sdb --interval 250ms
expect_match 'removed' $'imgrement: imgrement-sdb was removed\n  To list the devices: imgrement list$' "$said"
wait
make_target one /dev/sdb log off
umount /sys/kernel/tracing
says 1 'imgrement: tracefs is not mounted at /sys/kernel/tracing
  Mount it as root: mount -t tracefs tracefs /sys/kernel/tracing' imgrement top
mount -t tracefs trace /sys/kernel/tracing
remove_target one

# 20 devices under load, in a terminal.
null_disk nullb0 size=80
names=()
for i in {1..20}; do
	dmsetup create "device-$i" --table "0 8192 imgrement /dev/nullb0 $((8192 * (i - 1))) 4 log off data off"
	names+=("/dev/mapper/device-$i")
done
python3 lib/top.py fio --name=load --filename="$(IFS=:; echo "${names[*]}")" --rw=randrw --bs=4k --direct=1 \
	--ioengine=psync --rate_iops=1000 --time_based --runtime=1000 --thread
