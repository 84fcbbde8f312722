# SPDX-License-Identifier: GPL-2.0
"""Measures the latency of requests with a slow console: through dm-linear, and through imgrement with the log off and
on, while each line that the kernel prints takes 20 ms. Run it in scripts/vm with `--console hvc0`, a console of the old
kind, which prints in the context of the task that calls printk."""

import json
import os
import statistics
import subprocess
import sys

ROUNDS = 5
SECONDS = 3
# With two lines each, these are four times what such a console can print.
REQUESTS_A_SECOND = 100


def run(*words):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout.decode()


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def message(*words):
    run("dmsetup", "message", "imgrement", "0", *words)


def measure(path):
    """The median, the 99th percentile and the maximum, in nanoseconds."""
    done = run("fio", "--name=bench", "--filename=" + path, "--rw=randwrite", "--bs=4k", "--ioengine=psync",
               "--direct=1", f"--rate_iops={REQUESTS_A_SECOND}", "--time_based", f"--runtime={SECONDS}",
               "--thread", "--output-format=json")
    latency = json.loads(done)["jobs"][0]["write"]["clat_ns"]
    return {"p50": latency["percentile"]["50.000000"], "p99": latency["percentile"]["99.000000"],
            "worst": latency["max"]}


def slowly(path):
    """The same while a line takes 20 ms."""
    write("/proc/sys/kernel/printk_delay", "20")
    taken = measure(path)
    write("/proc/sys/kernel/printk_delay", "0")
    return taken


def spread(figures):
    return {"median": statistics.median(figures), "min": min(figures), "max": max(figures)}


def main():
    run("modprobe", "null_blk", "nr_devices=1", "gb=1")
    sectors = run("blockdev", "--getsz", "/dev/nullb0").strip()
    run("dmsetup", "create", "linear", "--table", f"0 {sectors} linear /dev/nullb0 0")
    run("dmsetup", "create", "imgrement", "--table",
        f"0 {sectors} imgrement /dev/nullb0 0 6 log off pattern none log_rate 0")

    taken = {"dm-linear": [], "imgrement, log off": [], "imgrement, log on": []}
    printed = 0
    for turn in range(ROUNDS):
        print(f"round {turn + 1} of {ROUNDS}: latency with a slow console", file=sys.stderr, flush=True)
        taken["dm-linear"].append(slowly("/dev/mapper/linear"))
        taken["imgrement, log off"].append(slowly("/dev/mapper/imgrement"))
        message("log", "on")
        taken["imgrement, log on"].append(slowly("/dev/mapper/imgrement"))
        message("log", "off")
        # The rest of the log is printed before the next round.
        message("mark", "drained")
        printed += run("dmesg", "-c").count("imgrement: W,")
    if printed < ROUNDS * SECONDS * REQUESTS_A_SECOND / 2:
        raise RuntimeError(f"only {printed} requests were printed, so that this shows nothing")

    print(json.dumps([
        {"contender": contender} | {word: spread([one[word] for one in rounds]) for word in rounds[0]}
        for contender, rounds in taken.items()
    ]))


main()
