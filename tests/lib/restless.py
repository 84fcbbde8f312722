#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Changes something until it is killed.

restless.py files FOLDER SEED     makes, changes, renames, shortens and removes files, in all ways to write
restless.py map PATH SEED         stores to a shared mapping of a device or a file
restless.py memory MIB SEED       stores to memory that may be swapped out

It rests now and then, so that what it writes in a minute fits into the log of a test.
"""
import mmap
import os
import random
import sys
import time

what, where, seed = sys.argv[1:]
chance = random.Random("%s %s" % (what, seed))


def stores(memory):
    """One store at a random place."""
    length = chance.randrange(1, 6000)
    at = chance.randrange(len(memory) - length)
    memory[at:at + length] = chance.randbytes(length)


def mapping():
    fd = os.open(where, os.O_RDWR)
    memory = mmap.mmap(fd, os.lseek(fd, 0, os.SEEK_END))
    while True:
        time.sleep(0.01)
        for _ in range(chance.randrange(1, 40)):
            stores(memory)
        at = chance.randrange(len(memory)) & -mmap.PAGESIZE
        memory.flush(at, min(1 << 20, len(memory) - at))


def memory():
    pages = mmap.mmap(-1, int(where) << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, len(pages), 1 << 16):
        pages[at:at + (1 << 16)] = chance.randbytes(1 << 16)
    while True:
        time.sleep(0.002)
        stores(pages)


def direct(fd, room):
    """A write past the page cache, of whole blocks, half of them durable at once."""
    length = chance.randrange(1, 9) << 12
    room[:length] = chance.randbytes(length)
    at = chance.randrange(8) << 12
    os.pwritev(fd, [memoryview(room)[:length]], at, chance.choice((0, os.RWF_DSYNC)))


def buffered(fd):
    os.pwrite(fd, chance.randbytes(chance.randrange(1, 100000)), chance.randrange(100000))
    if chance.randrange(3) == 0:
        os.fsync(fd)


def mapped(fd):
    os.ftruncate(fd, max(os.fstat(fd).st_size, 50000))
    with mmap.mmap(fd, 50000) as part:
        stores(part)
        if chance.randrange(2):
            part.flush()


def files():
    room = mmap.mmap(-1, 1 << 16)
    while True:
        time.sleep(0.01)
        path = os.path.join(where, str(chance.randrange(20)))
        way = chance.choice(("direct", "buffered", "buffered", "mapped", "shorten", "rename", "remove"))
        if way == "direct":
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_DIRECT)
            direct(fd, room)
            os.close(fd)
        elif way in ("buffered", "mapped"):
            fd = os.open(path, os.O_RDWR | os.O_CREAT)
            buffered(fd) if way == "buffered" else mapped(fd)
            os.close(fd)
        elif os.path.exists(path):
            if way == "shorten":
                os.truncate(path, chance.randrange(50000))
            elif way == "rename":
                os.rename(path, os.path.join(where, str(chance.randrange(20))))
            else:
                os.remove(path)


{"files": files, "map": mapping, "memory": memory}[what]()
