#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""One direct write, of pieces of memory that are not adjacent.

write.py DEVICE OFFSET PIECES [AT=TEXT]...

PIECES are lengths, as in 512,1024@3584. Each piece begins a page, or at the place after the @. All bytes are dots
except TEXT (with %HH for any byte). TEXT begins at byte AT of the whole, and may continue from piece to piece. Prints
the number of bytes written. After an error, it prints the error's name and exits with 1.
"""

import errno
import mmap
import os
import sys
from urllib.parse import unquote_to_bytes

PAGE = mmap.PAGESIZE

device, offset, pieces, *texts = sys.argv[1:]

pieces = [tuple(map(int, (piece + "@0").split("@")[:2])) for piece in pieces.split(",")]
whole = bytearray(b"." * sum(length for length, _ in pieces))
for at, text in (text.split("=", 1) for text in texts):
    text = unquote_to_bytes(text)
    whole[int(at) : int(at) + len(text)] = text

# A page between the pieces keeps them apart.
rooms = [PAGE * ((place + length - 1) // PAGE + 2) for length, place in pieces]
memory = memoryview(mmap.mmap(-1, sum(rooms)))
vectors = []
begin = done = 0
for (length, place), room in zip(pieces, rooms):
    vector = memory[begin + place : begin + place + length]
    vector[:] = whole[done : done + length]
    vectors.append(vector)
    begin += room
    done += length

try:
    print(os.pwritev(os.open(device, os.O_WRONLY | os.O_DIRECT), vectors, int(offset)))
except OSError as error:
    sys.exit(errno.errorcode[error.errno])
