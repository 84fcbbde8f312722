#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes a hundred patterns and contents with matches, and checks that the log names each place.

patterns.py make SEED FOLDER BYTES   makes FOLDER/patterns, the words of a table, and FOLDER/contents
patterns.py check WORDS IMAGE STATUS [FILE...] < LINES
                                     compares the log's lines, and the part of the status after `patterns`, with
                                     the final image of the disk

If nothing was written to a sector later, the disk still has what the request wrote there. In such sectors, exactly the
places of matches must be named; Python's own search of bytes finds them. Nothing may have been written to a FILE since
it was made. There, at least each match within a 4 KiB block must have been named. Prints how much was compared.
"""

import collections
import random
import string
import sys
from urllib.parse import unquote_to_bytes

import loglines

# Without the letter that is a pattern by itself.
LETTERS = string.ascii_lowercase.replace("q", "").encode() + b"      \n"


def escaped(text):
    return "".join(chr(byte) if 0x21 <= byte <= 0x7E and byte not in b"%\\#" else f"%{byte:02X}" for byte in text)


def make(seed, folder, size):
    chance = random.Random(seed)
    binary = chance.randbytes(255)
    # Prefixes, suffixes and pieces of each other, self-overlapping patterns, and patterns about case: letters, and
    # their neighbours in ASCII.
    exact = [b"\x07", b"\xfe", b"\xfe\xfe", b"\0\xff\0", b"aba", b"abababab", b"NEEDLE", b"needle in", b"none", b"%\\ %"]
    exact += [binary, binary[:254], binary[:128], binary[1:], binary[100:], binary[100:104]]
    nocase = [b"Needle", b"needle in a haystack", b"[\x80Az{@`", b"q", b"qz", b"zebra\0\xc1"]
    patterns = [(text, False) for text in exact] + [(text, True) for text in nocase]
    taken = {(text.lower() if either else text, either) for text, either in patterns}
    lengths = [1 + (254 * i) // 77 for i in range(78)]
    while len(patterns) < 100:
        length = lengths[len(patterns) % len(lengths)] + 2
        length = min(length, 255)
        text = chance.randbytes(length) if chance.random() < 0.4 else bytes(chance.choices(LETTERS, k=length))
        either = chance.random() < 0.4
        if (text.lower() if either else text, either) not in taken:
            taken.add((text.lower() if either else text, either))
            patterns.append((text, either))
    chance.shuffle(patterns)

    words = []
    for number, (text, either) in enumerate(patterns):
        shown = "%6Eone" if text == b"none" else escaped(text)
        # Some are shown by their text.
        named = number % 8 or text in (b"NEEDLE", b"Needle")
        words.append(f"pattern {shown}" + (f" name p{number}" if named else "") + (" nocase" if either else ""))
    with open(f"{folder}/patterns", "w", encoding="ascii") as file:
        file.write(" ".join(words))

    # Only patterns have capital letters and bytes beyond ASCII.
    whole = bytearray(bytes(chance.choices(LETTERS, k=1 << 16)) * (size >> 16))
    for _ in range(size // 1500):
        text, either = chance.choice(patterns)
        text = bytearray(text)
        kind = chance.randrange(8)
        if kind == 0:
            # Almost the pattern.
            text[chance.randrange(len(text))] ^= 1 << chance.randrange(8)
        elif kind == 1:
            text = text[: chance.randrange(len(text)) + 1]
        elif kind < 6:
            text = bytearray(bytes([byte]).swapcase()[0] if chance.random() < 0.5 else byte for byte in text) if either else text
        else:
            # Overlapping itself.
            text += text[chance.randrange(len(text)) :]
        if chance.random() < 0.5:
            # Around the end of a sector or page.
            at = chance.randrange(0, size, chance.choice((512, 4096))) - chance.randrange(len(text) + 1)
        else:
            at = chance.randrange(size)
        at = min(max(at, 0), size - len(text))
        whole[at : at + len(text)] = text
    with open(f"{folder}/contents", "wb") as file:
        file.write(whole)


def read_words(name):
    """Name, text, and whether case is ignored, for each pattern in order."""
    with open(name, encoding="ascii") as file:
        words = iter(file.read().split())
    patterns = []
    for word in words:
        if word == "pattern":
            text = next(words)
            patterns.append([escaped(unquote_to_bytes(text)), unquote_to_bytes(text), False])
        elif word == "name":
            patterns[-1][0] = next(words)
        elif word == "nocase":
            patterns[-1][2] = True
        else:
            sys.exit(f"patterns.py: {word}?")
    return patterns


def search(patterns, data, base=0):
    """The places of all matches: (name, first byte, length)."""
    found = set()
    lower = data.lower()
    for name, text, either in patterns:
        where, text = (lower, text.lower()) if either else (data, text)
        at = where.find(text)
        while at >= 0:
            found.add((name, base + at, len(text)))
            at = where.find(text, at + 1)
    return found


class Request:
    def __init__(self, size):
        self.size = size
        self.begin = None
        self.more = 0
        self.pages, self.all, self.copies = (collections.Counter() for _ in range(3))
        self.places = []


def read_log():
    """Writes, and ranges of sectors that lost their content, in order."""
    pages, last, steps = collections.Counter(), None, []
    for text in sys.stdin.read().splitlines():
        line = loglines.parse(text)
        kind = line and line.kind
        if kind == "in_page":
            pages[line.name] += line.times
        elif kind == "request" and line.op == "W":
            last = Request(line.bytes)
            last.pages, pages = pages, collections.Counter()
            last.all.update(last.pages)
            steps.append(last)
        elif kind == "delta":
            if last and last.begin is None:
                last.begin = line.first * 512
        elif kind == "in_delta":
            last.copies[line.name] += line.times
        elif kind == "across_deltas":
            last.all[line.name] += line.times
        elif kind == "place":
            last.places.append((line.name, line.sector * 512 + line.byte))
        elif kind == "more_places":
            last.more = line.times
        elif kind == "request" and line.op in ("discard", "write-zeroes", "secure-erase"):
            steps.append((line.first, line.last))
            last = None
        elif kind == "request" and line.op == "R":
            last = None
        elif not (kind in ("mark", "began") or kind == "request" and line.op == "flush"):
            sys.exit(f"patterns.py: what is this? {text}")
    return steps


def check(words, image, status, files):
    patterns = read_words(words)
    lengths = {name: len(text) for name, text, _ in patterns}
    with open(image, "rb") as file:
        image = memoryview(file.read())
    with open(status, encoding="ascii") as file:
        count, *counted = file.read().split()
    steps = read_log()

    owner = {}
    for number, step in enumerate(steps):
        if isinstance(step, Request):
            begin, end = step.begin // 512, (step.begin + step.size) // 512
        else:
            begin, end = step[0], step[1] + 1
        owner.update((sector, number) for sector in range(begin, end))

    totals, named = collections.Counter(), collections.Counter()
    done = collections.Counter()
    for number, step in enumerate(steps):
        if not isinstance(step, Request):
            continue
        where = f"write of {step.size} bytes at sector {step.begin // 512}"
        totals += step.all
        if step.copies != step.pages:
            sys.exit(f"patterns.py: {where}: {step.copies - step.pages} or {step.pages - step.copies} differ in the copy")
        told = {(name, at, lengths[name]) for name, at in step.places}
        if len(told) != len(step.places):
            sys.exit(f"patterns.py: {where}: a place is named twice")
        if step.all.total() != len(told) + step.more or (step.more and len(told) != 1000):
            sys.exit(f"patterns.py: {where}: {step.all.total()} found, {len(told)} places and {step.more} more")

        # The ranges of its sectors that the disk still has as they were written.
        sectors = range(step.begin // 512, (step.begin + step.size) // 512)
        kept = [sector for sector in sectors if owner[sector] == number]
        ranges = []
        for sector in kept:
            if ranges and ranges[-1][1] == sector * 512:
                ranges[-1][1] += 512
            else:
                ranges.append([sector * 512, sector * 512 + 512])
        for begin, end in ranges:
            wanted = search(patterns, bytes(image[begin:end]), begin)
            got = {place for place in told if begin <= place[1] and place[1] + place[2] <= end}
            missing = set() if step.more else wanted - got
            if got - wanted or missing:
                sys.exit(f"patterns.py: {where}, {begin} to {end}: not there: {got - wanted}, not named: {missing}")
            named.update(name for name, _, _ in got)
            done["places"] += len(got)
            done["places not recorded"] += len(wanted - got)
            if len(kept) == len(sectors):
                times = collections.Counter(name for name, _, _ in wanted)
                if times != step.all:
                    sys.exit(f"patterns.py: {where}: wanted {times}, counted {step.all}")
                done["writes compared as a whole"] += 1
        done["writes"] += 1

    if int(count) != len(patterns) or counted[::2] != [name for name, _, _ in patterns]:
        sys.exit(f"patterns.py: status has other patterns: {counted[::2]}")
    for name, times in zip(counted[::2], map(int, counted[1::2])):
        if times != totals[name]:
            sys.exit(f"patterns.py: status counts {name} {times} times, the log {totals[name]} times")

    blocks = collections.Counter()
    for name in files:
        with open(name, "rb") as file:
            while block := file.read(4096):
                blocks.update(name for name, _, _ in search(patterns, block))
    for name, times in blocks.items():
        if totals[name] < times:
            sys.exit(f"patterns.py: {name} is {times} times in the files, and was counted {totals[name]} times")
        if named[name] < times and not done["places not recorded"]:
            sys.exit(f"patterns.py: {name} is {times} times in the files, and was named {named[name]} times")
    if files:
        done["in files"] = blocks.total()
    done["patterns found"] = len(+totals)
    print(", ".join(f"{number} {what}" for what, number in done.items()))


if sys.argv[1] == "make":
    make(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
else:
    check(*sys.argv[2:5], sys.argv[5:])
