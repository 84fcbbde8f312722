# SPDX-License-Identifier: GPL-2.0
"""restore.py IMGREMENT GENERATE OUT: what `imgrement history restore` takes, beside dd. Both read a log from memory, and
write a file in memory: dd the bytes of the log as they are, and `restore` what the disk holds at its end. ROUNDS (7) says
how often, RESTORE_MIB (1024) how large the disk is, and RESTORE_FOLDER (/dev/shm) where the files are."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = int(os.environ.get("ROUNDS", 7))
# The size of the disk, and of what is written to it.
MIB = int(os.environ.get("RESTORE_MIB", 1024))
FOLDER = os.environ.get("RESTORE_FOLDER", "/dev/shm")
# The shape and the size of the writes.
LOGS = {
    "sequential writes of 1 MiB": ("sequential", 1 << 20),
    "sequential writes of 4 KiB": ("sequential", 4 << 10),
    "random writes of 4 KiB": ("random", 4 << 10),
}


def seconds(out, *words):
    """How long this takes to write its file."""
    began = time.monotonic()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    taken = time.monotonic() - began
    os.remove(out)
    return taken


def spread(figures):
    return {"median": statistics.median(figures), "min": min(figures), "max": max(figures)}


def main():
    imgrement, generate, result = sys.argv[1:]
    need = 2 * MIB * 1.1
    free = shutil.disk_usage(FOLDER).free >> 20
    if free < need:
        sys.exit(f"{FOLDER} has only {free} MiB: set RESTORE_FOLDER to another one in memory, or RESTORE_MIB to less")
    rows = []
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        log, out = folder + "/log", folder + "/out"
        for what, (shape, size) in LOGS.items():
            print(f"round 1 to {ROUNDS}: restore beside dd, a log of {what}", flush=True)
            writes = (MIB << 20) // size
            disk = ["--history", str(MIB * 2048), "--bytes", str(size)]
            subprocess.run([generate, shape, str(writes), "-o", log, *disk], check=True)
            length = os.stat(log).st_size
            ratios, speeds = [], []
            for _ in range(ROUNDS):
                dd = seconds(out, "dd", "if=" + log, "of=" + out, "bs=1M", "conv=fsync", "status=none")
                words = ["history", "restore", log, "--at", "end", "--unknown", "zero", "-o", out]
                restore = seconds(out, imgrement, *words)
                ratios.append(dd / restore)
                speeds.append(length / 1e6 / restore)
            rows.append({"log": what, "mb_per_s": spread(speeds), "of_dd": spread(ratios)})
    with open(result, "w") as file:
        json.dump(rows, file)


main()
