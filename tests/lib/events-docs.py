#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""events-docs.py fields FILE: check that the events and fields in FILE, docs/events.md, are those of the kernel
events-docs.py block FILE N: print the Nth block of commands in FILE, from 1; nothing if there are fewer
"""

import re
import sys
from pathlib import Path

EVENTS = Path("/sys/kernel/tracing/events/imgrement")


def rows(section):
    """The fields of an event, in order, each with its type or None."""
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        names = re.findall(r"`(\w+)`", cells[0])
        if line.startswith("| `"):
            types = re.findall(r"`[^`]+`|text", cells[1])
            yield from zip(names, types if len(types) == len(names) else [None] * len(names))


def kernel(event):
    text = (EVENTS / event / "format").read_text()
    for kind, name, array in re.findall(r"field:([^;]*?) (\w+)(\[\d+\])?;", text):
        if not name.startswith("common_"):
            yield name, "text" if kind == "__data_loc char[]" else f"`{kind}{array}`"


def numbers(text):
    return dict(re.findall(r"(\d+) `([a-z-]+)`", text))


def symbols(event, field):
    """The words that the kernel prints for the numbers of a field."""
    text = (EVENTS / event / "format").read_text()
    words = re.search(rf"__print_symbolic\(REC->{field}, (.*?)\)", text)[1]
    return dict(re.findall(r'\{ (\d+), "([^"]*)" \}', words))


def fields(file):
    text = Path(file).read_text()
    head, *parts = re.split(r"^## ", text, flags=re.M)
    sections = {part.split("\n", 1)[0].removeprefix("imgrement:"): part for part in parts if part.startswith("imgrement:")}
    there = {path.name for path in EVENTS.iterdir() if path.is_dir()}
    assert set(sections) == there, f"events: {sorted(sections)}, the kernel has {sorted(there)}"

    types = {}
    for event, section in sections.items():
        documented, wanted = list(rows(section)), dict(kernel(event))
        names = [name for name, _ in documented]
        assert sorted(names) == sorted(wanted), f"{event}: {names}, the kernel has {list(wanted)}"
        for name, kind in documented:
            # What is the same as in a request has no type of its own.
            types.setdefault(name, kind)
            kind = kind or types[name]
            assert kind == wanted[name], f"{event}: {name}: {kind}, the kernel has {wanted[name]}"
    ops = numbers(re.search(r"- `op` is(.*?)\n- ", text, re.S)[1])
    for event in "request", "complete":
        assert ops == symbols(event, "op"), ops
    for event, field in ("match", "where"), ("table", "why"):
        row = next(line for line in sections[event].splitlines() if line.startswith(f"| `{field}`"))
        assert numbers(row) == symbols(event, field), row
    print(len(there), "events,", sum(len(list(kernel(event))) for event in there), "fields")


def block(file, number):
    blocks = re.findall(r"^```sh\n(.*?)^```$", Path(file).read_text(), flags=re.M | re.S)
    print(end=blocks[int(number) - 1] if int(number) <= len(blocks) else "")


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    {"fields": fields, "block": block}[command](*arguments)
