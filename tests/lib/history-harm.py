# SPDX-License-Identifier: GPL-2.0
"""Writes to a target with a history while something else disturbs its log, and checks the disk, and what the log says.

history-harm.py load NAME DISK POINTS STOP SEED
    Writes from several threads until the file STOP exists. Between rounds, all threads rest, and the log gets a mark,
    if it takes one and there is no file STOP.quiet. In the end, the disk must have what was written. Leaves what the disk had at each mark in POINTS.

history-harm.py check LOG DISK POINTS [ended]
    For each of these marks that is in the log, the log and the disk as it is now must give the disk as it was then: no
    sector is wrong, and all that are unknown are named by gaps. Prints how many marks that are, and the most sectors
    that are unknown at one of them. If the history has ended before the writes did, only sectors count of which the log
    says something: the others may have changed since.
"""
import mmap
import os
import pickle
import random
import subprocess
import sys
import threading
import time

import history

THREADS = 3
SHARE = 96 << 10


def read_direct(path, size):
    fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
    data = mmap.mmap(-1, size)
    at = 0
    while at < size:
        at += os.preadv(fd, [memoryview(data)[at:at + (1 << 20)]], at)
    os.close(fd)
    return bytearray(data)


def load(name, disk, points, stop, seed):
    size = int(subprocess.check_output(["blockdev", "--getsize64", disk]))
    model = read_direct(disk, size)
    faults, longest, done = [], [0.0], [0]

    def write(thread, round_):
        try:
            rand = random.Random("%s %d %d" % (seed, thread, round_))
            fd = os.open("/dev/mapper/" + name, os.O_RDWR | os.O_DIRECT)
            room = mmap.mmap(-1, SHARE)
            for _ in range(rand.randrange(4, 12)):
                share = rand.randrange(size // SHARE // THREADS) * THREADS + thread
                length = min(512 << rand.randrange(8), SHARE)
                start = rand.randrange(0, SHARE - length + 512, 512)
                at = share * SHARE + start
                room[:length] = rand.randbytes(length)
                model[at:at + length] = room[:length]
                began = time.monotonic()
                os.pwritev(fd, [memoryview(room)[:length]], at)
                longest[0] = max(longest[0], time.monotonic() - began)
                done[0] += 1
                if rand.randrange(8) == 0:
                    os.fsync(fd)
            os.close(fd)
        except OSError as error:
            faults.append(error)

    known, round_ = [], 0
    while not os.path.exists(stop) or round_ < 2:
        threads = [threading.Thread(target=write, args=(thread, round_)) for thread in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if faults:
            sys.exit("a write failed: %s" % faults)
        text = "%s.%d" % (seed, round_)
        message = ["dmsetup", "message", name, "0", "mark", text]
        if not os.path.exists(stop + ".quiet") and subprocess.run(message, capture_output=True).returncode == 0:
            # A few do: the first ones, and the last ones.
            known = known[:3] + known[3:][-5:] + [(text, bytes(model))]
        round_ += 1
    if read_direct(disk, size) != model:
        sys.exit("the disk does not have what was written")
    with open(points, "wb") as file:
        pickle.dump(known, file)
    print("%s: %d rounds, %d writes, the longest took %.1f s" % (seed, round_, done[0], longest[0]))


def check(path, disk, points, ended=None):
    subprocess.check_call(["blockdev", "--flushbufs", path])
    log = history.Log(path)
    now = read_direct(disk, log.sectors * 512)
    with open(points, "rb") as file:
        known = pickle.load(file)
    marks = {e.payload.decode(): e.position for e in log.entries if e.name == "mark"}
    named, said = set(), set()
    for entry in log.entries:
        if entry.name in ("base", "write"):
            said.update(range(entry.sector, entry.sector + entry.bytes // 512))
        if entry.name == "gap":
            named.update(range(entry.sector, entry.sector + entry.bytes // 512))
    found, most = 0, 0
    for text, then in known:
        if text not in marks:
            continue
        data, unknown = log.state(marks[text], now)
        wrong = [s for s in range(log.sectors)
                 if s not in unknown and (s in said or not ended) and data[s * 512:s * 512 + 512] != then[s * 512:s * 512 + 512]]
        if wrong:
            sys.exit("%s: %d sectors are wrong; the first is %d" % (text, len(wrong), wrong[0]))
        if not unknown <= named:
            sys.exit("%s: no gap names these: %s" % (text, sorted(unknown - named)[:5]))
        found, most = found + 1, max(most, len(unknown))
    print(found, most)


if sys.argv[1] == "load":
    load(*sys.argv[2:7])
else:
    check(*sys.argv[2:6])
