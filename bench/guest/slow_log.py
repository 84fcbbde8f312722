# SPDX-License-Identifier: GPL-2.0
"""slow_log.py OUT ROUNDS: the latency of writes while a log is half as fast as the disk, within User-mode Linux. Four tasks
write 4 KiB anywhere, and flush after each 32 writes."""

import json
import statistics
import subprocess
import sys
import time

from contenders import counted, run, written
from disks import null_disk, sectors

DISK_MIB = 1024
MIB_PER_SECOND = 64
LOG_MIB = 16384
SECONDS = 2
WORDS = "log off pattern none data off records 1 history_new on history"


class Linear:
    """dm-linear: there is no log."""

    name = "dm-linear"

    def __init__(self, disk, log):
        self.disk, self.log = disk, log
        self.length = sectors(disk)

    def create(self):
        self.table("slow", f"linear {self.disk} 0")

    def table(self, name, words):
        run("dmsetup", "create", name, "--table", f"0 {self.length} {words}")

    def check(self):
        """Fails if it has not done what is measured."""

    def remove(self):
        run("dmsetup", "remove", "slow")


class LogWrites(Linear):
    name = "dm-log-writes"

    def create(self):
        self.table("slow", f"log-writes {self.disk} {self.log}")


class Snapshot(Linear):
    """A snapshot of the disk, as lvm has it: what was there before goes to the log."""

    name = "dm-snapshot"

    def create(self):
        self.table("slow", f"snapshot-origin {self.disk}")
        self.table("then", f"snapshot {self.disk} {self.log} P 8")

    def check(self):
        done = subprocess.run(["dmsetup", "status", "then"], check=True, stdout=subprocess.PIPE)
        used, metadata = done.stdout.decode().split()[3:5]
        if int(used.split("/")[0]) <= int(metadata):
            raise RuntimeError("the snapshot has kept nothing")

    def remove(self):
        run("dmsetup", "remove", "then")
        run("dmsetup", "remove", "slow")


class History(Linear):
    def __init__(self, disk, log, base, slow):
        super().__init__(disk, log)
        self.name = f"imgrement, base {base}, history_slow {slow}"
        self.base, self.slow = base, slow

    def create(self):
        words = f"{WORDS} {self.log} base {self.base} history_slow {self.slow}"
        self.table("slow", f"imgrement {self.disk} 0 {len(words.split())} {words}")

    def check(self):
        gaps = int(counted("/dev/mapper/slow", "history_gaps"))
        if counted("/dev/mapper/slow", "history") != "on" or (gaps > 0) != (self.slow == "gap"):
            raise RuntimeError(f"{self.name}: {gaps} gaps")


def measure():
    """The latencies, in nanoseconds, and the writes per second."""
    done = subprocess.run(
        ["fio", "--name=bench", "--filename=/dev/mapper/slow", "--rw=randwrite", "--bs=4k", "--ioengine=psync",
         "--direct=1", "--numjobs=4", "--fsync=32", "--norandommap", "--time_based", f"--runtime={SECONDS}", "--thread",
         "--group_reporting", "--output-format=json"],
        check=True, stdout=subprocess.PIPE)
    job = json.loads(done.stdout)["jobs"][0]["write"]
    latency = job["clat_ns"]
    figures = {"p50": "50.000000", "p99": "99.000000", "p999": "99.900000"}
    return {name: latency["percentile"][word] for name, word in figures.items()} | {
        "worst": latency["max"], "iops": job["iops"]}


def drain(log):
    """Waits until nothing more comes to the log."""
    last, before = time.monotonic(), written(log)
    while time.monotonic() < last + 0.3:
        time.sleep(0.01)
        if before != (before := written(log)):
            last = time.monotonic()


def spread(figures):
    return {"median": statistics.median(figures), "min": min(figures), "max": max(figures)}


def main():
    # More are not needed, because null_blk keeps the time.
    out, rounds = sys.argv[1], min(int(sys.argv[2]), 3)
    disk = null_disk(DISK_MIB, MIB_PER_SECOND)
    log = null_disk(LOG_MIB, MIB_PER_SECOND // 2)
    contenders = [Linear(disk, log), LogWrites(disk, log), Snapshot(disk, log)]
    contenders += [History(disk, log, base, slow) for base in ("off", "on") for slow in ("wait", "gap")]
    taken = {contender.name: [] for contender in contenders}
    for turn in range(rounds):
        print(f"round {turn + 1} of {rounds}: writes with a slow log", flush=True)
        for contender in contenders:
            contender.create()
            taken[contender.name].append(measure())
            contender.check()
            drain(log)
            contender.remove()
    with open(out, "w") as file:
        json.dump([{"contender": name} | {word: spread([one[word] for one in all]) for word in all[0]}
                   for name, all in taken.items()], file)


main()
