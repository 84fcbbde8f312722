#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Reads our lines of the kernel's log (without time and prefix) and sees that each request is whole.

log.py [LABEL]  the lines with that label, or all lines where no label is given

A line that does not fit where it stands, a delta that is missing or whose numbers do not fit its
request, a place outside of it, or places that are not as many as was found, ends it with 1. It prints how
many whole requests there are, how many it says it left out or cut short, passed unrecorded and recorded without their
bytes, and, where there are any, without all that was found.
"""

import collections
import re
import sys

label = sys.argv[1] + ": " if len(sys.argv) > 1 else ""
lines = [line[len(label) :] for line in sys.stdin.read().splitlines() if line.startswith(label)]
at = 0


def wrong(what):
    context = "\n".join(lines[max(at - 4, 0) : at + 2])
    sys.exit(f"log.py: {what}, at the last but one of\n{context}")


class Cut(Exception):
    """The log says that the rest of a request is missing: so many lines."""


def take(regex):
    """The groups of the next line, if it is such a line."""
    global at
    if inside and at < len(lines) and (cut := re.fullmatch(CUT, lines[at])):
        at += 1
        raise Cut(int(cut[1]))
    match = re.fullmatch(regex, lines[at]) if at < len(lines) else None
    at += bool(match)
    return match and [int(group) if group and group.isdigit() else group for group in match.groups()]


CUT = r"([1-9]\d*) lines of this request left out of the log \(the console was too slow\)"
PLACE = r"Found \S+ at sector (\d+), byte (\d+)"
OTHERS = r"mark: \S+|\S+ trace initialization succeeded"
ERROR = r"[A-Za-z-]+, error \d+(?:, at \(\d+, \d+\))?|\d+ errors left out of the log"
FOUND = r"Found (\S+) {} ([1-9]\d*) times"
PAYLOAD = r"(?:R|W|zone-append), bytes to transfer: (\d+), delta count: (\d+)"
NO_PAYLOAD = r"[a-z-]+, bytes to transfer: 0, delta count: 0(?:, at \(\d+, \d+\))?"
DELTA = r"bv #(\d+): len (\d+), offset (\d+), at \((\d+), (\d+)\)"

requests = left_out = unrecorded = without_bytes = without_finds = 0
# Whether a line of a request has been read, and which deltas are to come.
inside, to_come = False, 0


def read():
    """Reads a request, or another line."""
    global inside, to_come, requests, left_out, unrecorded, without_bytes, without_finds
    pages = collections.Counter()
    found = 0
    while hit := take(FOUND.format("from page")):
        pages[hit[0]] += 1
        inside, to_come = True, 1
        found += hit[1]
    if request := take(PAYLOAD):
        size, count = request
        begin = done = 0
        inside, to_come = True, count
        for index in range(count):
            delta = take(DELTA) or wrong(f"delta {index} of {count} is missing")
            number, length, offset, first, last = delta
            begin = begin if index else first * 512
            place = (number, first, last)
            if place != (index, (begin + done) // 512, (begin + done + length - 1) // 512):
                wrong("this is not the next delta")
            if not length or offset + length > 4096:
                wrong("this is more than a page")
            done += length
            to_come -= 1
            copies = set()
            while hit := take(FOUND.format("from deltas")):
                if hit[0] in copies:
                    wrong("this was said of the delta before")
                copies.add(hit[0])
        if done != size:
            wrong(f"the deltas have {done} bytes")
        if max(pages.values(), default=0) > count:
            wrong(f"found in more than {count} pages")
        for way in ("across deltas", "across requests"):
            while hit := take(FOUND.format(way)):
                found += hit[1]
        told = 0
        while place := take(PLACE):
            told += 1
            # Across requests, it may begin in the one before.
            if not begin - 254 <= place[0] * 512 + place[1] < begin + size or place[1] >= 512:
                wrong("this place is not in the request")
        if told:
            more = take(r"Found ([1-9]\d*) more, at places not recorded")
            told += more[0] if more else 0
            # Where not all could be recorded, it is the lines before that are missing.
            if told != found and not (without_finds and told > found):
                wrong(f"{told} places of {found}")
        requests += 1
        inside = False
    elif pages:
        wrong("no write comes after what was found in it")
    elif take(NO_PAYLOAD) is not None:
        requests += 1
    elif more := take(r"(\d+) requests left out of the log \((?:log_(?:rate|lines) \d+|the console was too slow)\)"):
        left_out += more[0]
    elif more := take(r"(\d+) requests passed unrecorded, (\d+) recorded without their bytes(?:, (\d+) without all that was found)?"):
        unrecorded += more[0]
        without_bytes += more[1]
        without_finds += more[2] or 0
    elif take(ERROR) is None and take(OTHERS) is None:
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
