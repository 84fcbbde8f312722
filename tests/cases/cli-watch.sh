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

# Filters, several at once; and a terminal of each width. A line is cut where the terminal ends.
python3 - << 'PYTHON'
import fcntl
import json
import mmap
import os
import pty
import shutil
import signal
import struct
import subprocess
import termios

DISK = "/dev/mapper/imgrement-sdb"
writer = "/tmp/a-long-name-15c"
shutil.copy(shutil.which("dd"), writer)


def start(*options, **files):
    watcher = subprocess.Popen(["imgrement", "watch", "imgrement-sdb", *options], stderr=subprocess.PIPE, **files)
    assert watcher.stderr.readline() == b"imgrement: watching imgrement-sdb; Ctrl-C ends it\n"
    return watcher


def write(sector, text):
    data = text.ljust(512, "\0").encode()
    dd = subprocess.Popen([writer, f"of={DISK}", f"seek={sector}", "bs=512", "count=1", "oflag=direct", "status=none"],
                          stdin=subprocess.PIPE)
    dd.communicate(data)
    assert dd.returncode == 0
    return dd.pid


filters = {
    "": ["write 7", "write 8", "write 4000", "read 16", "discard 2048"],
    "--op read,discard": ["read 16", "discard 2048"],
    "--op write --range 8-4000": ["write 8"],
    "--range 1M-1028K": ["discard 2048"],
    "--range 2055": ["discard 2048"],
    "--size 4K": ["read 16"],
    "--size 513-": ["read 16", "discard 2048"],
    "--match": ["write 8"],
    "--latency 1h": [],
    "--latency 1ns --op read": ["read 16"],
}
watchers = {options: start("--json", *options.split(), stdout=subprocess.PIPE) for options in filters}
write(7, "")
write(8, "DAMN")
write(4000, "")
subprocess.check_call(["dd", f"if={DISK}", "of=/dev/null", "bs=4k", "skip=2", "count=1", "iflag=direct", "status=none"])
subprocess.check_call(["blkdiscard", "-f", "-o", "1M", "-l", "64k", DISK])
for options, watcher in watchers.items():
    watcher.send_signal(signal.SIGTERM)
    lines = [json.loads(line) for line in watcher.communicate()[0].splitlines()]
    got = [f"{line['op']} {line['sector']}" for line in lines]
    assert watcher.returncode == 0 and got == filters[options], (options, got)

# The process is that which wrote.
watcher = start("--json", "--pid", str(os.getpid()), "--count", "1", stdout=subprocess.PIPE)
write(9, "")
disk = os.open(DISK, os.O_RDONLY | os.O_DIRECT)
os.preadv(disk, [mmap.mmap(-1, 4096)], 65536)
os.close(disk)
line = json.loads(watcher.communicate()[0])
assert (line["op"], line["sector"], line["pid"]) == ("read", 128, os.getpid()), line


def terminal(columns, run):
    """What a command prints on a terminal of this width."""
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = run(side)
    os.close(side)
    text = b""
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:
            break
        if not part:
            break
        text += part
    assert command.wait() == 0
    os.close(main)
    return text.decode().replace("\r\n", "\n").splitlines()


def watch(side):
    watcher = start("--count", "2", stdout=side)
    write(8, "DAMN")
    write(4000, "DAMN" * 3)
    return watcher


for columns in 20, 80, 200:
    lines = terminal(columns, watch)
    assert len(lines) == 2 and all(len(line) <= columns for line in lines), (columns, lines)
    ends = {20: ["", ""], 80: [" found 1 [a-long...]", " found 3 [a-long...]"]}
    wanted = ends.get(columns, [" found 1 [a-long-name-15c]", " found 3 [a-long-name-15c]"])
    assert all(line.endswith(end) for line, end in zip(lines, wanted)), (columns, lines)
    assert columns != 20 or [len(line) for line in lines] == [20, 20], lines

for columns in 44, 80, 1000:
    lines = terminal(columns, lambda side: subprocess.Popen(["imgrement", "status"], stdout=side))
    settings = next(index for index, line in enumerate(lines) if line.startswith("  settings"))
    assert all(len(line) <= columns for line in lines[1:]), (columns, lines)
    assert (len(lines) - settings == 1) == (columns == 1000), (columns, lines)
    words = " ".join(line.strip() for line in lines[settings:])
    assert words.startswith("settings  "), words
    whole = subprocess.check_output(["imgrement", "status"], text=True).splitlines()[settings:]
    assert [words] == [line.strip() for line in whole], (words, whole)
PYTHON

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
