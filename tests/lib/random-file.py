#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes a file of MIB MiB with as many bytes of writes at random places, 4 to 64 KiB each.

random-file.py FILE MIB cached|direct

It prints the checksum of what was written, not of the file's content, in the format of md5sum.
"""

import hashlib
import mmap
import os
import random
import sys

name, size, how = sys.argv[1], int(sys.argv[2]) << 20, sys.argv[3]

flags = os.O_WRONLY | os.O_CREAT | (os.O_DIRECT if how == "direct" else 0)
file = os.open(name, flags, 0o644)
os.ftruncate(file, size)

# Direct I/O needs aligned memory, so all writes come from here.
source = mmap.mmap(-1, 1 << 20)
source.write(os.urandom(len(source)))
source = memoryview(source)

dice = random.Random(name)
wanted = bytearray(size)
done = 0
while done < size:
    length = dice.randint(1, 16) << 12
    start = dice.randrange((len(source) - length >> 12) + 1) << 12
    place = dice.randrange((size - length >> 12) + 1) << 12
    piece = source[start : start + length]
    assert os.pwrite(file, piece, place) == length
    wanted[place : place + length] = piece
    done += length
os.fsync(file)
print(f"{hashlib.md5(wanted).hexdigest()}  {name}")
