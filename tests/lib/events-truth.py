#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compares the events of the target `imgrement` with three other accounts of the same requests: status, the block
layer's events for the device below (`lower`, which completes each bio as a whole), and fio.

    events-truth.py fio LOGS COMMAND...     LOGS: fio writes its logs to LOGS_clat.N.log
    events-truth.py any COMMAND...          the same without fio

Runs the command, which must leave no request in flight, and checks what it did.
"""

import collections
import glob
import os
import subprocess
import sys

from tracefs import Instance

DISK, LOWER = "/dev/mapper/imgrement", "/dev/mapper/lower"
# Each op by its number in the events (docs/events.md): its word in status, its letters in blktrace's `rwbs`, and the
# word that counts its sectors.
OPS = {
    0: ("read", "R", "sectors_read"),
    1: ("write", "W", "sectors_written"),
    2: ("flush", "W", None),
    3: ("discard", "D", "sectors_discarded"),
    4: ("secure_erase", "DE", "sectors_discarded"),
    5: ("write_zeroes", "WZ", "sectors_zeroed"),
}
PAGE = 4096
FUA, PREFLUSH, META, SYNC, ATOMIC, READ_AHEAD = 1, 2, 4, 8, 32, 64


def expect(what, wanted, got):
    if wanted != got:
        raise SystemExit(f"{what}: wanted {wanted}, got {got}")


def expect_counts(what, wanted, got):
    """The same for two counters. Only the differences are printed."""
    expect(what, wanted - got, got - wanted)


def status():
    """The counters of the status."""
    text = subprocess.run(["dmsetup", "status", "imgrement"], check=True, stdout=subprocess.PIPE).stdout.decode()
    words = text.split(" patterns ")[0].split()
    return collections.Counter({word: int(count) for word, count in zip(words[3::2], words[4::2])})


def device(path):
    """The device number, as the kernel stores it in an event."""
    number = os.stat(path).st_rdev
    return os.major(number) << 20 | os.minor(number)


def rwbs(event):
    """The op and the flags of one of our events, in the block layer's letters."""
    letters = "F" if event.flags & PREFLUSH else ""
    letters += OPS[event.op][1]
    for flag, letter in (FUA, "F"), (READ_AHEAD, "A"), (SYNC, "S"), (META, "M"), (ATOMIC, "U"):
        letters += letter if event.flags & flag else ""
    return letters


def place(sector, sectors):
    """The identity of a request. The sector of an empty request means nothing."""
    return (sector if sectors else None, sectors)


def sizes(groups):
    return collections.Counter({key: len(group) for key, group in groups.items()})


def groups(events, key):
    """The events by key, each group in order of time."""
    found = collections.defaultdict(list)
    for event in events:
        found[key(event)].append(event)
    return found


def compare_with_status(requests, completes):
    counted = collections.Counter()
    for event in requests:
        word, _, sectors = OPS[event.op]
        counted[word] += 1
        counted.update(segments=event.deltas, page=event.page, deltas=event.copy, across=event.across)
        if sectors:
            counted[sectors] += event.bytes // 512
    expect_counts("status, and the requests", status(), counted)
    expect("devices", {device(DISK)}, {event.dev for event in requests + completes})


def compare_completions(requests, completes):
    """Each request completes once, after it began. Returns pairs of both events."""
    by_id = {event.id: event for event in completes}
    expect("requests with an id of their own", len(requests), len({event.id for event in requests}))
    expect("completions, and those with an id of their own", (len(requests), len(requests)), (len(completes), len(by_id)))
    pairs = [(event, by_id[event.id]) for event in requests]
    for request, complete in pairs:
        for name in "op", "sector", "bytes", "flags", "command":
            expect(f"{name} of {complete}", getattr(request, name), getattr(complete, name))
        expect(f"error of {complete}", 0, complete.errno)
        if not 0 < complete.latency:
            raise SystemExit(f"the latency of {complete}")
        if request.time > complete.time:
            raise SystemExit(f"{complete} comes before {request}")
    return pairs


