#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""talk.py NAME WHO: queries and changes a target until the file /tmp/stop exists.

In each round it reads the status, in which no number may fall. Then it changes pattern and data, reads the table, and
sends a mark, `mark: WHO-ROUND`. Others may do so at the same time. It prints the number of rounds.
"""

import os
import sys
import time

import dm

name, who = map(os.fsencode, sys.argv[1:])
seen = {}
rounds = 0
while not os.path.exists("/tmp/stop"):
    rounds += 1
    [status] = dm.lines(name, 4096)
    words = status.partition(" patterns ")[0].split()[3:]
    for word, number in zip(words[::2], map(int, words[1::2])):
        if number < seen.get(word, 0):
            sys.exit(f"talk.py: {word} was {seen[word]}, and now it is {number}")
        seen[word] = number
    dm.message(name, b"pattern %s%d" % (who, rounds))
    dm.message(name, (b"data on", b"data off")[rounds % 2])
    [table] = dm.lines(name, 4096, dm.STATUS_TABLE)
    if " imgrement " not in table:
        sys.exit(f"talk.py: the table is {table}")
    dm.message(name, b"mark %s-%d" % (who, rounds))
    time.sleep(0.02)
print(rounds)
