#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes each allocation of one call fail in turn: the first, then the second, until no further one exists.

fail-nth.py load NAME LENGTH TYPE PARAMETERS   load a table of one line into the inactive slot, and clear it again
fail-nth.py message NAME TEXT                  send a message to sector 0
fail-nth.py next NAME DEVICE DEVICE            let a history go on with each of these in turn, which are erased before

Which allocations count must be set in debugfs before (failslab, fail_page_alloc). Each such call must succeed or return
ENOMEM; otherwise this exits with 1. Prints the number of allocations, and how many calls failed.
"""

import errno
import fcntl
import os
import struct
import sys

TABLE_LOAD, TABLE_CLEAR, TARGET_MSG = 9, 10, 14

# struct dm_ioctl, version 4.
HEADER = struct.Struct("=3I2I1Ii3IQ128s129s7x")

command, name, *arguments = map(os.fsencode, sys.argv[1:])
control = os.open("/dev/mapper/control", os.O_RDWR)
nth = os.open("/proc/thread-self/fail-nth", os.O_RDWR)


def request(targets=0, data=b""):
    size = HEADER.size + len(data)
    return bytearray(HEADER.pack(4, 0, 0, size, HEADER.size, targets, 0, 0, 0, 0, 0, name, b"") + data)


def ioctl(number, buffer):
    fcntl.ioctl(control, 3 << 30 | HEADER.size << 16 | 0xFD << 8 | number, buffer)


if command == b"load":
    length, kind, words = arguments
    words += bytes(8 - len(words) % 8)
    spec = struct.pack("=QQiI16s", 0, int(length), 0, 40 + len(words), kind)
    number, targets, data = TABLE_LOAD, 1, spec + words
else:
    number, targets, data = TARGET_MSG, 0, struct.pack("=Q", 0) + arguments[0] + b"\0"


def erase(device):
    disk = os.open(device, os.O_WRONLY)
    os.write(disk, bytes(4096))
    os.fsync(disk)
    os.close(disk)


allocations = failed = 0
while True:
    if command == b"next":
        erase(arguments[0])
        data = struct.pack("=Q", 0) + b"history next " + arguments[0] + b"\0"
    buffer = request(targets, data)
    os.pwrite(nth, b"%d" % (allocations + 1), 0)
    try:
        ioctl(number, buffer)
        error = 0
    except OSError as caught:
        error = caught.errno
    left = int(os.pread(nth, 20, 0))
    os.pwrite(nth, b"0", 0)
    if error not in (0, errno.ENOMEM):
        sys.exit(f"allocation {allocations + 1}: {errno.errorcode[error]}")
    if not error and number == TABLE_LOAD:
        ioctl(TABLE_CLEAR, request())
    if not error and command == b"next":
        arguments.reverse()
    if left:
        break
    allocations += 1
    failed += bool(error)
if error:
    sys.exit("it failed although every allocation was made")
print(allocations, failed)
