#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Replaces the patterns of a target many times while blocks are written through it.

pattern-swap.py run NAME CHANGES     searches for `always` and `a`, then with each message for one more or one
                                     less of `a` and `b`, while two threads write blocks with all three in them.
                                     Prints how many were written.
pattern-swap.py check WRITES < LINES the log: each write was searched with one of the sets that there were, the
                                     same in its page and in its copy. Prints with which ones.
"""

import collections
import mmap
import os
import re
import sys
import threading
import time

import dm


def write(device, number, stop, written):
    """Blocks with each text once, the last two far from the first, at places of its own."""
    file = os.open(device, os.O_WRONLY | os.O_DIRECT)
    block = mmap.mmap(-1, 4096)
    block[:] = b".".ljust(4096, b".")
    block[10:16] = b"always"
    block[2000:2004] = b"texA"
    block[4090:4094] = b"texB"
    while not stop.is_set():
        os.pwrite(file, block, 4096 * (written[number] % 512 * 2 + number))
        written[number] += 1
        time.sleep(0.002)


def run(name, changes):
    stop, written = threading.Event(), [0, 0]
    writers = [threading.Thread(target=write, args=(f"/dev/mapper/{name}", number, stop, written)) for number in (0, 1)]
    for writer in writers:
        writer.start()
    messages = [b"pattern add b texB", b"pattern del a", b"pattern add a texA", b"pattern del b"]
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
    # What was found in each write: in its page, and in its copy.
    found = []
    pages = collections.Counter()
    for line in sys.stdin.read().splitlines():
        if match := re.fullmatch(r"Found (\S+) from page (\d+) times", line):
            pages[match[1]] += int(match[2])
        elif line.startswith("W, "):
            found.append((pages, collections.Counter()))
            pages = collections.Counter()
        elif match := re.fullmatch(r"Found (\S+) from deltas (\d+) times", line):
            found[-1][1][match[1]] += int(match[2])
        elif not re.match(r"bv #0: |mark: ", line):
            sys.exit(f"pattern-swap.py: what is this? {line}")
    for pages, copies in found:
        if pages != copies or any(times != 1 for times in pages.values()):
            sys.exit(f"pattern-swap.py: in the page {dict(pages)}, in the copy {dict(copies)}")
        kinds["+".join(sorted(pages))] += 1
    if kinds.total() != writes or set(kinds) != {"a+always", "a+always+b", "always+b"}:
        sys.exit(f"pattern-swap.py: of {writes} writes {kinds.total()} were searched, with {dict(kinds)}")
    print(", ".join(f"{times} {kind}" for kind, times in sorted(kinds.items())))


if sys.argv[1] == "run":
    run(sys.argv[2], int(sys.argv[3]))
else:
    check(int(sys.argv[2]))
