#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""One write past the page cache, of pieces of memory that are not next to each other.

write.py DEVICE OFFSET PIECES [AT=TEXT]...

PIECES are their lengths, 512,1024@3584: each begins a page, or at the place after the @. All bytes
are dots but TEXT (with %HH for any byte), which begins at byte AT of the whole and may go on from
piece to piece. Prints how many bytes were written; an error ends it with 1 and prints its name.
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
