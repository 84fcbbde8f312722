# SPDX-License-Identifier: GPL-2.0
"""Writes to a target with a history from several threads, and compares each earlier state with the log.

history-load.py NAME DISK LOG[,LOG]... POINTS SEED

At each point all threads rest, the log gets a mark, and the disk is read. In the end, the log and the disk as it is then
must give each of these states. The threads write to chunks of their own, but share the blocks at their borders.
"""
import hashlib
import mmap
import os
import random
import subprocess
import sys
import threading

import history

THREADS = 3
SHARE = 96 << 10
name, disk, log = sys.argv[1:4]
points, seed = int(sys.argv[4]), int(sys.argv[5])
size = int(subprocess.check_output(["blockdev", "--getsize64", disk]))
block = int(subprocess.check_output(["blockdev", "--getss", "/dev/mapper/" + name]))


def read_direct(path):
    fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
    data = mmap.mmap(-1, size)
    at = 0
    while at < size:
        at += os.preadv(fd, [memoryview(data)[at:at + (1 << 20)]], at)
    os.close(fd)
    return bytes(data)


def sums(data):
    return [hashlib.md5(data[at:at + 512]).digest()[:6] for at in range(0, size, 512)]


def write(thread, round_):
    rand = random.Random("%d %d %d" % (seed, thread, round_))
    fd = os.open("/dev/mapper/" + name, os.O_RDWR | os.O_DIRECT)
    room = mmap.mmap(-1, SHARE)
    for _ in range(rand.randrange(4, 12)):
        share = rand.randrange(size // SHARE // THREADS) * THREADS + thread
        length = max(512 << rand.randrange(8), block)
        start = rand.randrange(0, SHARE - length + block, block)
        room[:length] = rand.randbytes(length)
        os.pwritev(fd, [memoryview(room)[:length]], share * SHARE + start)
        if rand.randrange(8) == 0:
            os.fsync(fd)
    os.close(fd)


truth = []
for point in range(points):
    threads = [threading.Thread(target=write, args=(thread, point)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text = "point%d.%d" % (seed, point)
    subprocess.check_call(["dmsetup", "message", name, "0", "mark", text])
    truth.append((text, sums(read_direct(disk))))

subprocess.check_call(["dmsetup", "message", name, "0", "mark", "end%d" % seed])
for device in log.split(","):
    subprocess.check_call(["blockdev", "--flushbufs", device])
past = history.Log(log)
now = read_direct(disk)
marks = {entry.payload.decode(): entry.position for entry in past.entries if entry.name == "mark"}
kinds = {}
for entry in past.entries:
    kinds[entry.name] = kinds.get(entry.name, 0) + 1
for text, wanted in truth:
    data, unknown = past.state(marks[text], now)
    got = sums(bytes(data))
    wrong = [sector for sector in range(size // 512) if sector not in unknown and got[sector] != wanted[sector]]
    if wrong or unknown:
        sys.exit("%s: %d sectors are wrong (the first is %s), %d are unknown" % (
            text, len(wrong), wrong[:1], len(unknown)))
print("%d points; %s" % (points, ", ".join("%s %d" % kind for kind in sorted(kinds.items()))))
