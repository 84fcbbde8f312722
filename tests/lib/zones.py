#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""zones.py DEVICE: runs a series of operations on a zoned disk, and prints the result of each.

The disk has zones of 8192 sectors, all with a write pointer.
"""

import errno
import fcntl
import hashlib
import mmap
import os
import struct
import sys

RANGE = struct.Struct("=QQ")
# struct blk_zone_report, and for each zone struct blk_zone.
HEADER, ZONE = struct.Struct("=QII"), struct.Struct("=QQQ4B4xQ24x")
BLKREPORTZONE = 3 << 30 | HEADER.size << 16 | 0x12 << 8 | 130
RESET, OPEN, CLOSE, FINISH = (1 << 30 | RANGE.size << 16 | 0x12 << 8 | number for number in (131, 134, 135, 136))
BLKZEROOUT = 0x127F
KIB = 1024

disk = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT)
whole = os.lseek(disk, 0, os.SEEK_END) // 512
chance = bytes(range(256)) * 4 * 64


def report(start=0, count=1 << 12):
    buffer = bytearray(HEADER.pack(start, count, 0) + bytes(count * ZONE.size))
    fcntl.ioctl(disk, BLKREPORTZONE, buffer)
    _, found, flags = HEADER.unpack_from(buffer)
    print(found, "zones, flags", flags)
    for i in range(found):
        print(*ZONE.unpack_from(buffer, HEADER.size + i * ZONE.size))


def operate(request, start=0, length=None):
    fcntl.ioctl(disk, request, RANGE.pack(start, whole if length is None else length))


def zero(start, length):
    fcntl.ioctl(disk, BLKZEROOUT, RANGE.pack(start, length))


def write(size, place, count, flags=0, data=bytes(1)):
    memory = mmap.mmap(-1, size)
    memory[:] = data * (size // len(data))
    for i in range(place, place + count):
        os.pwritev(disk, [memory], i * size, flags)


def read(size, place, count):
    memory = mmap.mmap(-1, size * count)
    os.preadv(disk, [memory], place * size)
    print(hashlib.md5(memory).hexdigest())


for step in (
    lambda: report(),
    lambda: report(8192, 3),
    lambda: write(64 * KIB, 0, 3, data=chance),
    lambda: read(64 * KIB, 0, 3),
    lambda: write(64 * KIB, 64, 2, os.RWF_DSYNC),
    # Away from the write pointer.
    lambda: write(64 * KIB, 130, 1),
    lambda: read(64 * KIB, 64, 2),
    lambda: report(0, 3),
    lambda: operate(OPEN, 16384, 8192),
    lambda: report(16384, 1),
    lambda: operate(CLOSE, 16384, 8192),
    lambda: operate(FINISH, 24576, 16384),
    lambda: report(0, 6),
    # Into a full zone.
    lambda: write(4 * KIB, 3072, 1),
    lambda: operate(RESET, 8192, 8192),
    lambda: report(0, 6),
    # Across the end of a zone that is not the last.
    lambda: write(KIB * KIB, 0, 10),
    lambda: report(0, 6),
    lambda: zero(0, 65536),
    lambda: operate(RESET),
    lambda: report(),
    # Neither the start of a zone, nor its length.
    lambda: operate(RESET, 100, 8192),
    lambda: operate(RESET, 8192, 100),
    lambda: operate(OPEN, whole, 8192),
):
    try:
        step()
        print("done")
    except OSError as error:
        print(errno.errorcode[error.errno])
