# SPDX-License-Identifier: GPL-2.0
"""The contenders: devices that are all on the same disk, and what is switched on with them."""

import fcntl
import os
import shutil
import struct
import subprocess
import time

import tracefs

TRACING = "/sys/kernel/tracing/"
OFF = "0 8 log off pattern none data off records 1"
# Nothing reads the records: the log is off, so they are dropped as soon as they are made.
RECORDS = "records 4096"
# As many as P8 has at most. None occurs in what fio writes.
WORDS = [f"pattern confidential-{number:02}" for number in range(32)]


def run(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


class Contender:
    """A device-mapper device over `lower`, or `lower` itself if there is no target."""

    # The part of a sample's time for which it is measured.
    share = 1
    # Whether it is measured alone, because other tasks work for it, or because what is switched on affects everything.
    # It is then compared with dm-linear alone.
    alone = False
    # With libaio, unlike with io_uring, nothing asks for NOWAIT. So no request is handed to a thread.
    engine = "io_uring"

    def __init__(self, name, target=None, arguments=""):
        self.name = name
        self.target = target
        self.arguments = arguments
        self.path = None

    def create(self, lower, sectors):
        if self.target is None:
            self.path = lower
            return
        name = self.name + "-" + os.path.basename(lower)
        table = f"0 {sectors} {self.target} {lower} {self.arguments}"
        run("dmsetup", "create", name, "--table", table)
        self.path = "/dev/mapper/" + name

    def start(self):
        """Starts what runs while it is measured."""

    def stop(self):
        """Stops that. Returns for how many seconds more the device has worked for what was measured, or nothing."""


class Alone(Contender):
    alone = True


class RemapEvent(Alone):
    """With the kernel's own event for each remapped bio. Nothing reads the events."""

    def start(self):
        write(TRACING + "events/block/block_bio_remap/enable", "1")

    def stop(self):
        write(TRACING + "events/block/block_bio_remap/enable", "0")
        write(TRACING + "trace", "")


class Blktrace(Alone):
    """With blktrace, started as a person would, and told to trace the two events of a request."""

    def start(self):
        self.blktrace = subprocess.Popen(
            ["blktrace", "-d", self.path, "-a", "queue", "-a", "complete", "-D", "/tmp", "-o", "trace"],
            stdout=subprocess.DEVNULL,
        )
        # It has started when the kernel has made its files.
        number = os.stat(self.path).st_rdev
        disk = os.path.realpath(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
        self.dropped = "/sys/kernel/debug/block/" + os.path.basename(disk) + "/dropped"
        for _ in range(500):
            if os.path.exists(self.dropped):
                break
            time.sleep(0.01)
        else:
            raise RuntimeError("blktrace has not begun")
        time.sleep(0.1)

    def stop(self):
        with open(self.dropped) as file:
            dropped = int(file.read())
        if dropped:
            print(f"round with blktrace: it has lost {dropped} events", flush=True)
        self.blktrace.terminate()
        self.blktrace.wait()
        for file in os.listdir("/tmp"):
            os.remove("/tmp/" + file)


class Recorded(Alone):
    """With trace events. A reader splices the buffer to a file, as blktrace stores its own events."""

    # More than is traced while the reader waits for the CPU.
    KILOBYTES = 32768
    FOLDER = "/tmp/recorded"

    def __init__(self, name, target, arguments, events):
        super().__init__(name, target, arguments)
        self.events = events

    def start(self):
        self.trace = tracefs.Instance(self.name, self.KILOBYTES)
        for event in self.events:
            self.trace.enable(event)
        self.recorder = self.trace.recorder(self.FOLDER)

    def stop(self):
        self.recorder.terminate()
        if self.recorder.wait():
            raise RuntimeError("the recorder failed")
        if lost := self.trace.lost():
            print(f"round with {self.name}: {lost} events were lost", flush=True)
        self.trace.remove()
        shutil.rmtree(self.FOLDER)


class Logged(Alone):
    """With a log of what is written, on a device that takes no time. It has done its work when all is in the log."""

    def stop(self):
        began = time.monotonic()
        disk = os.open(self.path, os.O_RDWR)
        os.fsync(disk)
        os.close(disk)
        last, before = began, written(self.log)
        while time.monotonic() < last + 0.2:
            time.sleep(0.005)
            if before != (before := written(self.log)):
                last = time.monotonic()
        return last - began


class LogWrites(Logged):
    """dm-log-writes. It keeps a copy of each write until the next flush, without a limit. So it is measured for a
    shorter time."""

    share = 0.2

    def __init__(self, name, log):
        super().__init__(name, "log-writes", log)
        self.log = log


class LogWritesAio(LogWrites):
    engine = "libaio"


class History(Logged):
    """With a history."""

    def __init__(self, name, new_log, base):
        super().__init__(name, "imgrement")
        self.new_log = new_log
        self.base = base

    def create(self, lower, sectors):
        self.log = self.new_log()
        words = f"log off pattern none data off records 1 history {self.log} history_new on base {self.base}"
        self.arguments = f"0 {len(words.split())} {words}"
        super().create(lower, sectors)
        if self.base != "off":
            # After this first pass over the disk, everything that was there is known.
            run("dd", "if=/dev/zero", "of=" + self.path, "bs=1M", f"count={sectors >> 11}", "oflag=direct")

    def stop(self):
        late = super().stop()
        if counted(self.path, "history") != "on" or counted(self.path, "history_gaps") != "0":
            raise RuntimeError(f"the history of {self.name} is not whole")
        return late


class HistoryAio(History):
    engine = "libaio"


def counted(path, word):
    """The value after this word in imgrement's status."""
    words = subprocess.run(["dmsetup", "status", path], check=True, stdout=subprocess.PIPE)
    words = words.stdout.decode().split()
    return words[words.index(word) + 1]


def written(disk):
    """The number of sectors written to a disk."""
    with open(f"/sys/class/block/{os.path.basename(disk)}/stat") as file:
        return int(file.read().split()[6])


def contenders(log, new_log, slow_log):
    """All contenders. `log` is a disk for dm-log-writes. `new_log` makes one for a history, and `slow_log` makes one
    that is as slow as the slow disk."""
    return [
        Contender("bare"),
        Alone("linear", "linear", "0"),
        Contender("rust_linear", "rust_linear", "0"),
        Contender("off", "imgrement", OFF),
        Contender("pattern", "imgrement", "0 6 log off data off records 1"),
        Contender("patterns", "imgrement", f"0 {4 + 2 * len(WORDS)} log off data off {' '.join(WORDS)}"),
        Contender("edges", "imgrement", "0 8 log off data off records 1 edges 4096"),
        Alone("reads", "imgrement", "0 8 log off data off records 1 ops read"),
        Contender("data", "imgrement", f"0 8 log off pattern none data on {RECORDS}"),
        Alone("log", "imgrement", f"0 6 pattern none data off {RECORDS}"),
        Alone("flakey", "flakey", "0 60 0"),
        LogWrites("log-writes", log),
        LogWritesAio("log-writes-aio", log),
        History("history", new_log, "off"),
        HistoryAio("history-aio", new_log, "off"),
        History("history-base", new_log, "on"),
        History("history-slow", slow_log, "on"),
        Blktrace("blktrace", "linear", "0"),
        Recorded("events", "imgrement", OFF, ["imgrement/request", "imgrement/complete"]),
        Recorded("block-events", "linear", "0", ["block/block_bio_remap", "block/block_bio_complete"]),
        Recorded("complete-event", "imgrement", OFF, ["imgrement/complete"]),
        Recorded("block-complete-event", "linear", "0", ["block/block_bio_complete"]),
        RemapEvent("remap-event", "linear", "0"),
    ]
