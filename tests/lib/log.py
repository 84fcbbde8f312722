#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Reads our lines of the kernel's log (without time and prefix) and checks that each request is whole.

log.py [LABEL]  the lines with that label, or all lines if no label is given

It exits with 1 if a line is out of place, if a delta is missing or its numbers do not match its request, if a place is
outside the request, or if the number of places differs from the number of matches. It prints how many requests are
whole, and how many the log reports as left out or cut short, as unrecorded, as recorded without their bytes, and, if
there are any, without all matches.
"""

import collections
import sys

import loglines

label = sys.argv[1] + ": " if len(sys.argv) > 1 else ""
lines = [line[len(label) :] for line in sys.stdin.read().splitlines() if line.startswith(label)]
at = 0


def wrong(what):
    context = "\n".join(lines[max(at - 4, 0) : at + 2])
    sys.exit(f"log.py: {what}, at the last but one of\n{context}")


class Cut(Exception):
    """The log says that this many lines of a request are missing."""


def take(*kinds):
    """The next line, if it is of one of these kinds."""
    global at
    line = loglines.parse(lines[at]) if at < len(lines) else None
    if line and line.kind == "cut" and inside:
        at += 1
        raise Cut(line.lines)
    if line is None or line.kind not in kinds:
        return None
    at += 1
    return line


# Ops with a payload, and so with a delta for each segment.
PAYLOAD = {"R", "W", "zone-append"}

requests = left_out = unrecorded = without_bytes = without_finds = 0
# Whether a line of a request has been read, and which deltas are still to come.
inside, to_come = False, 0


def read():
    """Reads a request, or another line."""
    global inside, to_come, requests, left_out, unrecorded, without_bytes, without_finds
    pages = collections.Counter()
    found = 0
    while hit := take("in_page"):
        pages[hit.name] += 1
        inside, to_come = True, 1
        found += hit.times
    request = take("request")
    if request and request.op in PAYLOAD:
        if request.first is not None:
            wrong("the deltas say where it is")
        begin = done = 0
        inside, to_come = True, request.deltas
        for index in range(request.deltas):
            delta = take("delta") or wrong(f"delta {index} of {request.deltas} is missing")
            begin = begin if index else delta.first * 512
            place = (index, (begin + done) // 512, (begin + done + delta.length - 1) // 512)
            if (delta.index, delta.first, delta.last) != place:
                wrong("this is not the next delta")
            if not delta.length or delta.offset + delta.length > 4096:
                wrong("this is more than a page")
            done += delta.length
            to_come -= 1
            copies = set()
            while hit := take("in_delta"):
                if hit.name in copies:
                    wrong("this was said of the delta before")
                copies.add(hit.name)
        if done != request.bytes:
            wrong(f"the deltas have {done} bytes")
        if max(pages.values(), default=0) > request.deltas:
            wrong(f"found in more than {request.deltas} pages")
        for way in ("across_deltas", "across_requests"):
            while hit := take(way):
                found += hit.times
        told = 0
        while place := take("place"):
            told += 1
            # A match across requests may begin in the request before.
            if not begin - 254 <= place.sector * 512 + place.byte < begin + request.bytes or place.byte >= 512:
                wrong("this place is not in the request")
        if told:
            more = take("more_places")
            told += more.times if more else 0
            # If not all could be recorded, the lines before this one are missing.
            if told != found and not (without_finds and told > found):
                wrong(f"{told} places of {found}")
        requests += 1
        inside = False
    elif pages:
        wrong("no write comes after what was found in it")
    elif request:
        if request.bytes or request.deltas:
            wrong("this has no payload")
        requests += 1
    elif line := take("left_out"):
        left_out += line.requests
    elif line := take("lost"):
        unrecorded += line.unrecorded
        without_bytes += line.without_bytes
        without_finds += line.without_finds or 0
    elif not take("failed", "errors_left_out", "mark", "began"):
        wrong("no such line should be here")


while at < len(lines):
    try:
        read()
    except Cut as cut:
        if cut.args[0] < to_come:
            wrong(f"{to_come} deltas are missing")
        left_out += 1
        inside = False

print(f"{requests} whole, {left_out} left out, {unrecorded} unrecorded, {without_bytes} without bytes", end="")
print(f", {without_finds} without all that was found" if without_finds else "")
