#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Records the kernel's trace events and reads recordings.

It follows the kernel's own description of the buffers in tracefs: events/header_page, and the `format` of each event.
It shares no code with imgrement.

    tracefs.py record INSTANCE FOLDER

splices the full pages of each CPU of INSTANCE to FOLDER/cpuN, and prints `recording` when it is ready. On SIGTERM it
reads the rest and ends.
"""

import fcntl
import os
import re
import signal
import struct
import subprocess
import sys
import time
import types

TRACING = "/sys/kernel/tracing"

# type_len of an entry: up to 28, the length of its data in words of 4 bytes; or one of these (events/header_event).
LENGTH_FOLLOWS, PADDING, TIME_EXTEND, TIME_STAMP = 0, 29, 30, 31
DELTA_BITS = 27
# `commit` of a page: the length of its data, and two flags above it: events were lost before this page, and their
# number follows the data.
LENGTH_MASK = (1 << 27) - 1
# The size of the pipe through which a recorder moves pages.
PIPE = 1 << 20


def text(path):
    with open(path) as file:
        return file.read()


def write(path, words):
    with open(path, "w") as file:
        file.write(str(words))


class Format:
    """One kind of event, from its `format` file."""

    FIELD = re.compile(r"\tfield:(.*?)(\w+)(?:\[.*\])?;\toffset:(\d+);\tsize:(\d+);\tsigned:([01]);")
    NUMBERS = {1: "b", 2: "h", 4: "i", 8: "q"}

    def __init__(self, path):
        lines = text(path)
        self.event = re.search("^name: (.*)$", lines, re.M)[1]
        self.number = int(re.search("^ID: (.*)$", lines, re.M)[1])
        self.fields, self.dynamic = [], []
        layout, end = "<", 0
        for kind, name, offset, size, signed in self.FIELD.findall(lines):
            offset, size = int(offset), int(size)
            layout += "x" * (offset - end)
            end = offset + size
            self.fields.append(name)
            if "__data_loc" in kind:
                self.dynamic.append(name)
                layout += "I"
            elif "char " in kind and size > 1 or size not in self.NUMBERS:
                layout += f"{size}s"
            else:
                layout += self.NUMBERS[size] if signed == "1" else self.NUMBERS[size].upper()
        self.layout = struct.Struct(layout)

    def read(self, data):
        """Decodes the bytes of an event: numbers, and text up to its first NUL."""
        fields = dict(zip(self.fields, self.layout.unpack_from(data)))
        for name in self.dynamic:
            length, offset = fields[name] >> 16, fields[name] & 0xFFFF
            fields[name] = bytes(data[offset : offset + length])
        for name, value in fields.items():
            if isinstance(value, bytes):
                fields[name] = value.split(b"\0")[0].decode("ascii", "backslashreplace")
        return types.SimpleNamespace(event=self.event, **fields)


def cpus(path):
    return sorted(int(name[3:]) for name in os.listdir(path + "/per_cpu") if name.startswith("cpu"))


class Instance:
    """A trace instance: a buffer for each CPU, and a choice of events."""

    def __init__(self, name, kilobytes, overwrite=True):
        self.name = name
        self.path = f"{TRACING}/instances/{name}"
        os.mkdir(self.path)
        self.formats = {}
        self.enabled = []
        write(self.path + "/trace_clock", "mono")
        write(self.path + "/buffer_size_kb", kilobytes)
        write(self.path + "/options/overwrite", int(overwrite))
        header = text(self.path + "/events/header_page")
        fields = dict(re.findall(r"field: .*?(\w+);\toffset:(\d+);", header))
        self.commit_at, self.data_at = int(fields["commit"]), int(fields["data"])
        self.page = self.data_at + int(re.search(r"char data;\toffset:\d+;\tsize:(\d+);", header)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def remove(self):
        for event in self.enabled:
            write(f"{self.path}/events/{event}/enable", 0)
        os.rmdir(self.path)

    def enable(self, event, only=None):
        """Enables `event` ("system/name"), with the filter `only` if given."""
        folder = f"{self.path}/events/{event}"
        known = Format(folder + "/format")
        self.formats[known.number] = known
        if only:
            write(folder + "/filter", only)
        write(folder + "/enable", 1)
        self.enabled.append(event)

    def stats(self):
        """The kernel's counters of the buffers, summed over the CPUs."""
        total = {}
        for cpu in cpus(self.path):
            for name, count in re.findall(r"^(.*): (\d+)$", text(f"{self.path}/per_cpu/cpu{cpu}/stats"), re.M):
                total[name] = total.get(name, 0) + int(count)
        return total

    def lost(self):
        """The number of events that were overwritten or never stored."""
        stats = self.stats()
        return stats["overrun"] + stats["commit overrun"] + stats["dropped events"]

    def recorder(self, folder):
        """Starts a process that records to this folder (see above)."""
        os.makedirs(folder)
        process = subprocess.Popen([sys.executable, __file__, "record", self.name, folder], stdout=subprocess.PIPE)
        if process.stdout.readline() != b"recording\n":
            raise RuntimeError("the recorder did not start")
        return process

    def recorded(self, folder):
        """The events of a recording, in order of time."""
        events = []
        for cpu in cpus(self.path):
            with open(f"{folder}/cpu{cpu}", "rb") as file:
                events += self.read(cpu, file.read())
        return sorted(events, key=lambda event: event.time)

    def rest(self):
        """Reads the events that are still in the buffers, in order of time."""
        events = []
        for cpu in cpus(self.path):
            source = open_buffer(self.path, cpu)
            events += self.read(cpu, b"".join(rest(source, self.page)))
            os.close(source)
        return sorted(events, key=lambda event: event.time)

    def read(self, cpu, pages):
        """Decodes pages of a CPU. Each event also has `cpu`, and `time` in nanoseconds."""
        if len(pages) % self.page:
            raise RuntimeError(f"{len(pages)} bytes are not whole pages of {self.page} bytes")
        for begin in range(0, len(pages), self.page):
            page = memoryview(pages)[begin : begin + self.page]
            now, commit = struct.unpack_from("<Q", page)[0], struct.unpack_from("<I", page, self.commit_at)[0]
            at, end = self.data_at, self.data_at + (commit & LENGTH_MASK)
            while at < end:
                word = struct.unpack_from("<I", page, at)[0]
                kind, delta = word & 31, word >> 5
                at += 4
                if kind == PADDING:
                    if delta == 0:
                        break
                    at += struct.unpack_from("<I", page, at)[0]
                elif kind in (TIME_EXTEND, TIME_STAMP):
                    whole = delta + (struct.unpack_from("<I", page, at)[0] << DELTA_BITS)
                    now = now + whole if kind == TIME_EXTEND else whole | now >> 59 << 59
                    at += 4
                else:
                    now += delta
                    length = kind * 4
                    if kind == LENGTH_FOLLOWS:
                        length = struct.unpack_from("<I", page, at)[0] - 4
                        at += 4
                    known = self.formats.get(struct.unpack_from("<H", page, at)[0])
                    if known is None:
                        raise RuntimeError("found an event that was not enabled")
                    event = known.read(page[at : at + length])
                    event.cpu, event.time = cpu, now
                    yield event
                    at += length + 3 & ~3


