# SPDX-License-Identifier: GPL-2.0
"""Compares readers of trace events on different CPUs: measures the rate through imgrement with its events `request` and
`complete` on, divided by that of dm-linear with the block layer's `block_bio_remap` and `block_bio_complete` on. fio runs
on CPU 0, and the reader on the same CPU or on another one. Run it in scripts/vm."""

import json
import os
import shutil
import statistics
import subprocess
import sys

sys.path.insert(0, "/imgrement/tests/lib")
import tracefs

ROUNDS = 7
SECONDS = 1
KILOBYTES = 16384
FOLDER = "/tmp/recorded"
CONTENDERS = {
    "imgrement": ["imgrement/request", "imgrement/complete"],
    "linear": ["block/block_bio_remap", "block/block_bio_complete"],
}
READERS = {"the same CPU": 0, "another CPU": 1}


def run(*words):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout.decode()


def rate(name, cpu):
    """Requests per second through this device while a reader on this CPU records the events."""
    with tracefs.Instance(name, KILOBYTES) as trace:
        for event in CONTENDERS[name]:
            trace.enable(event)
        recorder = trace.recorder(FOLDER)
        os.sched_setaffinity(recorder.pid, {cpu})
        done = run("fio", "--name=bench", "--filename=/dev/mapper/" + name, "--rw=randread", "--bs=4k",
                   "--ioengine=io_uring", "--direct=1", "--iodepth=64", "--iodepth_batch_submit=32",
                   "--iodepth_batch_complete_min=1", "--iodepth_batch_complete_max=32", "--norandommap",
                   "--cpus_allowed=0", "--time_based", f"--runtime={SECONDS}", "--thread", "--output-format=json")
        recorder.terminate()
        if recorder.wait():
            raise RuntimeError("the recorder failed")
        if lost := trace.lost():
            print(f"round with {name}: {lost} events were lost", file=sys.stderr, flush=True)
    shutil.rmtree(FOLDER)
    return json.loads(done)["jobs"][0]["read"]["iops"]


def spread(figures):
    return {"median": statistics.median(figures), "min": min(figures), "max": max(figures)}


def main():
    run("modprobe", "null_blk", "nr_devices=1", "gb=1")
    sectors = run("blockdev", "--getsz", "/dev/nullb0").strip()
    run("dmsetup", "create", "linear", "--table", f"0 {sectors} linear /dev/nullb0 0")
    run("dmsetup", "create", "imgrement", "--table",
        f"0 {sectors} imgrement /dev/nullb0 0 8 log off pattern none data off records 1")
    ratios = {reader: [] for reader in READERS}
    for turn in range(ROUNDS):
        print(f"round {turn + 1} of {ROUNDS}: a reader on the same CPU, and on another", file=sys.stderr, flush=True)
        for reader, cpu in READERS.items():
            ratios[reader].append(rate("imgrement", cpu) / rate("linear", cpu))
    print(json.dumps([{"reader": reader, "of_block_events": spread(taken)} for reader, taken in ratios.items()]))


main()