def compare_segments(requests, deltas):
    """The segments of a request follow one another without a gap, each within a page."""
    by_request = groups(deltas, lambda event: event.id)
    for request in requests:
        done = 0
        segments = by_request.pop(request.id, [])
        expect(f"segments of {request}", list(range(request.deltas)), [segment.index for segment in segments])
        for segment in segments:
            expect(f"sector of {segment}", request.sector + done // 512, segment.sector)
            if not 0 < segment.length <= PAGE - segment.offset:
                raise SystemExit(f"{segment} is not within a page")
            done += segment.length
        if request.deltas:
            expect(f"bytes in the segments of {request}", request.bytes, done)
        expect(f"hits in the pages of {request}", request.page, sum(segment.hits for segment in segments))
    expect("segments without a request", {}, by_request)


def compare_with_lower(pairs, queued, done):
    """Exactly these requests reach the device below. Each begins and ends there while imgrement has it."""
    ours = groups(pairs, lambda pair: (rwbs(pair[0]), *place(pair[0].sector, pair[0].bytes // 512)))
    begun = groups(queued, lambda event: (event.rwbs, *place(event.sector, event.nr_sector)))
    ended = groups(done, lambda event: (event.rwbs, *place(event.sector, event.nr_sector)))
    for name, lower in ("queued", begun), ("completed", ended):
        expect_counts(f"our requests, and those {name} below", sizes(ours), sizes(lower))
    for key, group in ours.items():
        # Equal requests cannot be told apart, but their sums do not depend on the order.
        below = sum(event.time for event in ended[key]) - sum(event.time for event in begun[key])
        if sum(complete.latency for _, complete in group) < below:
            raise SystemExit(f"{key}: the device below took longer, {below} ns: {group}")
        for (request, _), event in zip(group, begun[key]):
            if request.time > event.time:
                raise SystemExit(f"{event} comes before {request}")
        for complete, event in zip(sorted(complete.time for _, complete in group), ended[key]):
            if event.time > complete:
                raise SystemExit(f"{event} comes after its completion")


def compare_with_fio(pairs, logs, first):
    """fio measures its whole system call, so a request takes no longer for imgrement than for fio. `first` is the
    target's first sector on the device below."""
    theirs = collections.defaultdict(list)
    for name in glob.glob(logs + "_clat.*.log"):
        with open(name) as file:
            for line in file:
                _, latency, direction, size, offset = (int(word) for word in line.split(",")[:5])
                theirs[direction, offset // 512 + first, size].append(latency)
    ours = groups((complete for _, complete in pairs if complete.op in (0, 1)),
                  lambda event: (event.op, event.sector, event.bytes))
    expect_counts("fio's requests, and ours", sizes(theirs), sizes(ours))
    for key, group in ours.items():
        if sum(event.latency for event in group) > sum(theirs[key]):
            raise SystemExit(f"{key}: fio says they took {theirs[key]} ns, the events say {group}")
    middle = [sorted(latencies)[len(latencies) // 2] for latencies in (
        [event.latency for group in ours.values() for event in group],
        [latency for group in theirs.values() for latency in group],
    )]
    print(f"median latency: {middle[0]} ns, fio says {middle[1]} ns")


def main():
    kind, *words = sys.argv[1:]
    logs = words.pop(0) if kind == "fio" else None
    table = subprocess.run(["dmsetup", "table", "imgrement"], check=True, stdout=subprocess.PIPE).stdout.decode()
    with Instance("truth", 8192) as trace:
        only = f"dev == {device(LOWER)}"
        trace.enable("block/block_bio_queue", only)
        trace.enable("block/block_bio_complete", only)
        trace.enable("imgrement/request")
        trace.enable("imgrement/complete")
        trace.enable("imgrement/delta")
        subprocess.run(["dmsetup", "message", "imgrement", "0", "reset"], check=True)
        subprocess.run(words, check=True)
        events = groups(trace.rest(), lambda event: event.event)
        expect("events lost", 0, trace.lost())
        requests, completes = events["request"], events["complete"]
        compare_with_status(requests, completes)
        pairs = compare_completions(requests, completes)
        compare_segments(requests, events["delta"])
        compare_with_lower(pairs, events["block_bio_queue"], events["block_bio_complete"])
    kinds = collections.Counter(rwbs(event) for event in requests)
    print(len(requests), "requests:", *(f"{count} {letters}" for letters, count in sorted(kinds.items())))
    if logs:
        compare_with_fio(pairs, logs, int(table.split()[4]))


main()
