# SPDX-License-Identifier: GPL-2.0
"""A terminal for programs that draw on it: a shell runs in it, keys are typed, and its screen is looked at."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time

# A sequence of a terminal, or one character. What is incomplete waits for more.
PIECE = re.compile(
    r"\x1b\[(?P<parameters>[0-9;?>=]*)(?P<command>[@-~])|\x1b[=>78]|\x1b\][^\x07]*\x07|(?P<text>[^\x1b])", re.DOTALL
)
PATIENCE = 60


class Terminal:
    """A shell with job control in a terminal of this size."""

    def __init__(self, columns=80, lines=24, environment=()):
        self.raw = ""
        self.waiting = ""
        self.other = False  # the alternate screen
        self.hidden = False  # the cursor
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.environ.update({"PS1": "ready$ ", "TERM": "xterm", **dict(environment)})
            os.execlp("bash", "bash", "--norc", "--noprofile", "--noediting", "-i")
        self.clear(columns, lines)
        self.resize(columns, lines)
        self.wait(r"ready\$")

    def clear(self, columns=None, lines=None):
        self.columns, self.lines = columns or self.columns, lines or self.lines
        self.cells = [[" "] * self.columns for _ in range(self.lines)]
        self.x = self.y = 0

    def resize(self, columns, lines):
        # The kernel sends SIGWINCH.
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.clear(columns, lines)

    def type(self, keys):
        os.write(self.file, keys.encode())

    def screen(self):
        return "\n".join("".join(line).rstrip() for line in self.cells)

    def put(self, text):
        if text == "\r":
            self.x = 0
        elif text == "\n":
            self.y += 1
        elif text == "\b":
            self.x = max(self.x - 1, 0)
        elif text >= " ":
            if self.x >= self.columns:
                self.x, self.y = 0, self.y + 1
            self.scroll()
            self.cells[self.y][self.x] = text
            self.x += 1
        self.scroll()

    def scroll(self):
        while self.y >= self.lines:
            self.cells = self.cells[1:] + [[" "] * self.columns]
            self.y -= 1

    def command(self, parameters, command):
        numbers = [int(number) for number in re.findall(r"\d+", parameters)]
        if command == "H":
            row, column = (numbers + [1, 1])[:2]
            self.y, self.x = min(row, self.lines) - 1, min(column, self.columns) - 1
        elif command == "J":
            self.clear()
        elif command in "hl" and parameters == "?1049":
            self.other = command == "h"
            self.clear()
        elif command in "hl" and parameters == "?25":
            self.hidden = command == "l"
        elif command in "ABCDG":
            raise NotImplementedError(command)

    def read(self, seconds=0.05):
        """Reads what comes; false at the end."""
        if not select.select([self.file], [], [], seconds)[0]:
            return True
        try:
            text = os.read(self.file, 65536).decode(errors="replace")
        except OSError:
            return False
        self.raw += text
        self.waiting += text
        while piece := PIECE.match(self.waiting):
            self.waiting = self.waiting[piece.end() :]
            if piece["text"]:
                self.put(piece["text"])
            elif piece["command"]:
                self.command(piece["parameters"], piece["command"])
        return True

    def until(self, what, there):
        """Reads until there() is true, and returns how long that took."""
        began = time.monotonic()
        while not there():
            assert self.read(), f"it ended before this: {what}\n{self.screen()}"
            assert time.monotonic() < began + PATIENCE, f"not within {PATIENCE} s: {what}\n{self.screen()}"
        return time.monotonic() - began

    def wait(self, pattern):
        """Reads until the screen has a match, and returns how long that took."""
        return self.until(pattern, lambda: re.search(pattern, self.screen()))

    def run(self, command):
        """Types a command to the shell, and returns its status."""
        self.clear()
        self.type(f"{command}; echo status=$?.\n")
        self.wait(r"status=\d+\.\nready\$")
        return int(re.search(r"status=(\d+)\.", self.screen())[1])

    def modes(self):
        """What the shell's `stty -a` says."""
        assert self.run("stty -a > /tmp/modes") == 0
        with open("/tmp/modes") as file:
            return file.read()

    def close(self):
        os.close(self.file)
