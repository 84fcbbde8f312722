#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""use-memory.py MIB TIMES: fills that much memory with known content, and checks it TIMES times."""

import random
import sys

mib, times = map(int, sys.argv[1:])


some = random.Random(1).randbytes(1 << 20)


def content(number):
    """The content of a page, different for each."""
    return some[number:] + some[:number]


memory = [bytearray(content(number)) for number in range(mib)]
for _ in range(times):
    for number in random.sample(range(mib), mib):
        if memory[number] != content(number):
            sys.exit(f"use-memory.py: MiB {number} is not what it was")
        # Written to, so that it is swapped out again.
        memory[number][0] = memory[number][0]
