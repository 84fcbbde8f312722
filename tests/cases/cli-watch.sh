# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# `imgrement watch` prints a line for each request, with what was done and what was found, and leaves no tracing instance
# behind.

instances() { ls /sys/kernel/tracing/instances; }

# watching OPTION...: start it, and wait until it listens.
watching() {
	# The line of an earlier `watch` must not be taken for this one's.
	: > /tmp/err
	imgrement watch imgrement-sdb "$@" > /tmp/out 2> /tmp/err &
	watcher=$!
	until grep -q '^imgrement: watching imgrement-sdb; Ctrl-C ends it$' /tmp/err; do
		kill -0 "$watcher" || fail "it ended: $(< /tmp/err)"
		sleep 0.1
	done
}

imgrement attach /dev/sdb --log off > /dev/null
watching --json
write_at /dev/mapper/imgrement-sdb 8 'DAMN DAMN'
dd if=/dev/mapper/imgrement-sdb of=/dev/null bs=4k skip=1 count=2 iflag=direct status=none
for ((i = 0; i < 200; i++)); do write_at /dev/mapper/imgrement-sdb $((1000 + i)) x; done
blkdiscard -f -o 1M -l 64k /dev/mapper/imgrement-sdb
kill "$watcher"
wait "$watcher"
expect 'instances' '' "$(instances)"
python3 - << 'PYTHON'
import json

lines = [json.loads(line) for line in open("/tmp/out")]
wanted = [("write", 8, 512, 2), ("read", 8, 4096, 0), ("read", 16, 4096, 0)]
wanted += [("write", 1000 + i, 512, 0) for i in range(200)] + [("discard", 2048, 65536, 0)]
got = [(line["op"], line["sector"], line["bytes"], line["hits"]) for line in lines]
assert got == wanted, [pair for pair in zip(got, wanted) if pair[0] != pair[1]][:5]
assert all(line["latency"] > 0 and line["errno"] == 0 for line in lines), lines
assert len({line["id"] for line in lines}) == len(lines), lines
assert [line["command"] for line in lines[:2]] == ["dd", "dd"], lines
PYTHON
expect 'requests' 'read 2 write 201 discard 1' "$(counts imgrement-sdb | grep -o '^read [0-9]* write [0-9]* discard [0-9]*')"

# For people, up to a number of requests.
watching --count 2
for ((i = 0; i < 3; i++)); do write_at /dev/mapper/imgrement-sdb 8 DAMN; done
wait "$watcher"
line='[0-9]+\.[0-9]{6} write +8 \+ 512 +[0-9]+ us found 1 \[dd\]'
expect_match 'two lines' "^ *$line"$'\n'" *$line$" "$(< /tmp/out)"

# One that was killed leaves its instance. The next one removes it.
watching
kill -9 "$watcher"
wait "$watcher" || true
expect 'instances' "imgrement-$watcher" "$(instances)"
watching --count 1
expect 'instances' "imgrement-$watcher" "$(instances)"
write_at /dev/mapper/imgrement-sdb 8 DAMN
wait "$watcher"
expect 'instances' '' "$(instances)"

# Nobody reads the lines any more: it ends. Without tracefs, it says so.
python3 - << 'PYTHON'
import os
import subprocess

reader, writer = os.pipe()
watcher = subprocess.Popen(["imgrement", "watch", "imgrement-sdb"], stdout=writer, stderr=subprocess.PIPE)
os.close(writer)
assert watcher.stderr.readline() == b"imgrement: watching imgrement-sdb; Ctrl-C ends it\n"
os.close(reader)
disk = os.open("/dev/mapper/imgrement-sdb", os.O_RDONLY)
os.pread(disk, 512, 0)
os.close(disk)
assert watcher.wait() == 0 and watcher.stderr.read() == b""
PYTHON
expect 'instances' '' "$(instances)"
umount /sys/kernel/tracing
status=0
said=$(imgrement watch imgrement-sdb 2>&1) || status=$?
expect 'without tracefs' '1 imgrement: tracefs is not mounted at /sys/kernel/tracing
  Mount it as root: mount -t tracefs tracefs /sys/kernel/tracing' "$status $said"
imgrement detach imgrement-sdb
