#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tries to forge lines of the kernel's log with every byte that can be typed, and compares everything that the log
gets, as raw records, byte by byte with what is expected.

forging.py    creates devices over /dev/sdb, and removes them
"""

import errno
import mmap
import os
import sys
import time

import dm
import reference

DEV_CREATE, DEV_REMOVE, DEV_SUSPEND = 3, 4, 6

log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
os.lseek(log, 0, os.SEEK_END)


# Lines that a busy kernel prints about itself.
BUSY = (b"workqueue: ", b"hrtimer: ", b"clocksource: ", b"perf: ")


def records():
    """The texts of all new records as the kernel returns them: it escapes with a backslash."""
    texts = []
    while True:
        try:
            record = os.read(log, 16384)
        except BlockingIOError:
            return texts
        # Further lines would be a device's properties, which only its driver logs.
        text = record.partition(b";")[2].removesuffix(b"\n")
        if not text.startswith(BUSY):
            texts.append(text)


def escaped(text):
    plain = [0x21 <= byte <= 0x7E and byte not in b"%\\#" for byte in text]
    return b"".join((b"%c" if as_is else b"%%%02X") % byte for byte, as_is in zip(text, plain))


def typed(word):
    """A wrong word as in a record: bytes that are not plain have our escapes, and a backslash has the kernel's."""
    plain = b"".join((b"%c" if 0x21 <= byte <= 0x7E else b"%%%02X") % byte for byte in word)
    return plain.replace(b"\\", b"\\x5c")


def quoted(text):
    """Makes device-mapper take every byte literally."""
    return b"".join(b"\\%c" % byte for byte in text)


def encoded(text):
    return b"".join(b"%%%02x" % byte for byte in text)


def expect(what, wanted):
    got = records()
    for _ in range(100):
        # A record cannot be read before an earlier one that another CPU is still writing.
        if len(got) >= len(wanted):
            break
        time.sleep(0.02)
        got += records()
    if got != wanted:
        sys.exit("\n".join([f"{what}: wanted", *map(repr, wanted), "got", *map(repr, got)]))


def refused(what, error, do, *arguments):
    try:
        do(*arguments)
    except OSError as refusal:
        if refusal.errno == error:
            return
        sys.exit(f"{what}: {errno.errorcode[refusal.errno]}, wanted {errno.errorcode[error]}")
    sys.exit(f"{what}: accepted")


def table(name, words):
    dm.load(name, 0, 8192, b"imgrement", b" ".join(words))


# Texts that could forge a line: another line, for a program or a terminal, and every byte except NUL. Also the
# kernel's own prefix for a level, and its mark of a continued line.
LINES = [
    b"\nimgrement: sdb trace initialization succeeded\n",
    b"x\n<0>kernel BUG at mm/slub.c",
    b"\r\x1b[2Jimgrement: W,",
    b"\x01\x63imgrement: forged",
    b"\xe2\x80\xa8imgrement: \xc2\x85\x9b31m",
    b"%0Aimgrement: \\nforged",
]
EVERY = bytes(range(1, 256))


def pieces(size):
    """All of these, in texts of at most this many bytes."""
    for text in (*LINES, EVERY):
        yield from (text[at : at + size] for at in range(0, len(text), size))


DEVICE = b"imgrement: 253:0: "
SENTENCE = b"device-mapper: table: 253:0: imgrement: %s (-%s)"
END = b"device-mapper: ioctl: error adding target to table"
ARGUMENTS = reference.arguments().encode()
MESSAGES = reference.messages().encode()


