#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Finds the places of texts in the first bytes of a file or device, in the simplest way.

places.py FILE BYTES NAME=TEXT[/i]...

TEXT has %HH for any byte; /i ignores the case of letters. Prints a line for each match, as in the log:
`NAME at sector SECTOR, byte BYTE`, sorted.
"""

import sys
from urllib.parse import unquote_to_bytes

name, size, *texts = sys.argv[1:]
with open(name, "rb") as file:
    contents = file.read(int(size))

found = []
for text in texts:
    shown, text = text.split("=", 1)
    either = text.endswith("/i")
    text = unquote_to_bytes(text.removesuffix("/i"))
    where = contents
    if either:
        where, text = contents.lower(), text.lower()
    at = where.find(text)
    while at >= 0:
        found.append(f"{shown} at sector {at // 512}, byte {at % 512}")
        at = where.find(text, at + 1)
print("\n".join(sorted(found)))
