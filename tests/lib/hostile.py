#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sends random and mutated table lines and messages to a device of our target, by ioctl, in one process.

hostile.py NAME SEED COUNT

NAME is such a device over /dev/sdb (4 MiB). An implementation of the reference, which shares no code with the
target, predicts the result of each line. The result is then checked:

- refused: the errno is the predicted one; a line in the kernel's log names the word and what is wrong with it; the
  table has not changed;
- accepted: the table prints as predicted, and the printed table prints the same again. Now and then a block is written
  through the target, read back below it, and the count of its pattern is checked.

Meanwhile the whole kernel log is read, and none of it may be lost. Each line of ours must be printable ASCII of a known
kind, and no line may look like a kernel fault. Otherwise this exits with 1, and prints the seed and the number of the
line.
"""

import errno
import mmap
import os
import random
import re
import sys
import time

import dm
import loglines
import reference

DEV_SUSPEND, TABLE_LOAD, TABLE_CLEAR, TABLE_STATUS, TARGET_MSG = 6, 9, 10, 12, 14
QUERY_INACTIVE = 1 << 12
SECTORS = 8192
# The kernel's `isspace`, for which 0xa0 is a space, too.
SPACES = b" \t\n\v\f\r\xa0"
FAULTS_FILE = os.path.join(os.path.dirname(__file__), "faults")
with open(FAULTS_FILE, "rb") as faults:
    FAULTS = re.compile(b"|".join(line for line in faults.read().splitlines() if not line.startswith(b"#")))

name, seed, count = os.fsencode(sys.argv[1]), sys.argv[2], int(sys.argv[3])
chance = random.Random(seed)
node = os.stat(b"/dev/mapper/" + name).st_rdev
number = f"{os.major(node)}:{os.minor(node)}"


class Refused(Exception):
    """errno, and how the target's own line begins, if it prints one."""


class LeftOut(Exception):
    """A line that is not sent: it names a device for which the kernel would search a driver, or another one's."""


# --- the implementation of the reference


def split(line):
    """The words of a line, as device-mapper splits it."""
    words, at = [], 0
    line = line.split(b"\0", 1)[0]
    while True:
        while at < len(line) and line[at] in SPACES:
            at += 1
        if at == len(line):
            return words
        word = bytearray()
        while at < len(line) and line[at] not in SPACES:
            # A backslash makes the next byte literal. At the very end, it stands for itself.
            at += line[at] == ord("\\") and at + 1 < len(line)
            word.append(line[at])
            at += 1
        # The byte after a word is consumed, and the word's end is written there.
        at += at < len(line)
        words.append(bytes(word))


def escaped(text):
    plain = [0x21 <= byte <= 0x7E and byte not in b"%\\#" for byte in text]
    return "".join(chr(byte) if as_is else f"%{byte:02X}" for byte, as_is in zip(text, plain))


def cut(text):
    return escaped(text[:128]) + ("..." if len(text) > 128 else "")


def typed(word):
    """A wrong word as it was typed, except bytes that could make it look like another line."""
    shown = "".join(chr(byte) if 0x21 <= byte <= 0x7E else f"%{byte:02X}" for byte in word[:128])
    return shown + ("..." if len(word) > 128 else "")


def wrong(word, what, key=None):
    shown = f"{typed(word)}: " if word else ""
    return Refused(errno.EINVAL, f"{key + ' ' if key else ''}{shown}{what}; allowed: ")


def text(key, word, limit):
    out, at = bytearray(), 0
    while at < len(word):
        byte = word[at : at + 1]
        if byte == b"%":
            if not re.fullmatch(rb"[0-9A-Fa-f]{2}", word[at + 1 : at + 3]):
                raise wrong(word, "bad escape", key)
            byte = bytes.fromhex(word[at + 1 : at + 3].decode())
            at += 2
        at += 1
        if len(out) == limit:
            raise wrong(word, "too long", key)
        out += byte
    return bytes(out)


def whole(word):
    """A number, or None. Any number above all limits is as good as another."""
    if not re.fullmatch(rb"[0-9]+", word):
        return None
    digits = word.lstrip(b"0") or b"0"
    # Python refuses to read a number with very many digits.
    return int(digits) if len(digits) < 30 else 10**30


