#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Reads the trace events, in a trace instance of its own.

events.py start EVENT...    start recording these events of imgrement
events.py agree NAME        check that the events of a mapped device agree with its status, and that each request
                            completes once. Reset the counters before the start. No request may be in flight
events.py found NAME FILE   the same, and check the events delta and match. FILE was written to the start of the device,
                            and the matches must be those that Python finds in it
events.py show [NAME]       print all events of one device, or of all, a line each
"""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

INSTANCE = Path("/sys/kernel/tracing/instances/case")

LINE = re.compile(
    r" *(?P<task>.*)-(?P<pid>\d+) +\[(?P<cpu>\d+)\] \S+ +(?P<time>[\d.]+): (?P<event>\w+): "
    r"(?P<dev>\d+,\d+) (?P<rest>.*)"
)
REQUEST = re.compile(
    r"(?P<op>\S+) (?P<rwbs>[A-Z]+) sector=(?P<sector>\d+) bytes=(?P<bytes>\d+) id=(?P<id>\d+) deltas=(?P<deltas>\d+) "
    r"hits=(?P<hits>\d+) page=(?P<page>\d+) copy=(?P<copy>\d+) across=(?P<across>\d+) cgroup=(?P<cgroup>\d+) "
    r"\[(?P<command>.*)\]"
)
COMPLETE = re.compile(
    r"(?P<op>\S+) (?P<rwbs>[A-Z]+) sector=(?P<sector>\d+) bytes=(?P<bytes>\d+) id=(?P<id>\d+) errno=(?P<errno>\d+) "
    r"latency=(?P<latency>\d+) \[(?P<command>.*)\]"
)
DELTA = re.compile(
    r"id=(?P<id>\d+) index=(?P<index>\d+) length=(?P<length>\d+) offset=(?P<offset>\d+) sector=(?P<sector>\d+) "
    r"hits=(?P<hits>\d+)"
)
MATCH = re.compile(
    r"id=(?P<id>\d+) (?P<where>\w+) sector=(?P<sector>\d+) byte=(?P<byte>\d+) pattern=(?P<pattern>\S+)"
)
MARK = re.compile(r"text=(?P<text>\S+)")
TABLE = re.compile(r"(?P<why>\w+) name=(?P<name>\S*) lower=(?P<lower>\d+,\d+) line=(?P<line>.*)")
FORMS = {
    "request": REQUEST, "complete": COMPLETE, "delta": DELTA, "match": MATCH, "mark": MARK, "table": TABLE
}


class Event:
    """An event: its fields; numbers as numbers."""

    def __init__(self, match):
        self.kind, self.dev, self.time, self.cpu = match["event"], match["dev"], float(match["time"]), int(match["cpu"])
        self.pid = int(match["pid"])
        rest = FORMS[self.kind].fullmatch(match["rest"])
        assert rest, f"no line of {self.kind}: {match['rest']!r}"
        self.fields = {key: int(value) if value.isdigit() else value for key, value in rest.groupdict().items()}
        vars(self).update(self.fields)

    def __repr__(self):
        return f"{self.kind} {self.dev} {self.fields}"


def start(*events):
    INSTANCE.mkdir()
    (INSTANCE / "trace_clock").write_text("mono")
    (INSTANCE / "buffer_size_kb").write_text("8192")
    for event in events:
        (INSTANCE / f"events/imgrement/{event}/enable").write_text("1")


def number(name):
    """The number of a mapped device, as events print it."""
    device = os.stat(f"/dev/mapper/{name}").st_rdev
    return f"{os.major(device)},{os.minor(device)}"


def read(name=None):
    """The events of a device, or of all, in order. Fails if any was lost."""
    for stats in INSTANCE.glob("per_cpu/*/stats"):
        for kind, count in re.findall(r"(overrun|dropped events): (\d+)", stats.read_text()):
            assert count == "0", f"{stats}: {kind} {count}"
    device = number(name) if name else None
    events = []
    for line in (INSTANCE / "trace").read_text().splitlines():
        match = LINE.fullmatch(line)
        if match and device in (None, match["dev"]):
            events.append(Event(match))
    return events


def status(name):
    """The counts of all targets of a device together."""
    counts = Counter()
    output = subprocess.run(["dmsetup", "status", name], check=True, capture_output=True, text=True).stdout
    for line in output.splitlines():
        words = line.split()[3:]
        pairs = zip(words[::2], map(int, words[1 : words.index("patterns") : 2]))
        counts.update(dict(pairs))
    return counts


# The word in the status for an op, and for its sectors.
COUNTERS = {
    "read": ("read", "sectors_read"),
    "write": ("write", "sectors_written"),
    "flush": ("flush", None),
    "discard": ("discard", "sectors_discarded"),
    "secure-erase": ("secure_erase", "sectors_discarded"),
    "write-zeroes": ("write_zeroes", "sectors_zeroed"),
    "zone-append": ("zone", "sectors_written"),
    "zone-reset": ("zone", None),
    "zone-reset-all": ("zone", None),
    "zone-open": ("zone", None),
    "zone-close": ("zone", None),
    "zone-finish": ("zone", None),
    "other": ("other", None),
}


def completed(name):
    """The events of a device, once as many requests have completed as were sent on."""
    for _ in range(600):
        events = read(name)
        kinds = Counter(event.kind for event in events)
        if kinds["request"] == kinds["complete"]:
            return events
        time.sleep(0.1)
    raise AssertionError(f"{name}: {kinds}")


def agree(name):
    events = completed(name)
    requests = [event for event in events if event.kind == "request"]
    counted, told = status(name), Counter()
    for event in requests:
        word, sectors = COUNTERS[event.op]
        told[word] += 1
        if sectors:
            told[sectors] += event.bytes // 512
        told["segments"] += event.deltas
        told["page"] += event.page
        told["deltas"] += event.copy
        told["across"] += event.across
        told["across_requests"] += event.hits - event.page - event.across

    ends = {}
    for event in events:
        if event.kind == "complete":
            assert event.id not in ends, f"twice: {event}"
            ends[event.id] = event
            told["errors"] += event.errno != 0
            assert event.latency > 0, event
    for event in requests:
        end = ends.pop(event.id)
        for field in "op", "rwbs", "bytes", "command", *(["sector"] if event.op != "zone-append" else []):
            assert getattr(event, field) == getattr(end, field), f"{field}: {event}, {end}"
    assert not ends, f"no request: {ends}"

    # For reads, the event of the request could not report matches yet.
    late = {"page", "deltas", "across"} if "--late" in sys.argv else set()
    words = {word for words in COUNTERS.values() for word in words if word} | {
        "segments", "page", "deltas", "across", "across_requests", "errors"
    }
    for word in sorted(words - late):
        assert counted[word] == told[word], f"{name}: {word}: counted {counted[word]}, told {told[word]}"

    # Each CPU counts up by one.
    cpus = {}
    for event in requests:
        cpus.setdefault(event.id >> 48, []).append(event.id)
    for ids in cpus.values():
        assert sorted(ids) == list(range(min(ids), max(ids) + 1)), f"holes: {sorted(ids)}"
    print(f"{name}: {len(requests)} requests on {len(cpus)} CPUs,", dict(+Counter(event.op for event in requests)))


def found(name, file):
    events = completed(name)
    counted = status(name)
    requests = {event.id: event for event in events if event.kind == "request"}
    deltas = [event for event in events if event.kind == "delta"]
    matches = [event for event in events if event.kind == "match"]

    # The deltas of each request are its segments in order. Those of a write come before the request's event.
    by_id = {}
    for delta in deltas:
        by_id.setdefault(delta.id, []).append(delta)
    for id, request in requests.items():
        done = hits = 0
        for index, delta in enumerate(by_id.get(id, [])):
            assert delta.index == index and delta.sector == request.sector + done // 512, (request, delta)
            assert delta.offset + delta.length <= 4096, delta
            done += delta.length
            hits += delta.hits
        assert done == (request.bytes if request.op in ("read", "write") else 0), (request, by_id.get(id))
        assert hits == request.page or request.op == "read", (request, by_id.get(id))
        there = [match for match in matches if match.id == id]
        assert request.hits == len(there) or request.op == "read", (request, there)
        assert request.across == sum(match.where == "across" for match in there)
    assert counted["segments"] == len(deltas), f"{counted['segments']} segments, {len(deltas)} deltas"
    assert counted["page"] == sum(delta.hits for delta in deltas), "hits of deltas"

    # By place, and by pattern.
    told = Counter(match.where for match in matches)
    assert counted["across_requests"] == told["requests"], told
    assert counted["page"] + counted["across"] == told["page"] + told["across"] + told["read"], told
    output = subprocess.run(["dmsetup", "status", name], check=True, capture_output=True, text=True).stdout
    words = output.split(" patterns ")[1].split()[1:]
    counts = dict(zip(words[::2], map(int, words[1::2])))
    assert counts == {**dict.fromkeys(counts, 0), **Counter(match.pattern for match in matches)}, counts

    # Each is where Python finds it, in what was written and in what was read.
    text = Path(file).read_bytes()
    for op in "write", "read":
        places = [
            (match.pattern, match.sector * 512 + match.byte) for match in matches if (match.where == "read") == (op == "read")
        ]
        for word in counts:
            bytes_ = re.sub(b"%(..)", lambda hex: bytes([int(hex[1], 16)]), word.encode())
            # All matches, including overlapping ones.
            wanted = [find.start() for find in re.finditer(b"(?=" + re.escape(bytes_) + b")", text)]
            got = sorted(place for pattern, place in places if pattern == word)
            assert got == wanted or op == "read" and got == [], f"{op} {word}: {got}, wanted {wanted}"
    print(f"{name}: {len(requests)} requests, {len(deltas)} deltas,", dict(told))


def show(name=None):
    for event in read(name):
        fields = [f"{key}={value}" for key, value in event.fields.items() if key not in ("id", "cgroup")]
        print(event.kind, f"dev={event.dev}", *fields, f"id={event.fields.get('id')}")


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    {"start": start, "agree": agree, "found": found, "show": show}[words[0]](*words[1:])
