#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compares everything that sysfs shows of a device over our target with the same over dm-linear.

limits.py < TABLES

Each line of TABLES is `WHAT: TABLE`. The lines of TABLE are separated by `;`, and KIND stands for the target. For each
kind, a new device is created with the table, and then an existing device gets it. Exits with 1 if there is a
difference. Prints each file and value.
"""

import errno
import fcntl
import os
import re
import struct
import sys

# struct dm_ioctl, version 4: see dm.py.
HEADER = struct.Struct("=3I2I1Ii3IQ128s129s7x")
SPEC = struct.Struct("=QQiI16s")
DEV_CREATE, DEV_REMOVE, DEV_SUSPEND, TABLE_LOAD = 3, 4, 6, 9
FOLDERS = "queue", "integrity"
FILES = "alignment_offset", "discard_alignment", "hidden", "range", "ext_range", "removable", "ro", "size"
KINDS = "linear", "imgrement"

control = os.open("/dev/mapper/control", os.O_RDWR)
log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)


def ioctl(number, name, data=b"", targets=0):
    """Returns the number of the device."""
    size = HEADER.size + len(data)
    head = HEADER.pack(4, 0, 0, size, HEADER.size, targets, 0, 0, 0, 0, 0, name.encode(), b"")
    buffer = bytearray(head + data)
    fcntl.ioctl(control, 3 << 30 | HEADER.size << 16 | 0xFD << 8 | number, buffer)
    return HEADER.unpack_from(buffer)[10]


def use(name, table, kind):
    """Gives the device this table."""
    data = b""
    lines = table.replace("KIND", kind).split(";")
    for line in lines:
        start, length, target, parameters = line.split(maxsplit=3)
        # A smaller pool is made faster.
        parameters += " 2 records 16" if target == "imgrement" else ""
        text = parameters.encode() + b"\0"
        text += bytes(-len(text) % 8)
        data += SPEC.pack(int(start), int(length), 0, SPEC.size + len(text), target.encode()) + text
    ioctl(TABLE_LOAD, name, data, len(lines))
    ioctl(DEV_SUSPEND, name)


def messages():
    """Device-mapper's lines in the log since the last call, without the device's number and target."""
    text = []
    while True:
        try:
            line = os.read(log, 8192).decode().split(";", 1)[1].split("\n")[0]
        except BlockingIOError:
            return text
        if line.startswith("device-mapper:"):
            text.append(re.sub(f" \\d+:\\d+: (({'|'.join(KINDS)}): )?", " ", line))


def read(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError as error:
        return errno.errorcode[error.errno]


def limits(device):
    """Everything that can be read."""
    base = f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/"
    names = list(FILES)
    for folder in FOLDERS:
        for where, _, files in os.walk(base + folder):
            names += (os.path.relpath(os.path.join(where, file), base) for file in files)
    return {name: read(base + name) for name in sorted(names)}


def attempt(step):
    """The result of the step, or the error."""
    messages()
    try:
        return step()
    except OSError as error:
        return {"errno": errno.errorcode[error.errno], "log": "\n".join(messages())}


def fresh(table, kind):
    device = ioctl(DEV_CREATE, "limits")
    try:
        use("limits", table, kind)
        return limits(device)
    finally:
        ioctl(DEV_REMOVE, "limits")


def same(what, table, step):
    wanted, got = (attempt(lambda: step(kind)) for kind in KINDS)
    for name in sorted(wanted.keys() | got.keys()):
        if wanted.get(name) != got.get(name):
            values = f"wanted {wanted.get(name)!r}, got {got.get(name)!r}"
            differences.append(f"{what} ({table}): {name}: {values}")
    for name, value in wanted.items():
        print(name, value)


tables = [line.strip().split(": ", 1) for line in sys.stdin]
differences = []
for what, table in tables:
    same(what, table, lambda kind: fresh(table, kind))

devices = {kind: ioctl(DEV_CREATE, kind) for kind in KINDS}


def again(table, kind):
    use(kind, table, kind)
    return limits(devices[kind])


for what, table in tables:
    same(what + ", reloaded", table, lambda kind: again(table, kind))
for kind in KINDS:
    ioctl(DEV_REMOVE, kind)
sys.exit("\n".join(differences) or 0)
