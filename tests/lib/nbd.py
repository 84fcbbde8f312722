#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""nbd.py NBD DEVICE: make NBD a network block device that is DEVICE, without a network, until SIGTERM.

The server and the kernel talk over a pair of sockets. (nbd-server computes primes before it answers, which takes an
emulated CPU up to a minute.)
"""

import fcntl
import mmap
import os
import signal
import socket
import struct
import sys
import threading

SET_SOCK, SET_BLKSIZE, DO_IT, CLEAR_SOCK, SET_SIZE_BLOCKS, DISCONNECT, SET_FLAGS = (
    0xAB00 + number for number in (0, 1, 3, 4, 7, 8, 10)
)
READ, WRITE, DISC, FLUSH, TRIM, WRITE_ZEROES = 0, 1, 2, 3, 4, 6
# The flags: has flags, flush, FUA, trim, write zeroes.
FLAGS = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6
FUA = 1
BLKDISCARD, BLKZEROOUT = 0x1277, 0x127F
# Request: magic number, flags and command, handle, offset, length. Then the reply.
REQUEST, REPLY = struct.Struct(">IHH8sQI"), struct.Struct(">II8s")

nbd = os.open(sys.argv[1], os.O_RDWR)
disk = os.open(sys.argv[2], os.O_RDWR | os.O_DIRECT)
size = os.lseek(disk, 0, os.SEEK_END)
ours, kernels = socket.socketpair()
fcntl.ioctl(nbd, SET_SOCK, kernels.fileno())
fcntl.ioctl(nbd, SET_BLKSIZE, 512)
fcntl.ioctl(nbd, SET_SIZE_BLOCKS, size // 512)
fcntl.ioctl(nbd, SET_FLAGS, FLAGS)
signal.signal(signal.SIGTERM, lambda *_: fcntl.ioctl(nbd, DISCONNECT))
device = threading.Thread(target=lambda: fcntl.ioctl(nbd, DO_IT))
device.start()


def do(command, flags, at, length):
    if command == READ:
        os.preadv(disk, [memory[:length]], at)
    elif command == WRITE:
        os.pwritev(disk, [memory[:length]], at, os.RWF_DSYNC if flags & FUA else 0)
    elif command == FLUSH:
        os.fsync(disk)
    else:
        fcntl.ioctl(disk, BLKDISCARD if command == TRIM else BLKZEROOUT, struct.pack("=QQ", at, length))


memory = memoryview(mmap.mmap(-1, 32 << 20))
stream = ours.makefile("rb", 1 << 16)
while True:
    _, flags, command, handle, at, length = REQUEST.unpack(stream.read(REQUEST.size))
    if command == DISC:
        break
    if command == WRITE:
        stream.readinto(memory[:length])
    error = 0
    try:
        do(command, flags, at, length)
    except OSError as caught:
        error = caught.errno
    ours.sendall(REPLY.pack(0x67446698, error, handle))
    if command == READ and not error:
        ours.sendall(memory[:length])
ours.shutdown(socket.SHUT_RDWR)
device.join()
fcntl.ioctl(nbd, CLEAR_SOCK)
