#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""page-out.py PAGES: have so many pages swapped out, one after the other, and check that they come back. Prints how many
milliseconds it took to send them out."""

import mmap
import os
import sys
import time

MADV_PAGEOUT = 21

pages = int(sys.argv[1])
memory = mmap.mmap(-1, pages * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
content = os.urandom(len(memory))
memory[:] = content
begun = time.monotonic()
for page in range(pages):
    memory.madvise(MADV_PAGEOUT, page * mmap.PAGESIZE, mmap.PAGESIZE)
print(int((time.monotonic() - begun) * 1000))
if memory[:] != content:
    sys.exit("a page has changed")
