#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Odd reads and writes. What each must result in is calculated here, independently of the kernel.

odd-bios.py COUNT SEED CHUNK

The devices `linear` and `imgrement` have the table TARGETS over nullb0 and nullb1. The targets of the latter have the
labels of TARGETS and search for DAMN. I/O goes to the devices `top-linear` and `top-imgrement`. These pass it on, split
at every CHUNK sectors (0: not split).

Each request consists of pieces of memory: single sectors, in the middle of pages, and several adjacent pages. It
must arrive whole at both disks, in the same bios. Our log must have a delta for each part of a page, with the right
length and place, and the pattern must be counted in it. Prints what was done.
"""

import fcntl
import mmap
import os
import random
import re
import struct
import sys

import loglines

PAGE, SECTOR = 4096, 512
# First sector, sectors, first sector below, label. The targets meet in the middle of pages.
TARGETS = [(0, 2045, 64, "a"), (2045, 3, 4099, "b"), (2048, 30720, 8192, "c")]
SECTORS = 32766
TRACING = "/sys/kernel/tracing/"
EVENT = TRACING + "events/block/block_bio_queue/"
HEADER = struct.Struct("=3I2I1Ii3IQ128s129s7x")
TARGET_MSG = 14

count, seed, chunk = map(int, sys.argv[1:])
random.seed(seed)
control = os.open("/dev/mapper/control", os.O_RDWR)
log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
# Earlier records may be more than the log keeps.
os.lseek(log, 0, os.SEEK_END)
KINDS = "linear", "imgrement"
disks = {kind: os.open(f"/dev/mapper/top-{kind}", os.O_RDWR | os.O_DIRECT) for kind in KINDS}
lower = [os.open(f"/dev/nullb{i}", os.O_RDONLY | os.O_DIRECT) for i in range(2)]

# Huge pages (MAP_HUGETLB), because a bio then has many pages in one vector; and small pages.
huge = memoryview(mmap.mmap(-1, 4 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000))
small = memoryview(mmap.mmap(-1, 1200 * 2 * PAGE))
memory = mmap.mmap(-1, 1 << 20)


def content(disk, start, sectors):
    """The content of a disk there."""
    found = b""
    while len(found) < sectors * SECTOR:
        size = os.preadv(disk, [memory], start * SECTOR + len(found))
        found += memory[:size]
    return found[: sectors * SECTOR]


model = bytearray(content(disks["linear"], 0, SECTORS))


def message(sector, text):
    data = struct.pack("=Q", sector) + text + b"\0"
    size = HEADER.size + len(data)
    head = HEADER.pack(4, 0, 0, size, HEADER.size, 0, 0, 0, 0, 0, 0, b"imgrement", b"")
    fcntl.ioctl(control, 3 << 30 | HEADER.size << 16 | 0xFD << 8 | TARGET_MSG, bytearray(head + data))


def logged():
    """Our lines since the last call, without the marks, by label."""
    for start, *_ in TARGETS:
        message(start, b"mark drained")
    lines = {label: [] for *_, label in TARGETS}
    while True:
        try:
            text = os.read(log, 8192).decode(errors="replace").split(";", 1)[1].split("\n")[0]
        except BlockingIOError:
            return lines
        if (match := re.fullmatch(r"imgrement: (\w): (?!mark:)(.*)", text)):
            lines[match[1]].append(match[2])


def bios():
    """The bios that reached each disk since the last call."""
    found = {"0": [], "1": []}
    with open(TRACING + "trace") as trace:
        for line in trace:
            if (match := re.search(r"block_bio_queue: \d+,(\d+) (.*) \[", line)):
                found[match[1]].append(match[2])
    open(TRACING + "trace", "w").close()
    return found["0"], found["1"]


def pieces():
    """The pieces of a request: memory, offset in it, and length in sectors. No two are adjacent."""
    kind = random.choice(["sectors", "pages", "mixed", "huge", "two"])
    if kind == "huge":
        begin, length = random.randrange(2048), random.choice([9, 64, 2049, 4096, 6144])
        return kind, [(huge, begin, min(length, 8192 - begin))]
    if kind == "two":
        begin = random.randrange(8)
        return kind, [(huge, begin, 2049), (small, 3, 13), (huge, 4096 + begin, 1025)]
    number = random.choice([1, 2, 255, 256]) if kind == "sectors" else random.randrange(1, 64)
    result, at = [], 0
    for _ in range(number):
        begin = random.randrange(8)
        length = {"sectors": 1, "pages": 8, "mixed": random.randrange(1, 20)}[kind]
        result.append((small, at + begin, length))
        at += (begin + length + 15) // 8 * 8
    return kind, result


def deltas(place, vectors, start, length, below):
    """The deltas for one target's part of a request: length, offset, first, last, place in the data."""
    done = 0
    for _, begin, sectors in vectors:
        for i in range(sectors):
            sector, offset = place + done, (begin + i) % 8
            done += 1
            if not start <= sector < start + length:
                continue
            # Each piece, page, target and chunk starts a new delta.
            if i == 0 or offset == 0 or sector == start or chunk and sector % chunk == 0:
                yield [0, offset * SECTOR, sector - start + below, 0, (done - 1) * SECTOR]
            yield None