def integer(key, word, low, high):
    number = whole(word)
    if number is None:
        raise wrong(word, "not a whole number", key)
    if not low <= number <= high:
        raise wrong(word, "out of range", key)
    return number


LIMITS = {"pattern": 255, "pattern_key": 64, "name": 64, "mark": 128, "del": 255, "next": 128}
SETTINGS = {setting.name: setting for setting in reference.settings()}
OF_HISTORY = [key for key in SETTINGS if SETTINGS[key].second]


def value(key, word):
    """The meaning of a word: the bytes of a text, the value of a number, otherwise the word itself."""
    setting = SETTINGS.get(key)
    if setting is None or setting.longest:
        meaning = text(key, word, setting.longest if setting else LIMITS[key])
        if key in ("history", "next") and b"\0" in meaning:
            raise wrong(word, "bad escape", key)
        return meaning
    if setting.range:
        return integer(key, word, *setting.range)
    if word not in (known.encode() for known in setting.words):
        what = {"on off": "neither on nor off", "read write read,write": "no such ops"}
        raise wrong(word, what.get(" ".join(setting.words), "no such word"), key)
    return word.decode()


def default(setting):
    return None if setting.default is None else value(setting.name, setting.default.encode())


ARGUMENTS = ("pattern", "pattern_key", "name", "nocase", *SETTINGS)
MESSAGES = ("pattern", "pattern_key", "mark", "reset", "history", *(key for key in SETTINGS if SETTINGS[key].message))


class Pattern:
    def __init__(self, kind, text, name=None, nocase=False):
        self.kind, self.text, self.name, self.nocase = kind, text, name, nocase

    def shown(self):
        return self.text if self.name is None else self.name

    def words(self):
        text = "%6Eone" if (self.kind, self.text) == ("pattern", b"none") else escaped(self.text)
        name = "" if self.name is None else f" name {escaped(self.name)}"
        return f"{self.kind} {text}{name}" + (" nocase" if self.nocase else "")

    def same(self):
        return (self.nocase, self.text.lower() if self.nocase else self.text)

    def times(self, content):
        text = self.text
        if self.nocase:
            text, content = text.lower(), content.lower()
        return sum(content.startswith(text, at) for at in range(len(content)))


def fit(settings):
    """The settings, if their patterns are allowed together."""
    patterns = settings["patterns"]
    shown = [pattern.shown() for pattern in patterns]
    for at, pattern in enumerate(patterns):
        if at >= 256:
            raise Refused(errno.EINVAL, f"{pattern.kind} {cut(shown[at])}: one pattern too many; allowed: ")
        if shown[at] in shown[:at]:
            raise Refused(errno.EINVAL, f"{pattern.kind} {cut(shown[at])}: another pattern has this name; allowed: ")
    for pattern in patterns:
        # There are no keys.
        if pattern.kind == "pattern_key":
            raise Refused(errno.ENOKEY, f"pattern_key {cut(pattern.text)}: no such key; allowed: ")
    if len({pattern.same() for pattern in patterns}) < len(patterns):
        # If there are several, any of them may be named.
        raise Refused(errno.EINVAL, "pattern ")
    return settings


def arguments(words):
    """The settings of a table."""
    settings = {"patterns": None, **{key: default(setting) for key, setting in SETTINGS.items()}}
    seen = set()
    of_history = None
    words = iter(words)
    for word in words:
        key = word.decode("latin1")
        if key not in ARGUMENTS:
            raise wrong(word, "unknown argument")
        last = settings["patterns"][-1] if settings["patterns"] else None
        if key == "nocase":
            if last is None or last.nocase:
                raise wrong(word, "no pattern before it that has none")
            last.nocase = True
            continue
        if key in seen:
            raise wrong(word, "given twice")
        if key in SETTINGS:
            seen.add(key)
        argument = next(words, None)
        if argument is None:
            raise wrong(word, "its value is missing")
        if key in SETTINGS:
            settings[key] = value(key, argument)
            if SETTINGS[key].needs_history and of_history is None:
                of_history = key
        elif key == "name":
            if last is None or last.name is not None:
                raise wrong(word, "no pattern before it that has none")
            last.name = value(key, argument)
        else:
            if len(settings["patterns"] or []) == 256:
                raise wrong(argument, "one pattern too many", key)
            none = (key, argument) == ("pattern", b"none")
            pattern = None if none else Pattern(key, value(key, argument))
            if settings["patterns"] is not None and (none or not settings["patterns"]):
                raise wrong(word, "given twice")
            settings["patterns"] = (settings["patterns"] or []) + ([] if none else [pattern])
    if settings["patterns"] is None:
        settings["patterns"] = [Pattern("pattern", b"DAMN")]
    if settings["history"] is not None:
        # The log device is opened first. No line is sent that could find one.
        opened(settings["history"])
        raise LeftOut
    if of_history is not None:
        raise no_history(of_history)
    return fit(settings)