def wrong_words(name):
    """Table words, each in place of a valid one, and message words."""
    for word in pieces(100):
        quote, shown = quoted(word), typed(word)
        for words, error, line, sentence in (
            ([quote, b"0"], "ENOENT", b"'%s': is not a block device that is there; DEVICE is the path or major:minor"
             b" of a free block device", b"Device lookup failed"),
            ([b"/dev/sdb", quote], "EINVAL", b"'%s': OFFSET is a whole number from 0 to 0", b"Invalid device sector"),
            ([b"/dev/sdb 0", quote], "EINVAL", b"'%s': #ARGS is the number of words that follow it, here 0",
             b"Argument count does not match"),
            ([b"/dev/sdb 0 1", quote], "EINVAL", b"%s: unknown argument; allowed: " + ARGUMENTS, b"Unknown argument"),
            ([b"/dev/sdb 0 2 log", quote], "EINVAL", b"log %s: neither on nor off; allowed: on or off",
             b"Invalid log"),
            ([b"/dev/sdb 0 2 records", quote], "EINVAL", b"records %s: not a whole number; allowed: a whole number"
             b" from 1 to 65536", b"Invalid records"),
        ):
            what = repr(b" ".join(words))
            refused(what, getattr(errno, error), table, name, words)
            expect(what, [DEVICE + line % shown, SENTENCE % (sentence, error.encode()), END])

        refused(what, errno.EINVAL, dm.message, name, quote)
        expect(what, [DEVICE + shown + b": unknown message; allowed: " + MESSAGES])
        refused(what, errno.EINVAL, dm.message, name, b"reset " + quote)
        expect(what, [DEVICE + b"reset " + shown + b": one word too many; allowed: reset alone"])


def texts(name, write):
    """Labels, marks, patterns and their names, in the form that `write` gives them."""
    known = [text for text in (*pieces(32), b"last") if write is encoded or b"%" not in text]
    for label in known:
        labelled = b"imgrement: %s: " % escaped(label)
        table(name, [b"/dev/sdb 0 4 records 16 label", write(label)])
        dm.ioctl(DEV_SUSPEND, name)
        expect("label", [labelled + b"sdb trace initialization succeeded"])

    for mark in pieces(128):
        if write is encoded or b"%" not in mark:
            dm.message(name, b"mark " + write(mark))
            expect("mark", [labelled + b"mark: " + escaped(mark)])

    disk = os.open("/dev/dm-0", os.O_WRONLY | os.O_DIRECT)
    for pattern in pieces(64):
        if write is quoted and b"%" in pattern:
            continue
        dm.message(name, b"pattern " + write(pattern))
        block[:] = pattern.ljust(512, b"\0")
        os.pwrite(disk, block, 0)
        dm.message(name, b"mark end")
        wanted = (
            b"Found %s from page 1 times" % escaped(pattern),
            b"W, bytes to transfer: 512, delta count: 1",
            b"bv #0: len 512, offset 0, at (0, 0)",
            b"Found %s from deltas 1 times" % escaped(pattern),
            b"mark: end",
        )
        expect("pattern", [labelled + line for line in wanted])

    # A name is shown in place of its text. The answer shows both.
    dm.message(name, b"pattern none")
    block[:] = b"text".ljust(512, b"\0")
    for named in pieces(64):
        if write is quoted and b"%" in named:
            continue
        dm.message(name, b"pattern add " + write(named) + b" text")
        os.pwrite(disk, block, 0)
        dm.message(name, b"mark end")
        wanted = [b"Found %s from page 1 times", None, None, b"Found %s from deltas 1 times", b"mark: end"]
        wanted[1:3] = b"W, bytes to transfer: 512, delta count: 1", b"bv #0: len 512, offset 0, at (0, 0)"
        expect("name", [labelled + (line % escaped(named) if b"%s" in line else line) for line in wanted])
        # A second pattern of this name, and a name that does not exist.
        refused("name", errno.EINVAL, dm.message, name, b"pattern add " + write(named) + b" other")
        expect("name twice", [DEVICE + b"pattern %s: another pattern has this name; allowed: each name once; of a"
                              b" pattern without one, its text" % escaped(named)])
        dm.message(name, b"pattern del " + write(named))
        refused("name", errno.ENOENT, dm.message, name, b"pattern del " + write(named))
        expect("no such name", [DEVICE + b"del %s: no such pattern; allowed: a name as pattern list prints it"
                                % escaped(named)])
    os.close(disk)


block = mmap.mmap(-1, 512)
# Device-mapper accepts any name without a slash. Our lines have the number.
for name in (b"plain", b"x\nimgrement: 253:0: forged \x1b[2J\x7f\xff %0A\\"):
    dm.ioctl(DEV_CREATE, name)
    texts(name, quoted)
    texts(name, encoded)
    wrong_words(name)
    dm.ioctl(DEV_REMOVE, name)
    expect("removal", [])