def expected(*arguments):
    result = []
    for delta in deltas(*arguments):
        if delta:
            result.append(delta)
        else:
            result[-1][0] += SECTOR
            result[-1][3] = result[-1][2] + result[-1][0] // SECTOR - 1
    return result


def occurrences(data):
    return len(re.findall(b"(?=DAMN)", data))


def read_log(letter, lines, wanted, data):
    """Whether the lines are whole requests, in order, that together have the wanted deltas."""
    parsed = [loglines.parse(line) for line in lines]
    assert None not in parsed, lines
    lines, wanted = iter(parsed), iter(wanted)
    line = next(lines, None)
    requests = []
    while line:
        pages, hits = [], []
        while line.kind == "in_page":
            pages.append((line.name, line.times))
            line = next(lines)
        assert line.kind == "request" and line.op == letter and line.first is None, line
        request, data_read = line, b""
        line = next(lines, None)
        for index in range(request.deltas):
            length, offset, first, last, at = next(wanted)
            delta = loglines.Line(kind="delta", index=index, length=length, offset=offset, first=first, last=last)
            assert line == delta, (line, delta)
            line = next(lines, None)
            segment = data[at : at + length]
            data_read += segment
            if letter == "W" and (inside := occurrences(segment)):
                hits.append(("DAMN", inside))
                assert line == loglines.Line(kind="in_delta", name="DAMN", times=inside), (line, inside)
                line = next(lines, None)
        size = request.bytes
        assert size == len(data_read) and pages == hits, (size, len(data_read), pages, hits)
        across = occurrences(data_read) - sum(times for _, times in hits)
        if letter == "W" and across:
            assert line == loglines.Line(kind="across_deltas", name="DAMN", times=across), (line, across)
            line = next(lines, None)
        requests.append((size, request.deltas))
    assert next(wanted, None) is None
    return requests


if not int(open(EVENT + "enable").read()):
    open(TRACING + "options/record-cmd", "w").write("0")
    open(EVENT + "enable", "w").write("1")
major = os.major(os.fstat(lower[0]).st_rdev)
open(EVENT + "filter", "w").write(f"dev == {major << 20} || dev == {major << 20 | 1}")
logged(), bios()

done = {}
for _ in range(count):
    letter = random.choice("WWR")
    kind, vectors = pieces()
    total = sum(length for *_, length in vectors)
    # Often across two targets.
    place = random.choice([random.randrange(SECTORS - total), max(0, 2046 - random.randrange(total + 1))])
    if letter == "W":
        text = b"".join(random.choices([b"DAMN", b"DAM", b"N", b"MN", b"....." * 20], k=64))
        text *= total * SECTOR // len(text) + 1
        model[place * SECTOR : (place + total) * SECTOR] = text[: total * SECTOR]
    data = bytes(model[place * SECTOR : (place + total) * SECTOR])
    views = [memory[begin * SECTOR : (begin + length) * SECTOR] for memory, begin, length in vectors]
    for disk in disks.values():
        at = 0
        for view in views:
            view[:] = data[at : at + len(view)] if letter == "W" else bytes(len(view))
            at += len(view)
        move = os.pwritev if letter == "W" else os.preadv
        assert move(disk, views, place * SECTOR) == total * SECTOR
        assert b"".join(views) == data, (letter, kind, place, total)
    lines = logged()
    for start, length, below, label in TARGETS:
        wanted = expected(place, vectors, start, length, below)
        try:
            requests = read_log(letter, lines[label], wanted, data)
        except AssertionError as error:
            sys.exit(f"{letter} of {kind} at {place}, {total} sectors, {vectors}: {label}: {error}")
    through_linear, through_us = bios()
    assert through_linear == through_us and through_us, (through_linear, through_us)
    size = max(int(bio.split()[3]) for bio in through_us)
    key = f"{letter} {kind}"
    done[key] = done.get(key, 0) + 1
    done["largest"] = max(done.get("largest", 0), size)

# The content of the disks afterwards.
for number, disk in enumerate(lower):
    for start, length, below, _ in TARGETS:
        length = min(length, SECTORS - start)
        if content(disk, below, length) != model[start * SECTOR : (start + length) * SECTOR]:
            sys.exit(f"nullb{number} has not what was written from sector {start} on")
print(*(f"{key}: {value}" for key, value in sorted(done.items())), sep="\n")