def no_history(word):
    return Refused(errno.EINVAL, f"{word}: there is no history; allowed: ")


def opened(path):
    """Device-mapper's answer to a path: only /dev/sdb exists and is free, by any of its names."""
    numbers = re.match(rb"[ \t-\r\xa0]*([0-9]+):[ \t-\r\xa0]*([0-9]+)", path)
    if numbers and numbers.end() == len(path):
        major, minor = map(whole, numbers.groups())
        if (major, minor) in ((8, 0), (8, 16)):
            return f"8:{minor}"
        if (major == 8 and minor < 256) or (major, minor) == (250, 0):
            raise Refused(errno.ENXIO, f"'{typed(path)}': is not a block device")
        raise LeftOut
    try:
        device = os.stat(path.split(b"\0")[0])
    except OSError as error:
        raise Refused(error.errno, f"'{typed(path)}': ")
    if device.st_mode & 0o170000 != 0o060000:
        raise Refused(errno.ENOTBLK, f"'{typed(path)}': is not a block device")
    device = f"{os.major(device.st_rdev)}:{os.minor(device.st_rdev)}"
    if device not in ("8:0", "8:16"):
        raise LeftOut
    return device


def table(start, length, line):
    """The settings, with the device and offset before them."""
    if length == 0 or start != 0 or length >= 2**54:
        raise Refused(errno.EINVAL, None)
    words = split(line)
    if not words:
        raise Refused(errno.EINVAL, "DEVICE is missing")
    device = opened(words[0])
    size = SECTORS if device == "8:16" else 131072
    if length > size:
        line = f"'{typed(words[0])}': has {size} sectors; LENGTH, here {length}, may not be more"
        raise Refused(errno.EINVAL, line)
    if len(words) < 2:
        raise Refused(errno.EINVAL, "OFFSET is missing")
    offset = whole(words[1])
    if offset is None or offset > size - length:
        raise Refused(errno.EINVAL, f"'{typed(words[1])}': OFFSET is a whole number from 0 to {size - length}")
    if len(words) > 2 and whole(words[2]) != len(words) - 3:
        line = f"'{typed(words[2])}': #ARGS is the number of words that follow it, here {len(words) - 3}"
        raise Refused(errno.EINVAL, line)
    return {"device": device, "offset": offset, **arguments(words[3:])}


def pattern_change(key, words, patterns):
    """The patterns after a message about them. `words` are those after its name; there is at least one."""
    first, *rest = words
    if key == "pattern" and first == b"list":
        if rest:
            raise wrong(rest[0], "one word too many", key)
        return patterns
    if key == "pattern" and first == b"del":
        if not rest:
            raise wrong(first, "its value is missing")
        name = value("del", rest[0])
        if len(rest) > 1:
            raise wrong(rest[1], "one word too many", "del")
        if all(pattern.shown() != name for pattern in patterns):
            raise Refused(errno.ENOENT, f"del {cut(name)}: no such pattern; allowed: ")
        return [pattern for pattern in patterns if pattern.shown() != name]
    if first == b"add":
        if key == "pattern":
            for at, limit in ((0, 64), (1, 255)):
                if len(rest) <= at:
                    raise wrong(first, "its value is missing")
                rest[at] = text("add", rest[at], limit)
            pattern, rest = Pattern(key, rest[1], rest[0]), rest[2:]
        else:
            if not rest:
                raise wrong(first, "its value is missing")
            pattern, rest = Pattern(key, value(key, rest[0])), rest[1:]
        before, kind = patterns, "add"
    elif (key, first) == ("pattern", b"none"):
        if rest:
            raise wrong(rest[0], "one word too many", key)
        return []
    else:
        pattern, before, kind = Pattern(key, value(key, first)), [], key
    if rest and rest[0] != b"nocase":
        raise wrong(rest[0], "one word too many", kind)
    if len(rest) > 1:
        raise wrong(rest[1], "one word too many", key)
    pattern.nocase = bool(rest)
    return before + [pattern]


