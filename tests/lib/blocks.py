#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Writes a file to the start of a device, each byte once, with direct I/O.

blocks.py DEVICE FILE SIZES WRITERS [SEED]

The file is cut into blocks. SIZES (1,8,16) lists the numbers of 512-byte sectors to choose from. With a SEED, the
blocks are written in random order, by WRITERS at a time. Prints the number of blocks.
"""

import mmap
import os
import random
import sys
import threading

device, name, sizes, writers, *seed = sys.argv[1:]
sizes = [512 * int(size) for size in sizes.split(",")]
writers = int(writers)
chance = random.Random(int(seed[0]) if seed else 1)
with open(name, "rb") as file:
    contents = file.read()

blocks = []
at = 0
while at < len(contents):
    size = min(chance.choice(sizes), len(contents) - at)
    blocks.append((at, size))
    at += size
count = len(blocks)
if seed:
    chance.shuffle(blocks)
lock = threading.Lock()
failed = []


def write():
    file = os.open(device, os.O_WRONLY | os.O_DIRECT)
    memory = mmap.mmap(-1, max(sizes))
    try:
        while True:
            with lock:
                if not blocks:
                    return
                at, size = blocks.pop(0)
            memory[:size] = contents[at : at + size]
            os.pwrite(file, memoryview(memory)[:size], at)
    except OSError as error:
        failed.append(error)


threads = [threading.Thread(target=write) for _ in range(writers)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if failed:
    sys.exit(str(failed[0]))
print(count)