def open_buffer(path, cpu):
    return os.open(f"{path}/per_cpu/cpu{cpu}/trace_pipe_raw", os.O_RDONLY | os.O_NONBLOCK)


def rest(source, size):
    """Reads the remaining pages, the last of which may be partly filled."""
    while True:
        try:
            page = os.read(source, size)
        except BlockingIOError:
            return
        if not page:
            return
        yield page


def splice(source, pipe, target):
    """Moves full pages. Returns the number of bytes."""
    try:
        size = os.splice(source, pipe[1], PIPE, flags=os.SPLICE_F_NONBLOCK)
    except BlockingIOError:
        return 0
    left = size
    while left:
        left -= os.splice(pipe[0], target, left)
    return size


def record(name, folder):
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    path = f"{TRACING}/instances/{name}"
    pipe = os.pipe()
    fcntl.fcntl(pipe[1], fcntl.F_SETPIPE_SZ, PIPE)
    buffers = [
        (open_buffer(path, cpu), os.open(f"{folder}/cpu{cpu}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644))
        for cpu in cpus(path)
    ]
    print("recording", flush=True)
    while not ended:
        if not sum(splice(source, pipe, target) for source, target in buffers):
            time.sleep(0.01)
    for source, target in buffers:
        while splice(source, pipe, target):
            pass
        for page in rest(source, 1 << 20):
            os.write(target, page)


if __name__ == "__main__":
    if sys.argv[1:2] != ["record"]:
        sys.exit(__doc__)
    record(*sys.argv[2:])