def history_change(words):
    """Why this message about a history is refused. `words` are those after its name. No target has a history."""
    if not words:
        return wrong(b"history", "its value is missing")
    first, *rest = words
    if first not in (b"stop", b"next"):
        return wrong(first, "no such word", "history")
    if first == b"next":
        if not rest:
            return wrong(first, "its value is missing")
        value("next", rest[0])
        rest = rest[1:]
    if rest:
        return wrong(rest[0], "one word too many", first.decode())
    return no_history("history")


def change(words, settings):
    """The settings after a message."""
    if not words or words[0].startswith(b"@"):
        # Device-mapper's own messages.
        raise Refused(errno.EINVAL, None)
    key = words[0].decode("latin1")
    if key == "history":
        raise history_change(words[1:])
    if key in SETTINGS and not SETTINGS[key].message:
        raise wrong(words[0], "set by the table only")
    if key not in MESSAGES:
        raise wrong(words[0], "unknown message")
    if key == "reset":
        if len(words) > 1:
            raise wrong(words[1], "one word too many", key)
        return settings
    if len(words) < 2:
        raise wrong(words[0], "its value is missing")
    if key in ("pattern", "pattern_key"):
        patterns = pattern_change(key, words[1:], settings["patterns"])
        return settings if patterns is settings["patterns"] else fit({**settings, "patterns": patterns})
    changed = value(key, words[1])
    if len(words) > 2:
        raise wrong(words[2], "one word too many", key)
    if key in OF_HISTORY:
        raise no_history(key)
    return settings if key == "mark" else {**settings, key: changed}


def printed(settings):
    """The line of a table with these settings."""
    words = [" ".join(pattern.words() for pattern in settings["patterns"]) or "pattern none"]
    for key in SETTINGS:
        if settings[key] is not None and key not in OF_HISTORY:
            words.append(f"{key} {escaped(settings[key]) if SETTINGS[key].longest else settings[key]}")
    words = " ".join(words)
    return f"{settings['device']} {settings['offset']} {len(words.split())} {words}"


# --- what is sent


