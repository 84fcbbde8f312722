# SPDX-License-Identifier: GPL-2.0
"""Parses the lines of our log. No other place in the tests knows their format.

`parse(line)` takes a line without time, prefix and label. It returns a `Line`, or None if the line is not ours.
"""

import re
import types

# A word is printed escaped, so it never has a space.
WORD = r"[!-~]+"
# Where a request is on the disk. Not every line of a request has this.
AT = r"(?:, at \((?P<first>\d+), (?P<last>\d+)\))?"
# A limit of 0 is no limit: it leaves nothing out.
LIMIT = r"log_(?:rate|lines) [1-9]\d*"
TOO_SLOW = r"the console was too slow"
FOUND = rf"Found (?P<name>{WORD}) %s (?P<times>[1-9]\d*) times"

# The kinds of lines. Each group is a field. Fields of digits only are numbers.
KINDS = {
    "in_page": FOUND % "from page",
    "in_delta": FOUND % "from deltas",
    "across_deltas": FOUND % "across deltas",
    "across_requests": FOUND % "across requests",
    "place": rf"Found (?P<name>{WORD}) at sector (?P<sector>\d+), byte (?P<byte>\d+)",
    "more_places": r"Found (?P<times>[1-9]\d*) more, at places not recorded",
    "request": rf"(?P<op>[A-Za-z-]+), bytes to transfer: (?P<bytes>\d+), delta count: (?P<deltas>\d+){AT}",
    "delta": r"bv #(?P<index>\d+): len (?P<length>\d+), offset (?P<offset>\d+), at \((?P<first>\d+), (?P<last>\d+)\)",
    "cut": rf"(?P<lines>[1-9]\d*) lines of this request left out of the log \({TOO_SLOW}\)",
    "left_out": rf"(?P<requests>[1-9]\d*) requests left out of the log \((?P<reason>{LIMIT}|{TOO_SLOW})\)",
    "lost": r"(?P<unrecorded>\d+) requests passed unrecorded, (?P<without_bytes>\d+) recorded without their bytes"
    r"(?:, (?P<without_finds>\d+) without all that was found)?",
    "failed": rf"(?P<op>[A-Za-z-]+), error (?P<error>\d+){AT}",
    "errors_left_out": r"(?P<errors>[1-9]\d*) errors left out of the log",
    "mark": rf"mark: (?P<text>{WORD})",
    "began": rf"(?P<disk>{WORD}) trace initialization succeeded",
}
NUMBERS = set(
    "times sector byte bytes deltas index length offset first last lines requests unrecorded without_bytes"
    " without_finds error errors".split()
)
_KINDS = [(kind, re.compile(regex)) for kind, regex in KINDS.items()]


class Line(types.SimpleNamespace):
    """A line: its `kind`, a key of `KINDS`, and the fields of that kind. Absent fields are None."""


def parse(line):
    """The line, parsed, or None."""
    for kind, regex in _KINDS:
        if match := regex.fullmatch(line):
            fields = match.groupdict()
            for name in NUMBERS & fields.keys():
                fields[name] = fields[name] and int(fields[name])
            return Line(kind=kind, **fields)
    return None
