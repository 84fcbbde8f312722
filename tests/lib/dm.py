#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Device-mapper's ioctls, for cases in which dmsetup would change a word or a size.

dm.py load NAME START LENGTH TYPE PARAMETERS   load a table of one line into the inactive slot
dm.py message NAME TEXT                        send a message to sector 0
dm.py status NAME SIZE...                      the status, with SIZE bytes of space after the header
dm.py table NAME SIZE...                       the same for the table

The last two print what came back for each size, or `buffer full`. After an error, it prints the error's name and exits
with 1. PARAMETERS and TEXT are sent byte by byte as given.
"""

import errno
import fcntl
import os
import struct
import sys

# struct dm_ioctl, version 4: version[3], data_size, data_start, target_count, open_count, flags,
# event_nr, padding, dev, name[128], uuid[129], data[7].
HEADER = struct.Struct("=3I2I1Ii3IQ128s129s7x")
# struct dm_target_spec: sector_start, length, status, next, target_type[16].
SPEC = struct.Struct("=QQiI16s")

SUSPEND = 1 << 1
STATUS_TABLE = 1 << 4
BUFFER_FULL = 1 << 8
SKIP_LOCKFS = 1 << 10
NOFLUSH = 1 << 11

DEV_SUSPEND = 6
TABLE_LOAD = 9
TABLE_STATUS = 12
TARGET_MSG = 14


def ioctl(number, name, flags=0, targets=0, data=b"", room=0):
    """Returns the flags, the number of targets and the data that came back."""
    size = HEADER.size + max(len(data), room)
    head = HEADER.pack(4, 0, 0, size, HEADER.size, targets, 0, flags, 0, 0, 0, name, b"")
    buffer = bytearray((head + data).ljust(size, b"\0"))
    with open("/dev/mapper/control", "rb+", buffering=0) as control:
        # _IOWR(0xfd, number, struct dm_ioctl)
        fcntl.ioctl(control, 3 << 30 | HEADER.size << 16 | 0xFD << 8 | number, buffer)
    _, _, _, size, start, targets, _, flags, *_ = HEADER.unpack_from(buffer)
    return flags, targets, bytes(buffer[start:size])


def load(name, start, length, kind, parameters):
    data = parameters + b"\0"
    data += bytes(-len(data) % 8)
    spec = SPEC.pack(int(start), int(length), 0, SPEC.size + len(data), kind)
    ioctl(TABLE_LOAD, name, targets=1, data=spec + data)


def message(name, text):
    """Returns whether there is an answer that did not fit: there is as much room as the text takes."""
    # struct dm_target_msg: the sector, then the text.
    flags, *_ = ioctl(TARGET_MSG, name, data=struct.pack("=Q", 0) + text + b"\0")
    return bool(flags & BUFFER_FULL)


def suspend(name, flags=0):
    ioctl(DEV_SUSPEND, name, flags=SUSPEND | flags)


def resume(name):
    ioctl(DEV_SUSPEND, name)


def lines(name, size, flags=0):
    """Status or table, a line for each target; None if there was not room enough."""
    flags, targets, data = ioctl(TABLE_STATUS, name, flags=flags, room=size)
    if flags & BUFFER_FULL:
        return None
    at, found = 0, []
    for _ in range(targets):
        start, length, _, after, kind = SPEC.unpack_from(data, at)
        text = data[at + SPEC.size :].split(b"\0", 1)[0]
        kind = kind.rstrip(b"\0").decode()
        found.append(f"{start} {length} {kind} {text.decode('ascii')}")
        at = after
    return found


def show(name, size, flags):
    found = lines(name, size, flags)
    print("buffer full" if found is None else "\n".join(found))


COMMANDS = {
    b"load": load,
    b"message": message,
    b"status": lambda name, *sizes: [show(name, int(size), 0) for size in sizes],
    b"table": lambda name, *sizes: [show(name, int(size), STATUS_TABLE) for size in sizes],
}

if __name__ == "__main__":
    command, *arguments = map(os.fsencode, sys.argv[1:])
    try:
        COMMANDS[command](*arguments)
    except OSError as error:
        sys.exit(errno.errorcode[error.errno])