def any_text(limit):
    kind = chance.randrange(4)
    length = chance.choice((1, 2, 4, limit // 2, limit, limit + chance.randrange(3)))
    if kind == 0:
        return bytes(chance.choice(b"abcdDAMN~!\"'*") for _ in range(length))
    if kind == 1:
        return escaped(chance.randbytes(length)).encode()
    awkward = bytes(chance.choice(b"\0\n\r\x1b %\\\x7f\x80\xff") for _ in range(length))
    if kind == 2:
        return "".join(f"%{byte:02x}" for byte in awkward).encode()
    return escaped(awkward).encode()


NUMBERS = [0, 1, 2, 7, 63, 64, 65, 4096, 65537, 2**31, 2**32 - 1, 2**32, 2**64 - 1, 2**64, 10**40]


def any_number():
    return str(chance.choice(NUMBERS)).encode()


def any_value(key):
    setting = SETTINGS.get(key)
    if key == "edges":
        return str(chance.choice((0, 1, 7, 64, 65536 if chance.random() < 0.01 else 100))).encode()
    if key == "records":
        # The largest pool takes long to make, so it is tried rarely.
        return b"65536" if chance.random() < 0.003 else str(chance.randrange(1, 65)).encode()
    if setting and setting.words:
        return chance.choice(setting.words).encode()
    if setting and setting.range:
        low, high = setting.range
        return str(chance.choice((low, min(low + 1, high), min(low + 5, high), high))).encode()
    if key == "pattern" and chance.random() < 0.2:
        return chance.choice((b"none", b"%6Eone", b"none%20", b"list", b"add", b"del"))
    return any_text(setting.longest if setting else LIMITS[key])


def any_pattern():
    """The words of one pattern."""
    kind = b"pattern_key" if chance.random() < 0.05 else b"pattern"
    word = any_value(kind.decode())
    while word == b"none":
        word = any_value("pattern")
    name = [b"name", any_value("name")] if chance.random() < 0.4 else []
    return [kind, word, *name] + ([b"nocase"] if chance.random() < 0.3 else [])


def any_table():
    """Length, and the words of a valid line, apart from what `any_text` gives."""
    # A few lines have arguments of a history.
    known = [key for key in SETTINGS if key not in OF_HISTORY]
    if chance.random() < 0.1:
        known += chance.sample(OF_HISTORY, 2)
    keys = chance.sample(known, chance.randrange(len(known) + 1))
    if "records" not in keys and chance.random() < 0.9:
        keys.append("records")
    parts = [[key.encode(), any_value(key)] for key in keys]
    if chance.random() < 0.1:
        parts.append([b"pattern", b"none"])
    else:
        few = chance.choice((0, 1, 1, 2, 3, 40 if chance.random() < 0.2 else 5))
        parts += [any_pattern() for _ in range(few)]
    chance.shuffle(parts)
    words = [word for part in parts for word in part]
    length = chance.choice((SECTORS, SECTORS, 8, 1, 4096))
    offset = str(chance.choice((0, 0, SECTORS - length))).encode()
    device = chance.choice((b"/dev/sdb", b"8:16", b"//dev/./sdb"))
    return length, [device, offset, str(len(words)).encode(), *words]


def any_message():
    """The words of a valid message, apart from the state that it meets."""
    key = chance.choice(MESSAGES)
    if key == "reset":
        return [b"reset"]
    if key == "history":
        return [b"history", *chance.choice(([b"stop"], [b"next", any_text(128)]))]
    if key == "pattern" and chance.random() < 0.7:
        kind = chance.choice((b"add", b"add", b"del", b"list"))
        if kind == b"list":
            return [b"pattern", kind]
        if kind == b"del":
            there = [escaped(pattern.shown()).encode() for pattern in current["patterns"]]
            return [b"pattern", kind, chance.choice(there or [b"none"])]
        words = [b"pattern", kind, any_value("name"), any_value("pattern")]
    elif key == "pattern_key" and chance.random() < 0.5:
        words = [b"pattern_key", b"add", any_value(key)]
    else:
        words = [key.encode(), any_value(key)]
    return words + ([b"nocase"] if key.startswith("pattern") and chance.random() < 0.3 else [])


AWKWARD = [b"\\", b"\\ ", b"\\\n", b"%", b"%%", b"%4", b"@", b"<0>", b":", b"/", b"-1", b"0x10", b"imgrement:"]
AWKWARD += [b"\0", b"\x01", b"\x1b[2J", b"\x7f", b"\x80", b"\xa0", b"\xc3\xa9", b"\xff"]
AWKWARD += [b"sdb", b"/dev/null", b"/dev/nope", b"250:0"]


def any_word():
    kind = chance.randrange(6)
    if kind == 0:
        return any_number()
    if kind == 1:
        return chance.choice(ARGUMENTS + MESSAGES).encode()
    if kind == 2:
        return chance.choice((b"on", b"off", b"none", b"ON", b"add", b"del", b"list", b"read", b""))
    if kind == 3:
        return bytes([chance.randrange(256)]) * chance.choice((1, 33, 65, 127, 128, 129, 1000, 5000))
    if kind == 4:
        return b"\\" + b"\\".join(bytes([byte]) for byte in chance.randbytes(chance.randrange(1, 40)))
    return chance.choice(AWKWARD)


def mutate(words):
    """Changes one thing."""
    at = chance.randrange(len(words) + 1)
    old = words[at : at + 1]
    kind = chance.randrange(8)
    if kind == 0:
        words[at : at + 1] = []
    elif kind == 1:
        words[at:at] = old
    elif kind == 2:
        other = chance.randrange(len(words) + 1)
        words[at : at + 1], words[other : other + 1] = words[other : other + 1], old
    elif kind == 3:
        words[at : at + 1] = [any_word()]
    elif kind == 4:
        words[at:at] = [any_word()]
    elif old:
        word = bytearray(old[0])
        place = chance.randrange(len(word) + 1)
        if kind == 5 and place < len(word):
            word[place] ^= 1 << chance.randrange(8)
        elif kind == 6:
            word[place:place] = chance.choice(AWKWARD)
        else:
            del word[place : place + 1]
        words[at] = bytes(word)


def mutated(words, counted):
    """A line made of these words, changed or not. In some, the count is then corrected."""
    if chance.random() < 0.02:
        return chance.randbytes(chance.randrange(200))
    for _ in range(chance.choice((0, 0, 1, 1, 2, 5))):
        mutate(words)
    if counted and len(words) > 2 and chance.random() < 0.7:
        words[2] = str(len(words) - 3).encode()
    if chance.random() < 0.01:
        words += [any_word()] * chance.choice((100, 5000))
    return chance.choice((b" ", b" ", b" ", b"\t", b"  ")).join(words)[: 60000]


# --- the results

log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
os.lseek(log, 0, os.SEEK_END)
sequence = None


def read_log():
    """Our part of all new lines, without the prefix."""
    global sequence
    ours = []
    while True:
        try:
            record = os.read(log, 16384)
        except BlockingIOError:
            return ours
        head, _, record = record.partition(b";")
        record = record.split(b"\n", 1)[0]
        at = int(head.split(b",")[1])
        check(sequence is None or at == sequence + 1, f"the log has lost lines before {at}")
        sequence = at
        check(not FAULTS.search(record), f"the kernel says {record}")
        if record.startswith(b"imgrement: "):
            # The kernel escapes bytes that are not plain, and backslashes, with a backslash. A backslash of ours
            # is in a wrong word.
            check(not re.search(rb"\\(?!x5c)", record), f"a line that is not plain: {record}")
            line = record[11:].decode("latin1").replace("\\x5c", "\\")
            wrong_word = line.startswith(f"{number}: ")
            if wrong_word:
                known = re.fullmatch("[ -~]+", line)
            else:
                # There may be a label before it.
                known = loglines.parse(line) or loglines.parse(line.partition(": ")[2])
            check(known, f"a line that is none of ours: {record}")
            ours.append(line)


def mistakes():
    return [line for line in read_log() if line.startswith(f"{number}: ")]


what = "nothing"


def check(right, message):
    if not right:
        sys.exit(f"SEED={seed}: {message}\nafter {what!r}")


def tables(flags=0):
    """The lines that the device's table prints, without start and length."""
    _, targets, data = dm.ioctl(TABLE_STATUS, name, flags=dm.STATUS_TABLE | flags, room=1 << 17)
    lines, at = [], 0
    for _ in range(targets):
        at = dm.SPEC.unpack_from(data, at)[3] if lines else at
        lines.append(data[at + dm.SPEC.size :].split(b"\0", 1)[0].decode("ascii"))
    return lines


def load(start, length, line):
    data = line + b"\0"
    data += bytes(-len(data) % 8)
    spec = dm.SPEC.pack(start, length, 0, dm.SPEC.size + len(data), b"imgrement")
    dm.ioctl(TABLE_LOAD, name, targets=1, data=spec + data)


def ioctl_or_errno(do, *arguments):
    try:
        do(*arguments)
    except OSError as error:
        return error.errno
    return 0


def send(foretell, do, *arguments):
    """Sends it. Returns the predicted result if it is accepted, or None."""
    read_log()
    try:
        wanted, error, line = foretell(), 0, None
    except Refused as refused:
        wanted, (error, line) = None, refused.args
    got = ioctl_or_errno(do, *arguments)
    ours = mistakes()
    for _ in range(100 if line is not None else 0):
        # The line cannot be read before an earlier one that another CPU is still writing.
        if ours:
            break
        time.sleep(0.02)
        ours = mistakes()
    if wanted and got == errno.ENOMEM and wanted.get("records", 0) > 16384:
        return None
    check(got == error, f"errno {got}, wanted {error} and {line}")
    if line is None:
        check(not ours, f"lines of ours: {ours}")
    else:
        check(len(ours) == 1 and ours[0].startswith(f"{number}: {line}"), f"wanted '{line}', got {ours}")
    return wanted


def status():
    """The counters. `patterns` has the name and count of each pattern."""
    _, _, data = dm.ioctl(TABLE_STATUS, name, room=1 << 17)
    words = data[dm.SPEC.size :].split(b"\0", 1)[0].decode("ascii").split()
    at = words.index("patterns")
    return dict(zip(words[:at:2], map(int, words[1:at:2]))), words[at:]


upper = os.open(b"/dev/mapper/" + name, os.O_RDWR | os.O_DIRECT)
below = {}
for device, path in (("8:0", "/dev/sda"), ("8:16", "/dev/sdb")):
    below[device] = os.open(path, os.O_RDONLY | os.O_DIRECT)
block, back = mmap.mmap(-1, 512), mmap.mmap(-1, 512)


def works(settings):
    """A block gets through to the right place, and its pattern is counted."""
    patterns = settings["patterns"]
    block[:] = chance.randbytes(512)
    for pattern in chance.sample(patterns, min(len(patterns), 2)):
        text = pattern.text[:120] * 2 if len(pattern.text) <= 120 else pattern.text
        at = chance.randrange(512 - len(text) + 1)
        block[at : at + len(text)] = text
    content = bytes(block)
    times = [pattern.times(content) for pattern in patterns]
    searched = sum(kind in settings["ops"].split(",") for kind in ("read", "write"))
    before, (_, _, *names) = status()
    check(names[::2] == [escaped(pattern.shown()) for pattern in patterns], f"status names {names[::2]}")
    check(os.pwrite(upper, block, 0) == 512, "the write is short")
    os.preadv(below[settings["device"]], [back], settings["offset"] * 512)
    check(bytes(back) == content, "what was written is not there")
    os.preadv(upper, [back], 0)
    check(bytes(back) == content, "what was written is not read")
    after, (_, count, *now) = status()
    check((after["write"], after["read"]) == (before["write"] + 1, before["read"] + 1), "it was not counted")
    found = sum(times) * searched
    check(after["page"] == before["page"] + found, f"{found} times the patterns were not counted")
    counted = [int(new) - int(old) for new, old in zip(now[1::2], names[1::2])]
    check(int(count) == len(patterns), f"status has {count} patterns")
    check(counted == [time * searched for time in times], f"{counted} of the patterns, wanted {times} {searched} times")


def plain_table():
    """Loads a known table, and returns its settings."""
    settings = {"device": "8:16", "offset": 0, **arguments([])}
    load(0, SECTORS, printed(settings).encode())
    dm.ioctl(DEV_SUSPEND, name)
    return settings


current = plain_table()
done = {"tables": 0, "messages": 0, "accepted tables": 0, "accepted messages": 0, "blocks": 0}

while done["tables"] + done["messages"] < count:
    at = done["tables"] + done["messages"]
    if chance.random() < 0.5:
        length, words = any_table()
        start = 0
        line = mutated(words, True)
        if chance.random() < 0.05:
            places = ((0, 0), (1, 8), (0, SECTORS + 1), (0, 2**62), (2**64 - 1, 2), (0, 2**64 - 1))
            start, length = chance.choice(places)
        what = f"{at}: table {start} {length} {line}"
        try:
            accepted = send(lambda: table(start, length, line), load, start, length, line)
        except LeftOut:
            continue
        done["tables"] += 1
        if accepted:
            done["accepted tables"] += 1
            wanted = printed(accepted)
            check(tables(QUERY_INACTIVE) == [wanted], f"the table is {tables(QUERY_INACTIVE)}, wanted {wanted}")
            # Two of the same large pool may be too much for the memory.
            if chance.random() < 0.5 and accepted.get("records", 0) <= 16384:
                load(start, length, wanted.encode())
                check(tables(QUERY_INACTIVE) == [wanted], f"fed back it is {tables(QUERY_INACTIVE)}")
            if chance.random() < 0.8:
                dm.ioctl(DEV_SUSPEND, name)
                current = accepted
            else:
                dm.ioctl(TABLE_CLEAR, name)
        else:
            check(tables(QUERY_INACTIVE) == [], "the refused table is there")
    else:
        line = mutated(any_message(), False)
        what = f"{at}: message {line}"
        accepted = send(lambda: change(split(line), current), dm.message, name, line)
        done["messages"] += 1
        if accepted:
            done["accepted messages"] += 1
            current = accepted
    check(tables() == [printed(current)], f"the table is {tables()}, wanted {printed(current)}")
    if chance.random() < 0.1:
        works(current)
        done["blocks"] += 1

# For comparisons of the kernel's memory: before and after, the pool has this size.
plain_table()
read_log()
print(", ".join(f"{count} {kind}" for kind, count in done.items()))
