#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Replaces the patterns of a target many times while blocks are written through it.

pattern-swap.py run NAME CHANGES     searches for `always` and `a`. Each message then adds or removes one of `a` and
                                     `b`, down to `always` alone, while two threads write requests that contain
                                     all three. Prints the number of writes.
pattern-swap.py check WRITES < LINES checks the log: each write was searched with one of the sets, the same one in all
                                     its pages, across them, and in its copy. Prints which sets.
"""

import collections
import mmap
import os
import sys
import threading
import time

import dm
import loglines

SIZE, PAGES, ACROSS = 16384, 2, 1


def write(device, number, stop, written):
    """Writes requests of four pages to places of its own, with each text in the first page, in the last one, and across
    two."""
    file = os.open(device, os.O_WRONLY | os.O_DIRECT)
    block = mmap.mmap(-1, SIZE)
    block[:] = b"." * SIZE
    for at in (10, 8190, SIZE - 6):
        block[at : at + 6] = b"always"
    for text, places in ((b"texA", (2000, 4094, SIZE - 20)), (b"texB", (4000, 12287, SIZE - 10))):
        for at in places:
            block[at : at + 4] = text
    while not stop.is_set():
        os.pwrite(file, block, SIZE * (written[number] % 128 * 2 + number))
        written[number] += 1
        time.sleep(0.002)


def run(name, changes):
    stop, written = threading.Event(), [0, 0]
    writers = [threading.Thread(target=write, args=(f"/dev/mapper/{name}", number, stop, written)) for number in (0, 1)]
    for writer in writers:
        writer.start()
    messages = [b"pattern add b texB", b"pattern del a", b"pattern del b", b"pattern add a texA"]
    try:
        for change in range(changes):
            dm.message(os.fsencode(name), messages[change % 4])
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    print(sum(written))


def check(writes):
    kinds = collections.Counter()
    # What was found in each write: in its pages, in their copies, and across them.
    found = []
    pages = collections.Counter()
    for text in sys.stdin.read().splitlines():
        line = loglines.parse(text)
        kind = line and line.kind
        if kind == "in_page":
            pages[line.name] += line.times
        elif kind == "request" and line.op == "W":
            found.append((pages, collections.Counter(), collections.Counter()))
            pages = collections.Counter()
        elif kind == "in_delta":
            found[-1][1][line.name] += line.times
        elif kind == "across_deltas":
            found[-1][2][line.name] += line.times
        elif kind not in ("delta", "mark"):
            sys.exit(f"pattern-swap.py: what is this? {text}")
    for pages, copies, across in found:
        wanted = collections.Counter(dict.fromkeys(pages, PAGES)), collections.Counter(dict.fromkeys(pages, ACROSS))
        if (pages, across) != wanted or pages != copies:
            sys.exit(f"pattern-swap.py: in pages {dict(pages)}, in copies {dict(copies)}, across them {dict(across)}")
        kinds["+".join(sorted(pages))] += 1
    if kinds.total() != writes or set(kinds) != {"a+always", "a+always+b", "always+b", "always"}:
        sys.exit(f"pattern-swap.py: of {writes} writes {kinds.total()} were searched, with {dict(kinds)}")
    print(", ".join(f"{times} {kind}" for kind, times in sorted(kinds.items())))


if sys.argv[1] == "run":
    run(sys.argv[2], int(sys.argv[3]))
else:
    check(int(sys.argv[2]))
