#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""use-memory.py MIB TIMES: fills that much memory with what can be told again, and looks at it so often."""

import random
import sys

mib, times = map(int, sys.argv[1:])


some = random.Random(1).randbytes(1 << 20)


def content(number):
    """No page of it is like any other."""
    return some[number:] + some[:number]


memory = [bytearray(content(number)) for number in range(mib)]
for _ in range(times):
    for number in random.sample(range(mib), mib):
        if memory[number] != content(number):
            sys.exit(f"use-memory.py: MiB {number} is not what it was")
        # Written to, so that it goes to the disk again.
        memory[number][0] = memory[number][0]
