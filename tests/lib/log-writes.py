#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Reads logs in the format of dm-log-writes, independently of the project's own code.

log-writes.py wait LOG MARK
    Waits until the log of a device that is in use has this mark.
log-writes.py same LOG OTHER
    Both must have the same entries in the same order.
log-writes.py between UPPER LOG LOWER HISTORY
    UPPER and LOWER are logs that dm-log-writes made above and below a target with a history. LOG is what the command
    exports from that HISTORY. All three must have the same writes, flushes, discards and marks. A request completes in
    the lower device first, and in the upper one last. A flush reaches the upper device first, and the lower one last.
    So a write that a flush made durable in UPPER must be so in LOG, and one in LOG must be so in LOWER.
log-writes.py replay LOG DISK [MARK]
    The writes of the log, on zeroes, must give what the file or device DISK has: all of them, or those before a mark.

The format, from drivers/md/dm-log-writes.c of the kernel: a block with the magic number, the version, the number of
entries and the size of a block. Each entry is a block with sector, sectors (both in blocks), flags and the length of
the text of a mark, which follows. The data comes after that, except for a discard.
"""
import collections
import hashlib
import struct
import subprocess
import sys
import time

import history

FLUSH, FUA, DISCARD, MARK, METADATA = (1 << bit for bit in range(5))
# A target with a history splits requests where a multiple of this begins.
SPLIT = 1 << 20

Entry = collections.namedtuple("Entry", "start length flags data")


def read(path):
    """The entries; start and length are in bytes, and the data of a mark is its text."""
    with open(path, "rb") as file:
        magic, version, count, block = struct.unpack("<QQQI", file.read(28))
        assert (magic, version) == (0x6A736677736872, 1), "no log: %#x, %d" % (magic, version)
        at = block
        for _ in range(count):
            file.seek(at)
            head = file.read(block)
            sector, sectors, flags, length = struct.unpack_from("<QQQQ", head)
            at += block
            assert flags or sectors, "an entry of nothing"
            data = b""
            if flags == MARK:
                data = head[32:32 + length]
                assert head[32 + length] == 0, "a text without an end"
            else:
                assert length == 0 and not any(head[32:]), "data within an entry"
                if not flags & DISCARD:
                    data = file.read(sectors * block)
                    assert len(data) == sectors * block, "the log is too short"
                    at += len(data)
            yield Entry(sector * block, sectors * block, flags, data)


def pieces(path):
    """The entries, split as a history splits them, with a checksum for their data."""
    for entry in read(path):
        at, end = entry.start, entry.start + entry.length
        data = entry.data if entry.flags == MARK else b""
        if at == end:
            # A flush that device-mapper splits off a write keeps its sector and its FUA, which mean nothing without data.
            yield entry._replace(start=0, flags=entry.flags & ~FUA)
        while at < end:
            to = min(end, (at // SPLIT + 1) * SPLIT)
            if entry.data:
                data = hashlib.md5(entry.data[at - entry.start:to - entry.start]).digest()
            yield Entry(at, to - at, entry.flags, data)
            at = to


def told(entry):
    return "%#x+%#x flags %#x %s" % (entry.start, entry.length, entry.flags,
                                     entry.data.decode() if entry.flags == MARK else entry.data.hex()[:8])


def sequence(path):
    """The pieces in their order. The two parts of one request may complete in either order."""
    entries = list(pieces(path))
    for index in range(1, len(entries)):
        first, second = entries[index - 1:index + 1]
        if first.start % SPLIT == 0 and second.length and second.start + second.length == first.start:
            entries[index - 1:index + 1] = second, first
    return entries


def same(one, other):
    ours, theirs = sequence(one), sequence(other)
    for number, (a, b) in enumerate(zip(ours, theirs)):
        if a != b:
            sys.exit("entry %d is %s in %s, and %s in %s" % (number, told(a), one, told(b), other))
    if len(ours) != len(theirs):
        sys.exit("%d entries in %s, %d in %s" % (len(ours), one, len(theirs), other))
    return ours


def overlapping_flushes(path):
    """For each flush of a history, in the order in which they completed, the last one that was in flight with it."""
    log = history.Log(path)
    heads = {}
    for entry in log.entries:
        if entry.name == "completions":
            for position, head, _, _ in struct.iter_unpack("<QQQQ", entry.payload):
                heads[position] = head
    flushes = sorted((heads[entry.position], entry.position) for entry in log.entries if entry.name == "flush")
    last = list(range(len(flushes)))
    for index in range(len(flushes) - 2, -1, -1):
        if any(position < flushes[index][0] for _, position in flushes[index + 1:]):
            last[index] = last[index + 1]
    return last


def places(path, groups):
    """For each kind of entry, how many flushes come before each of them, in ascending order."""
    found, flushes = collections.defaultdict(list), 0
    for entry in pieces(path):
        place = groups[flushes] if flushes < len(groups) else flushes
        if entry.flags & FLUSH:
            flushes += 1
            place = 0
        found[entry].append(place)
    return {entry: sorted(places) for entry, places in found.items()}


def between(upper, log, lower, past):
    groups = overlapping_flushes(past)
    above, ours, below = (places(path, groups) for path in (upper, log, lower))
    for path, those in (upper, above), (lower, below):
        for entry in sorted(set(ours) | set(those), key=str):
            if len(ours.get(entry, [])) != len(those.get(entry, [])):
                sys.exit("%s: %d times in %s, %d times in %s" % (
                    told(entry), len(ours.get(entry, [])), log, len(those.get(entry, [])), path))
    kinds, differ = collections.Counter(), 0
    for entry, mine in ours.items():
        kinds[entry.flags] += len(mine)
        if entry.flags == MARK and not above[entry] == mine == below[entry]:
            sys.exit("mark %s: after %s, %s, %s flushes" % (told(entry), above[entry], mine, below[entry]))
        # What goes past the cache is durable when it completes.
        if entry.flags & (FLUSH | FUA):
            continue
        for high, here, low in zip(above[entry], mine, below[entry]):
            differ += high != here or here != low
            if not high >= here >= low:
                sys.exit("%s: durable with flush %d in %s, %d in %s, %d in %s" % (
                    told(entry), high, upper, here, log, low, lower))
    print("%s; %d flushes at the same time as another; %d times, one more flush made it durable" % (
        ", ".join("%d with flags %#x" % (count, flags) for flags, count in sorted(kinds.items())),
        sum(index != last for index, last in enumerate(groups)), differ))


def replay(path, disk, mark=None):
    with open(disk, "rb") as file:
        truth = file.read()
    made, unknown = bytearray(len(truth)), set()
    for entry in read(path):
        if entry.flags == MARK and entry.data.decode() == mark:
            break
        sectors = range(entry.start // 512, (entry.start + entry.length) // 512)
        if entry.flags & DISCARD:
            unknown.update(sectors)
        elif entry.data and entry.flags != MARK:
            unknown.difference_update(sectors)
            made[entry.start:entry.start + entry.length] = entry.data
    else:
        if mark:
            sys.exit("%s has no mark %s" % (path, mark))
    wrong = [sector for sector in range(len(truth) // 512)
             if made[sector * 512:sector * 512 + 512] != truth[sector * 512:sector * 512 + 512]
             and sector not in unknown]
    if wrong:
        sys.exit("%s: %d sectors of %s are wrong; the first is %d" % (path, len(wrong), disk, wrong[0]))


def wait(path, mark):
    for _ in range(600):
        # Past the page cache of this device.
        subprocess.check_call(["blockdev", "--flushbufs", path])
        try:
            if any(entry.flags == MARK and entry.data.decode() == mark for entry in read(path)):
                return
        except AssertionError:
            pass
        time.sleep(0.1)
    sys.exit("%s has no mark %s" % (path, mark))


if __name__ == "__main__":
    {"same": same, "between": between, "replay": replay, "wait": wait}[sys.argv[1]](*sys.argv[2:])
