#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The arguments of a table, as described in docs/reference.md, which tests rely on.

reference.py defaults    prints the words after the patterns in a table in which nothing else is set
reference.py history     prints the same of a history, without its device
reference.py arguments   prints the list of arguments of a table, as in the line about an unknown argument
reference.py messages    prints the list of messages
reference.py others      prints for each argument its name, a value that is not its default, the default or `-`, and
                         whether a message can change it: yes or no; without the arguments of a history
"""

import os
import re
import sys

REFERENCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/reference.md")
HEAD = "| argument | value | default | message | meaning |"
# The arguments about patterns have a grammar of their own.
PATTERNS = ("pattern", "pattern_key", "name", "nocase")


class Setting:
    """A row of the tables. `default` is None if nothing is printed by default. The second table is about a history."""

    def __init__(self, second, name, value, default, message):
        self.name = name
        self.second = second
        self.needs_history = second and name != "history"
        # A table never prints it.
        self.prints = name != "history_new"
        self.default = default.strip("`") or None
        self.message = {"yes": True, "no": False}[message]
        self.words = self.range = self.longest = None
        self.device = value.startswith("a device, ")
        value = value.removeprefix("a device, ")
        if value.startswith("`"):
            self.words = re.findall("`([^`]+)`", value)
        elif value.endswith(" bytes"):
            self.longest = int(re.fullmatch(r"1 to (\d+) bytes", value)[1])
        else:
            self.range = tuple(map(int, re.match(r"(\d+) to (\d+)(?=$|, 0 for )", value).groups()))

    def usage(self):
        """The placeholder for the value in the lists."""
        if self.words:
            return "OPS" if self.name == "ops" else "|".join(self.words)
        if self.device:
            return "DEVICE"
        return "TEXT" if self.longest else "N"

    def other(self):
        """A value that is not the default."""
        if self.range:
            return str(next(n for n in (self.range[0] + 1, self.range[0] + 2) if str(n) != self.default))
        return next(word for word in self.words or ["text"] if word != self.default)


def settings():
    """All rows that are not about patterns, in the order in which they print."""
    with open(REFERENCE, encoding="utf-8") as file:
        tables = [table.split("\n\n")[0].splitlines() for table in file.read().split(HEAD)[1:]]
    rows = []
    for second, table in enumerate(tables):
        for row in table:
            if row.startswith("| `"):
                cells = [cell.strip() for cell in row.strip("|").split("|")]
                rows.append((bool(second), cells[0].strip("`"), *cells[1:4]))
    return [Setting(*row) for row in rows if row[1] not in PATTERNS]


def defaults(second=False):
    rows = [row for row in settings() if row.second == second and row.default and row.prints]
    return " ".join(f"{row.name} {row.default}" for row in rows)


def history():
    return defaults(second=True)


def arguments():
    words = ["pattern TEXT|none", "pattern_key NAME", "name NAME", "nocase"]
    return ", ".join(words + [f"{setting.name} {setting.usage()}" for setting in settings()])


def messages():
    words = ["pattern TEXT|none", "pattern add NAME TEXT", "pattern del NAME", "pattern list"]
    words += ["pattern_key NAME", "pattern_key add NAME"]
    words += [f"{setting.name} {setting.usage()}" for setting in settings() if setting.message]
    return ", ".join(words + ["reset", "mark TEXT", "history stop", "history next DEVICE"])


def others():
    rows = [row for row in settings() if not row.second]
    rows = [(row.name, row.other(), row.default or "-", "yes" if row.message else "no") for row in rows]
    return "\n".join(" ".join(row) for row in rows)


if __name__ == "__main__":
    lists = {"defaults": defaults, "history": history, "arguments": arguments, "messages": messages, "others": others}
    print(lists[sys.argv[1]]())
