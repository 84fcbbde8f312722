#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Checks that a file system keeps what was synced.

synced.py write FOLDER    replaces files there, one after another, until it is killed, and prints the number of each
                          once it is synced
synced.py check FOLDER N  reads them again: all are whole, and N and the files before it are there

File N has the name N % 100. It holds its name, its number, and as many bytes as follow from these.
"""

import os
import random
import sys

FILES = 100


def content(number):
    chance = random.Random(number)
    return b"%d\n" % number + chance.randbytes(chance.randrange(1 << 16))


def write(folder):
    at = os.open(folder, os.O_RDONLY)
    number = 0
    while True:
        number += 1
        file = os.open("new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, dir_fd=at)
        os.write(file, content(number))
        os.fsync(file)
        os.close(file)
        os.rename("new", str(number % FILES), src_dir_fd=at, dst_dir_fd=at)
        os.fsync(at)
        print(folder, number, flush=True)


def check(folder, last):
    for number in range(max(1, last - FILES + 1), last + 1):
        with open(f"{folder}/{number % FILES}", "rb") as file:
            data = file.read()
        found = int(data.split(b"\n", 1)[0])
        if found < number or found % FILES != number % FILES:
            sys.exit(f"synced.py: {folder} has {found} where {number} was synced")
        if data != content(found):
            sys.exit(f"synced.py: {folder}: {found} is damaged")


if sys.argv[1] == "write":
    write(sys.argv[2])
else:
    check(sys.argv[2], int(sys.argv[3]))
