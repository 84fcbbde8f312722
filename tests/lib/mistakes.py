#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compares the mistakes that were printed with the tables of docs/mistakes.md: each has a row, and each row was
printed, with each of its errors.

mistakes.py FILE < SAID

SAID has lines of what imgrement said, what device-mapper said and the error, separated by tabs. Rows that
are made elsewhere are left out: those of make, and those that cannot be typed.
"""

import re
import sys


def cells(line):
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]


def regex(cell):
    """Text in `...` matches literally, except text in <...>, which matches anything."""
    parts = re.split(r"(<\w+>)", cell.strip("`"))
    return re.compile("".join(".+" if part.startswith("<") else re.escape(part) for part in parts))


rows, section = [], ""
for line in open(sys.argv[1], encoding="utf-8"):
    if line.startswith("## "):
        section = line[3:].strip()
    elif line.startswith("|") and not line.startswith(("|---", "| imgrement says", "| message")):
        ours, dm, errors, *_ = cells(line)
        if section == "Cannot be typed":
            continue
        if section == "Without the module":
            if not dm.startswith("`modprobe"):
                continue
            errors = ""
        rows.append((line, regex(ours), regex(dm), set(errors.replace("`", "").split())))

said = [line.rstrip("\n").split("\t") for line in sys.stdin]
missing = {(at, error) for at, row in enumerate(rows) for error in row[3] or {""}}
faults = []
for ours, dm, error in said:
    fitting = [
        (at, dm_regex)
        for at, (_, our_regex, dm_regex, errors) in enumerate(rows)
        if our_regex.fullmatch(ours) and error in (errors or {""})
    ]
    # device-mapper prints nothing for a message. Its row is that of a table, which a table must have made, too.
    if ours and not dm:
        made = [at for at, dm_regex in fitting if not dm_regex.pattern]
    else:
        fitting = [(at, dm_regex) for at, dm_regex in fitting if dm_regex.fullmatch(dm)]
        made = [at for at, _ in fitting]
    if not fitting:
        faults.append(f"no row has: {ours} | {dm} | {error}")
    missing.difference_update((at, error) for at in made)
faults += [f"nothing has made this row, {error}: {rows[at][0]}" for at, error in sorted(missing)]
if faults or len(rows) < 30:
    sys.exit("\n".join([f"{len(rows)} rows", *faults]))
print(f"{len(rows)} rows, {len(said)} mistakes")
