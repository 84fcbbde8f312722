# SPDX-License-Identifier: GPL-2.0
"""Reads the log of a history, independently of the project's own code (docs/history.md).

history.py entries LOG              print each entry
history.py count LOG                how many writes there are, and notes about completions
history.py version LOG VERSION      make it a log of this version
history.py check LOG DISK [IMAGE POSITION]...
    From the log and the disk as it is now, make the disk as it was at each position, and compare it with the image.
"""
import struct
import sys

M64 = (1 << 64) - 1
P1, P2, P3, P4, P5 = (
    0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
KINDS = ["?", "begin", "end", "write", "base", "discard", "write-zeroes", "secure-erase", "flush", "mark",
         "completions", "gap"]


def rotate(value, by):
    return (value << by | value >> (64 - by)) & M64


def step(acc, lane):
    return rotate((acc + lane * P2) & M64, 31) * P1 & M64


def xxh64(data, seed):
    """XXH64, from its specification."""
    at, end = 0, len(data)
    if end >= 32:
        accs = [(seed + P1 + P2) & M64, (seed + P2) & M64, seed, (seed - P1) & M64]
        whole = end - end % 32
        for lanes in struct.iter_unpack("<4Q", data[:whole]):
            accs = [step(acc, lane) for acc, lane in zip(accs, lanes)]
        at = whole
        h = (rotate(accs[0], 1) + rotate(accs[1], 7) + rotate(accs[2], 12) + rotate(accs[3], 18)) & M64
        for acc in accs:
            h = ((h ^ step(0, acc)) * P1 + P4) & M64
    else:
        h = (seed + P5) & M64
    h = (h + end) & M64
    while at + 8 <= end:
        h = (rotate(h ^ step(0, struct.unpack_from("<Q", data, at)[0]), 27) * P1 + P4) & M64
        at += 8
    if at + 4 <= end:
        h = (rotate(h ^ struct.unpack_from("<I", data, at)[0] * P1 & M64, 23) * P2 + P3) & M64
        at += 4
    while at < end:
        h = rotate(h ^ data[at] * P5 & M64, 11) * P1 & M64
        at += 1
    h = (h ^ h >> 33) * P2 & M64
    h = (h ^ h >> 29) * P3 & M64
    return h ^ h >> 32


class Entry:
    def __init__(self, data, at):
        (self.size, self.kind, self.detail, _, self.position, self.sector, self.bytes, self.time, self.flags,
         self.pid, self.cgroup, self.command, self.length, _) = struct.unpack_from("<IBBHQQQQIIQ16sII", data, at)
        self.name = KINDS[self.kind]
        self.payload = data[at + 80:at + 80 + self.length]
        assert self.size == (80 + self.length + 7) // 8 * 8, "size %d" % self.size


class Log:
    """The log devices in `paths`, with commas between them, in their order. `thorough` also checks the checksum of each
    batch's body, which is slow."""

    def __init__(self, paths, thorough=False):
        self.thorough = thorough
        self.entries = []
        self.number = self.last = 0
        self.id = bytes(16)
        for path in paths.split(","):
            with open(path, "rb") as file:
                self.open(file)
                self.entries += self.read(file)

    def open(self, file):
        block = file.read(4096)
        assert block[:8] == b"imgr-log", "no log: %r" % block[:8]
        assert struct.unpack_from("<Q", block, 504)[0] == xxh64(block[:504], 0), "checksum of the superblock"
        before = self.id
        (self.version, self.block, self.id, self.first, self.previous, self.sectors, self.offset, self.chunk,
         self.opened, self.session) = struct.unpack_from("<II16sQ16sQQIIQ", block, 8)
        assert self.previous == before, "another log device comes before"
        low, high = struct.unpack("<QQ", self.id)
        self.base_seed = low ^ rotate(high, 32)

    def read(self, file):
        batches = list(self.batches(file))
        # The last ones may still be on their way to the device.
        for index, (position, their, length, body) in enumerate(batches):
            file.seek(position - self.first)
            data = file.read(length)
            if len(data) < length:
                return
            if self.thorough or index >= len(batches) - 4:
                if xxh64(data[80:], self.base_seed ^ their) != body:
                    return
            at = 80
            while at < length:
                entry = Entry(data, at)
                assert entry.position == position + at, "position"
                at += entry.size
                yield entry
            self.number, self.last = self.number + 1, their

    def batches(self, file):
        """What the headers say."""
        position, number, last = self.first + self.block, self.number, self.last
        while True:
            file.seek(position - self.first)
            head = file.read(80)
            if len(head) < 80 or head[:8] != b"imgbatch":
                return
            batch_id, their, num, pos, length, first, _, body, check = struct.unpack("<16sQQQIIQQQ", head[8:])
            if (batch_id, num, pos) != (self.id, number, position) or check != xxh64(head[:72], self.base_seed ^ their):
                return
            if (their <= last) if first else (their != last):
                return
            yield position, their, length, body
            position += (length + self.block - 1) // self.block * self.block
            number, last = number + 1, their

    def state(self, at, disk):
        """The disk before position `at`, from its bytes now: the bytes then, and the sectors that are unknown. All
        sessions must follow each other without a hole."""
        data = bytearray(disk)
        late = set()
        # What the log knows of each sector: from the disk, unless the log has touched it.
        known = {}
        for entry in self.entries:
            sectors = range(entry.sector, entry.sector + entry.bytes // 512)
            if entry.name == "base":
                for sector in sectors:
                    if sector not in known:
                        part = (sector - entry.sector) * 512
                        known[sector] = entry.payload[part:part + 512]
            elif entry.name in ("write", "write-zeroes", "discard", "secure-erase", "gap"):
                for sector in sectors:
                    part = (sector - entry.sector) * 512
                    if entry.position >= at:
                        # What was there before is what is known, or nobody knows.
                        if entry.name != "gap" or entry.detail & 1 or sector not in known:
                            known.setdefault(sector, None)
                    elif entry.name == "write":
                        known[sector] = entry.payload[part:part + 512]
                    elif entry.name == "write-zeroes":
                        known[sector] = bytes(512)
                    elif entry.name != "gap" or entry.detail & 1:
                        known[sector] = None
                    else:
                        known.setdefault(sector, None)
        for sector, old in known.items():
            if old is None:
                late.add(sector)
            else:
                data[sector * 512:sector * 512 + 512] = old
        return data, late


def set_version(path, version):
    with open(path, "r+b") as file:
        block = bytearray(file.read(4096))
        block[8:12] = struct.pack("<I", version)
        block[504:512] = struct.pack("<Q", xxh64(bytes(block[:504]), 0))
        file.seek(0)
        file.write(block)


def main():
    what, path = sys.argv[1], sys.argv[2]
    if what == "version":
        return set_version(path, int(sys.argv[3]))
    if what == "count":
        log = Log(path)
        print("write", sum(entry.name == "write" for entry in log.entries),
              "note", sum(entry.length // 32 for entry in log.entries if entry.name == "completions"))
        return None
    if what == "entries":
        log = Log(path, True)
        print("session %d, open %d, block %d, chunk %d" % (log.session, log.opened, log.block, log.chunk))
        for entry in log.entries:
            text = entry.payload.decode(errors="replace") if entry.name == "mark" else ""
            print("%10d %-12s %d+%d detail %d flags %#x pid %d %s %s" % (
                entry.position, entry.name, entry.sector, entry.bytes // 512, entry.detail, entry.flags, entry.pid,
                entry.command.rstrip(b"\0").decode(errors="replace"), text))
        return None
    log, disk = Log(path), open(sys.argv[3], "rb").read()
    for image, position in zip(sys.argv[4::2], sys.argv[5::2]):
        if position.isdigit():
            at = int(position)
        else:
            at = next(e.position for e in log.entries if e.name == "mark" and e.payload.decode() == position)
        data, unknown = log.state(at, disk)
        truth = open(image, "rb").read()
        wrong = [] if data == truth else [
            s for s in range(log.sectors)
            if s not in unknown and data[s * 512:s * 512 + 512] != truth[s * 512:s * 512 + 512]]
        print("%s: %d unknown, %d wrong%s" % (position, len(unknown), len(wrong), " at %d" % wrong[0] if wrong else ""))
        if wrong:
            sys.exit(1)


if __name__ == "__main__":
    main()
