#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sends many ioctls to a device, and prints each answer: errno or result, and the returned data.

ioctls.py DEVICE
"""

import ctypes
import errno
import fcntl
import os
import struct
import sys

SG_IO = 0x2285
FROM_DEVICE, TO_DEVICE, NO_DATA = -3, -2, -1


def answer(what, number, argument=0):
    if isinstance(argument, (bytes, bytearray)):
        argument = bytearray(argument)
    try:
        result = fcntl.ioctl(device, number, argument)
    except OSError as error:
        print(what, errno.errorcode[error.errno])
        return
    if what == "IOC_PR_READ_RESERVATION":
        # The number of changes since the disk appeared.
        argument[8:12] = bytes(4)
    print(what, result, argument.hex() if isinstance(argument, bytearray) else "")


def scsi(what, command, direction=NO_DATA, data=b"", length=0):
    """Sends a SCSI command. The caller compares data, status and sense."""
    command = ctypes.create_string_buffer(bytes(command), len(command))
    buffer = ctypes.create_string_buffer(data, max(len(data), length, 1))
    sense = ctypes.create_string_buffer(32)
    # struct sg_io_hdr
    header = bytearray(struct.pack(
        "=iiBBHIQQQIIiQBBBBHHiII", ord("S"), direction, len(command), len(sense), 0, max(len(data), length),
        ctypes.addressof(buffer), ctypes.addressof(command), ctypes.addressof(sense), 20000, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0,
    ))  # fmt: skip
    try:
        fcntl.ioctl(device, SG_IO, header)
    except OSError as error:
        print(what, errno.errorcode[error.errno])
        return
    status, masked, _, used, host, driver, residual = struct.unpack_from("=BBBBHHi", header, 64)
    data = buffer.raw
    if command.raw[0] == 0x5E:
        # It begins with the same number.
        data = data[4:]
    print(what, status, masked, host, driver, residual, sense.raw[:used].hex(), data.hex())


def partition(operation, number, start=0, length=0):
    """BLKPG: struct blkpg_ioctl_arg with a struct blkpg_partition."""
    part = ctypes.create_string_buffer(struct.pack("=qqi64s64s4x", start, length, number, b"", b""))
    data = struct.pack("=iii4xQ", operation, 0, len(part), ctypes.addressof(part))
    answer(f"BLKPG {operation}", 0x1269, data)


device = os.open(sys.argv[1], os.O_RDWR)

scsi("TEST UNIT READY", bytes(6))
scsi("INQUIRY", [0x12, 0, 0, 0, 96, 0], FROM_DEVICE, length=96)
scsi("READ CAPACITY", [0x25] + [0] * 9, FROM_DEVICE, length=8)
scsi("MODE SENSE", [0x1A, 0, 8, 0, 64, 0], FROM_DEVICE, length=64)
scsi("READ", [0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0], FROM_DEVICE, length=512)
scsi("WRITE", [0x2A, 0, 0, 0, 0, 4, 0, 0, 1, 0], TO_DEVICE, b"W" * 512)
scsi("READ beyond the end", [0x28, 0, 0x7F, 0, 0, 0, 0, 0, 1, 0], FROM_DEVICE, length=512)
scsi("no such command", [0xFF] + [0] * 15)

# Persistent reservations: of dm, and by themselves.
answer("IOC_PR_REGISTER", 0x401870C8, struct.pack("=QQII", 0, 0x1234, 0, 0))
answer("IOC_PR_REGISTER, a wrong key", 0x401870C8, struct.pack("=QQII", 0x99, 0x55, 0, 0))
answer("IOC_PR_RESERVE", 0x401070C9, struct.pack("=QII", 0x1234, 1, 0))
answer("IOC_PR_READ_RESERVATION", 0x801070CF, bytes(16))
scsi("PERSISTENT RESERVE IN, keys", [0x5E, 0, 0, 0, 0, 0, 0, 0, 64, 0], FROM_DEVICE, length=64)
scsi("PERSISTENT RESERVE IN, reservation", [0x5E, 1, 0, 0, 0, 0, 0, 0, 64, 0], FROM_DEVICE, length=64)
answer("IOC_PR_PREEMPT", 0x401870CB, struct.pack("=QQII", 0x1234, 0x1234, 3, 0))
answer("IOC_PR_RELEASE", 0x401070CA, struct.pack("=QII", 0x1234, 3, 0))
answer("IOC_PR_RELEASE, of another kind", 0x401070CA, struct.pack("=QII", 0x1234, 2, 0))
answer("IOC_PR_PREEMPT_ABORT", 0x401870CC, struct.pack("=QQII", 0x1234, 0x77, 1, 0))
answer("IOC_PR_CLEAR", 0x401070CD, struct.pack("=QII", 0x1234, 0, 0))
answer("IOC_PR_CLEAR, again", 0x401070CD, struct.pack("=QII", 0x1234, 0, 0))

# Partitions, geometry, read-ahead, and other questions to disks.
partition(1, 1, 65536, 65536)
partition(3, 1, 65536, 131072)
partition(2, 1)
NUMBERS = {
    "BLKRRPART": 0x125F, "BLKFLSBUF": 0x1261, "HDIO_DRIVE_CMD": 0x031F, "HDIO_DRIVE_TASKFILE": 0x031D,
    "CDROMEJECT": 0x5309, "CDROM_GET_CAPABILITY": 0x5331, "SCSI_IOCTL_TEST_UNIT_READY": 2,
    "SCSI_IOCTL_DOORLOCK": 0x5380, "FIFREEZE": 0xC0045877, "FIBMAP": 1, "no such ioctl": 0x1B2B,
    "DM_VERSION": 0xC138FD00,
}  # fmt: skip
for what, number in NUMBERS.items():
    answer(what, number)
SIZES = {
    "HDIO_GETGEO": (0x0301, 16), "HDIO_GET_IDENTITY": (0x030D, 512), "HDIO_GET_WCACHE": (0x030E, 8),
    "BLKROGET": (0x125E, 4), "BLKRAGET": (0x1263, 8), "BLKFRAGET": (0x1265, 8), "BLKSECTGET": (0x1267, 2),
    "BLKSSZGET": (0x1268, 4), "BLKBSZGET": (0x80081270, 8), "BLKGETSIZE64": (0x80081272, 8),
    "BLKIOMIN": (0x1278, 4), "BLKIOOPT": (0x1279, 4), "BLKALIGNOFF": (0x127A, 4), "BLKPBSZGET": (0x127B, 4),
    "BLKDISCARDZEROES": (0x127C, 4), "BLKROTATIONAL": (0x127E, 2), "BLKGETZONESZ": (0x80041284, 4),
    "BLKGETNRZONES": (0x80041285, 4), "SG_GET_VERSION_NUM": (0x2282, 4), "SG_GET_TIMEOUT": (0x2202, 4),
    "SCSI_IOCTL_GET_IDLUN": (0x5382, 8), "SCSI_IOCTL_GET_BUS_NUMBER": (0x5386, 4),
    "SCSI_IOCTL_GET_PCI": (0x5387, 32), "NVME_IOCTL_ID": (0x4E40, 4),
}  # fmt: skip
for what, (number, size) in SIZES.items():
    answer(what, number, bytes(size))
