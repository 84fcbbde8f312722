#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compares a recording with another account of the same requests.

recorded.py agree NAME FILE     each row of FILE against the events of NAME in the instance of events.py, which must have
                                been started before the recording, with all events
recorded.py ids FILE            prints how many requests there are whose beginning was seen, how many ids are missing
                                between them, and how many events were lost
"""

import json
import subprocess
import sys
from collections import Counter

import events


def rows(file):
    """The rows as `imgrement export` prints them."""
    text = subprocess.run(["imgrement", "export", file, "--format", "json"], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in text.stdout.splitlines()]


def equal(what, wanted, got):
    assert wanted == got, f"{what}: wanted {wanted}, got {got}"


def agree(name, file):
    seen = events.completed(name)
    requests = {event.id: event for event in seen if event.kind == "request"}
    ends = {event.id: event for event in seen if event.kind == "complete"}
    deltas, matches = {}, {}
    for event in seen:
        if event.kind == "delta":
            equal("index", len(deltas.setdefault(event.id, [])), event.index)
            deltas[event.id].append((event.length, event.offset, event.sector, event.hits))
        if event.kind == "match":
            matches.setdefault(event.id, []).append((event.pattern, event.where, event.sector, event.byte))
    found = rows(file)
    times = [row["time"] for row in found]
    equal("times", sorted(times), times)
    recorded = [row for row in found if row["kind"] == "request"]
    equal("ids", sorted(requests), sorted(row["id"] for row in recorded))
    offsets = set()
    for row in recorded:
        event, end = requests[row["id"]], ends[row["id"]]
        # The text of the events has microseconds.
        offsets.add(round(row["time"] / 1000 - event.time * 1e6))
        for word in "op", "sector", "bytes", "hits", "page", "copy", "across", "cgroup", "command", "cpu", "pid":
            equal(f"{word} of {row}", getattr(event, word), row[word])
        equal(f"segments of {row}", event.deltas, row["segments"])
        for word in "errno", "latency":
            equal(f"{word} of {row}", getattr(end, word), row[word])
        equal("device", name, row["device"])
        parts = [(part["length"], part["offset"], part["sector"], part["hits"]) for part in row["deltas"]]
        equal(f"segments of {row}", deltas.get(row["id"], []), parts)
        parts = [(part["pattern"], part["place"], part["sector"], part["byte"]) for part in row["matches"]]
        equal(f"matches of {row}", matches.get(row["id"], []), parts)
    # Each instance reads the clock by itself, and an interrupt may come between.
    assert max(offsets) - min(offsets) < 1e6, offsets
    marks = [event.text for event in seen if event.kind == "mark"]
    equal("marks", marks, [row["text"] for row in found if row["kind"] == "mark"])
    tables = [(event.why, event.line) for event in seen if event.kind == "table"]
    equal("tables", tables, [(row["reason"], row["text"]) for row in found if row["kind"] == "table"])
    equal("losses", [], [row for row in found if row["kind"] == "lost"])
    print(f"{len(recorded)} rows, {len(deltas)} with segments, {len(matches)} with matches, {len(marks)} marks,",
          f"{len(tables)} tables,", dict(Counter(row["op"] for row in recorded)))


def ids(file):
    cpus, lost = {}, 0
    for row in rows(file):
        if row["kind"] == "request" and row["cpu"] is not None:
            cpus.setdefault(row["id"] >> 48, []).append(row["id"])
        if row["kind"] == "lost":
            # Null if the kernel does not say; it is then in the last of these rows.
            lost += row["lost"] or 0
    for numbers in cpus.values():
        equal("ids that are there twice", len(set(numbers)), len(numbers))
    holes = sum(max(numbers) - min(numbers) + 1 - len(numbers) for numbers in cpus.values())
    print(sum(map(len, cpus.values())), holes, lost)


if __name__ == "__main__":
    {"agree": agree, "ids": ids}[sys.argv[1]](*sys.argv[2:])
