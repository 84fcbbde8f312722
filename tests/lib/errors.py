#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs the steps on standard input on a device, one for each line, and prints their results.

errors.py DEVICE

        read|write|fua SECTOR SECTORS    with direct I/O; prints the bytes or the errno, and a checksum of a read
    flush
    discard|zeroes SECTOR SECTORS
    put FILE TEXT                    write it to that file
"""

import errno
import fcntl
import mmap
import os
import struct
import sys
import zlib

BLKDISCARD, BLKZEROOUT = 0x1277, 0x127F

device = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT)


def step(word, arguments):
    if word == "flush":
        return os.fsync(device)
    place, length = (int(argument) * 512 for argument in arguments)
    if word in ("discard", "zeroes"):
        number = BLKDISCARD if word == "discard" else BLKZEROOUT
        return fcntl.ioctl(device, number, bytearray(struct.pack("=QQ", place, length)))
    memory = mmap.mmap(-1, length)
    if word == "read":
        done = os.preadv(device, [memory], place)
        return done, zlib.crc32(memory[:done])
    memory[:] = bytes([place // 512 % 255]) * length
    return os.pwritev(device, [memory], place, os.RWF_DSYNC if word == "fua" else 0)


for line in sys.stdin:
    word, *arguments = line.split()
    if word == "put":
        with open(arguments[0], "w") as file:
            print(*arguments[1:], file=file)
        continue
    try:
        print(line.strip(), step(word, arguments))
    except OSError as error:
        print(line.strip(), errno.errorcode[error.errno])
