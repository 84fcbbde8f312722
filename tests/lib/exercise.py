#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""exercise.py FILE [DISCARDED]: writes in four places at once, with flushes, and reads it again.

It writes the first 4 MiB of the disk or file in pieces of 4 to 64 KiB, the same each time. DISCARDED is a place on the
disk: 1 MiB is discarded there, and the next MiB is zeroed; failures are reported. Prints a checksum of everything
that was read.
"""

import errno
import fcntl
import hashlib
import mmap
import os
import random
import struct
import sys
import threading

BLKDISCARD, BLKZEROOUT = 0x1277, 0x127F
MIB = 1 << 20

disk = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT | os.O_DIRECT)
done = []


def exercise(part):
    chance = random.Random(part)
    data = chance.randbytes(MIB)
    memory = mmap.mmap(-1, MIB)
    memory[:] = data
    pieces, at = [], 0
    while at < MIB:
        length = min(chance.randrange(1, 17) * 4096, MIB - at)
        pieces.append((at, length))
        at += length
    chance.shuffle(pieces)
    for number, (at, length) in enumerate(pieces):
        if os.pwritev(disk, [memoryview(memory)[at : at + length]], part * MIB + at) != length:
            return
        if number % 8 == 0:
            os.fsync(disk)
    memory[:] = bytes(MIB)
    for at, length in pieces:
        os.preadv(disk, [memoryview(memory)[at : at + length]], part * MIB + at)
    if memory[:] == data:
        done.append(part)


threads = [threading.Thread(target=exercise, args=(part,)) for part in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if len(done) != 4:
    sys.exit(f"exercise.py: only of the parts {done} came back what was written")

ranges = [(0, 4 * MIB)]
if len(sys.argv) > 2:
    place = int(sys.argv[2])
    for what, request, at in ("discard", BLKDISCARD, place), ("zeroes", BLKZEROOUT, place + MIB):
        try:
            fcntl.ioctl(disk, request, struct.pack("=QQ", at, MIB))
        except OSError as error:
            print(f"{what}: {errno.errorcode[error.errno]}")
    ranges.append((place, 2 * MIB))
digest = hashlib.md5()
for start, length in ranges:
    memory = mmap.mmap(-1, length)
    os.preadv(disk, [memory], start)
    digest.update(memory)
print(digest.hexdigest())
