#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Creates, uses and removes a device of our target over and over, without a process for each step.

cycles.py FIRST LAST

A cycle has these steps: create a device; load a table over all of sdb (4 MiB); write a block with a match; send a
message; load a table that is refused in its second line, after the first line was accepted; load one that is never
used; remove the device. Each tenth cycle unloads the module, and device-mapper loads it again.
"""

import errno
import fcntl
import mmap
import os
import struct
import subprocess
import sys

DEV_CREATE, DEV_REMOVE, DEV_SUSPEND, TABLE_LOAD, TARGET_MSG = 3, 4, 6, 9, 14

control = os.open("/dev/mapper/control", os.O_RDWR)
block = mmap.mmap(-1, 4096)
block[:4] = b"DAMN"


def ioctl(number, data=b"", targets=0):
    """Sends it for the device `leak`, and returns the number of the device."""
    # struct dm_ioctl, version 4, then what it is about.
    head = struct.Struct("=3I2I1Ii3IQ128s129s7x")
    size = head.size + len(data)
    buffer = bytearray(head.pack(4, 0, 0, size, head.size, targets, 0, 0, 0, 0, 0, b"leak", b"") + data)
    fcntl.ioctl(control, 3 << 30 | head.size << 16 | 0xFD << 8 | number, buffer)
    return head.unpack_from(buffer)[10]


def load(*lines):
    data = b""
    for start, length, text in lines:
        text += bytes(8 - len(text) % 8)
        data += struct.pack("=QQiI16s", start, length, 0, 40 + len(text), b"imgrement") + text
    ioctl(TABLE_LOAD, data, len(lines))


def cycle(number):
    if number % 10 == 0:
        subprocess.run(["rmmod", "dm-imgrement"], check=True)
    device = ioctl(DEV_CREATE)
    load((0, 8192, b"/dev/sdb 0 4 records 64 label leak"))
    ioctl(DEV_SUSPEND)
    disk = os.open(f"/dev/dm-{os.minor(device)}", os.O_RDWR | os.O_DIRECT)
    assert os.pwrite(disk, block, 0) == len(block)
    os.close(disk)
    ioctl(TARGET_MSG, struct.pack("=Q", 0) + b"pattern text%d\0" % number)
    try:
        load((0, 4096, b"/dev/sdb 0 2 records 64"), (4096, 4096, b"/dev/sdb 0 1 bad"))
        sys.exit("this should have been refused")
    except OSError as error:
        assert error.errno == errno.EINVAL
    load((0, 8192, b"/dev/sdb 0 2 records 64"))
    ioctl(DEV_REMOVE)


for number in range(int(sys.argv[1]), int(sys.argv[2]) + 1):
    cycle(number)
