# SPDX-License-Identifier: GPL-2.0
"""bench.py OUT ROUNDS SECONDS [quick | CONTENDER...]: the kernel part of the benchmark, within User-mode Linux. With
names, only these contenders are measured, and dm-linear.

All contenders are on the same few disks all the time. A round goes through all workloads, and through the contenders
of each one after another, so that a change on the machine affects all of them. OUT gets every sample, in the order in
which they were taken.
"""

import json
import shutil
import subprocess
import sys
import time

import recorders
import tracefs
from contenders import contenders, counted, run, write
from disks import MIB, null_disk, null_log, sectors, warm

# Large enough that no contender's requests are merged or meet, small enough that brd fits into memory.
DISK = 256 * MIB
DEPTH = 256
BATCH = 128
# How many requests a recorder records.
RECORDED = 500_000
# Of the slow disk and its log.
SLOW_MIB_PER_SECOND = 512

BASE = ["linear", "off"]
PAYLOAD = ["linear", "off", "pattern", "data"]
ALL = ["bare", "linear", "rust_linear", "off", "pattern", "data", "log", "flakey", "log-writes",
       "blktrace", "events", "block-events", "complete-event", "block-complete-event", "remap-event"]
# The disk, fio's operation, the bytes of a request, and the contenders.
WORKLOADS = [
    ("null", "randread", 4096, [name for name in ALL if name not in ("pattern", "data", "log-writes")]),
    ("null", "randwrite", 4096, ALL + ["log-writes-aio", "history", "history-aio", "history-base"]),
    ("brd", "randread", 4096, ["bare", "linear", "rust_linear", "off", "reads"]),
    ("brd", "randwrite", 4096, ["bare", "linear", "off", "pattern", "patterns", "edges", "data", "log", "log-writes"]),
    ("null", "write", 16384, BASE),
    ("null", "write", 65536, PAYLOAD + ["blktrace"]),
    ("null", "write", 262144, BASE),
    ("null", "write", MIB, PAYLOAD),
    ("brd", "read", 65536, ["linear", "off", "reads"]),
    ("brd", "write", 65536, ["bare"] + PAYLOAD + ["patterns", "edges"]),
    ("brd", "write", MIB, ["bare"] + PAYLOAD),
    ("slow", "write", MIB, ["linear", "history-slow"]),
]
QUICK = [
    ("null", "randread", 4096, BASE),
    ("null", "randwrite", 4096, BASE),
    ("brd", "randwrite", 4096, ["linear", "pattern"]),
]


def chosen(words):
    """The workloads that are measured."""
    if words == ["quick"]:
        return QUICK
    if unknown := set(words) - {name for *_, names in WORKLOADS for name in names}:
        sys.exit(f"no such contender: {' '.join(sorted(unknown))}")
    if not words:
        return WORKLOADS
    return [
        (disk, rw, size, [name for name in names if name in words or name == "linear"])
        for disk, rw, size, names in WORKLOADS if set(names) & set(words)
    ]


def slow_log():
    """A log as slow as the slow disk."""
    return null_log(SLOW_MIB_PER_SECOND)


def fill(path):
    """Makes brd allocate its memory, so that no sample pays for that."""
    run("dd", "if=/dev/urandom", "of=" + path, "bs=1M", f"count={DISK // MIB}", "oflag=direct")


def fio(paths, rw, size, seconds, engine="io_uring"):
    """Requests per second to each of these, all at the same time."""
    command = [
        "fio", "--rw=" + rw, f"--bs={size}", "--ioengine=" + engine, "--direct=1",
        f"--iodepth={min(DEPTH, 64 * MIB // size)}", f"--iodepth_batch_submit={BATCH}",
        "--iodepth_batch_complete_min=1", f"--iodepth_batch_complete_max={BATCH}", "--norandommap",
        "--random_generator=tausworthe", "--time_based", f"--runtime={round(seconds * 1000)}ms", "--thread",
        "--gtod_reduce=1", "--output-format=json",
    ]
    if engine == "io_uring":
        command += ["--fixedbufs", "--registerfiles"]
    for path in paths:
        command += ["--name=" + path, "--filename=" + path]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    rates = []
    for job in json.loads(done.stdout)["jobs"]:
        if job["error"]:
            raise RuntimeError(f"{job['jobname']}: fio says error {job['error']}")
        side = job["read" if "read" in rw else "write"]
        rates.append(side["total_ios"] * 1000 / side["runtime"])
    return rates


def requests(contender):
    """The reads and writes that imgrement has counted."""
    return int(counted(contender.path, "read")) + int(counted(contender.path, "write"))


def sample(contender, linear, rw, size, seconds):
    """The rate of `contender`. If the task that issues the requests does all of its work, dm-linear runs at the same
    time: two jobs share the CPU, each with half of it, so that most disturbances hit both."""
    ours = contender.target == "imgrement"
    if ours:
        run("dmsetup", "message", contender.path, "0", "reset")
    if contender.alone:
        seconds *= contender.share
        contender.start()
        try:
            rate = fio([contender.path], rw, size, seconds, contender.engine)[0]
        finally:
            late = contender.stop() or 0
        result = {"iops": rate * seconds / (seconds + late)}
    else:
        # Half of it in one order, half in the other: the first of two jobs has a slight advantage or disadvantage.
        first = fio([contender.path, linear.path], rw, size, seconds)
        second = fio([linear.path, contender.path], rw, size, seconds)
        result = {"iops": first[0] + second[1], "linear": first[1] + second[0]}
    if ours:
        result["segments"] = int(counted(contender.path, "segments")) / requests(contender)
    return result


def accounted(contender, rw):
    """The part of the requests whose `request` event was recorded or, by the kernel's count, lost, when a small buffer
    overflows: 1 if each request is accounted for. Each request has an id of its own."""
    run("dmsetup", "message", contender.path, "0", "reset")
    with tracefs.Instance("accounted", 64) as trace:
        trace.enable("imgrement/request")
        recorder = trace.recorder("/tmp/accounted")
        fio([contender.path], rw, 4096, 0.1)
        recorder.terminate()
        if recorder.wait():
            raise RuntimeError("the recorder failed")
        ids = {event.id for event in trace.recorded("/tmp/accounted")}
        lost = trace.lost()
    shutil.rmtree("/tmp/accounted")
    if not lost:
        raise RuntimeError("nothing was lost, so this shows nothing")
    return (len(ids) + lost) / requests(contender)


def recorded(contender, rw):
    """What each recorder takes for a request, in microseconds. What it takes to start and to end, without any request, is
    not counted."""
    def load():
        run("fio", "--name=load", "--filename=" + contender.path, "--rw=" + rw, "--bs=4k", f"--io_size={RECORDED * 4}k",
            "--ioengine=io_uring", "--direct=1", "--fixedbufs", "--registerfiles", f"--iodepth={DEPTH}",
            f"--iodepth_batch_submit={BATCH}", "--iodepth_batch_complete_min=1", f"--iodepth_batch_complete_max={BATCH}",
            "--norandommap", "--random_generator=tausworthe", "--thread", "--gtod_reduce=1")

    begun = time.monotonic()
    load()
    alone = time.monotonic() - begun
    taken = {}
    for name in recorders.RECORDERS:
        idle = recorders.took(name, contender.path, lambda: None)
        taken[name] = (recorders.took(name, contender.path, load) - idle - alone) * 1e6 / RECORDED
    return taken


def main():
    out, rounds, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    workloads = chosen(sys.argv[4:])
    lower = {"null": null_disk(DISK // MIB), "brd": "/dev/ram0", "slow": null_disk(DISK // MIB, SLOW_MIB_PER_SECOND)}
    fill(lower["brd"])
    warm(384)
    log = null_log()
    devices = {}
    for disk, path in lower.items():
        for contender in contenders(log, null_log, slow_log):
            if any(disk == on and contender.name in names for on, _, _, names in workloads):
                contender.create(path, sectors(path))
                devices[disk, contender.name] = contender

    samples = []
    for turn in range(rounds):
        for disk, rw, size, names in workloads:
            print(f"round {turn + 1} of {rounds}: {disk}, {rw} of {size // 1024} KiB", flush=True)
            for name in names:
                taken = sample(devices[disk, name], devices[disk, "linear"], rw, size, seconds)
                if name == "events":
                    taken["accounted"] = accounted(devices[disk, name], rw)
                    taken["recorders"] = recorded(devices[disk, name], rw)
                samples.append({"round": turn, "disk": disk, "rw": rw, "bytes": size, "contender": name} | taken)
    if b"Ran out of space on the logdev" in subprocess.run(["dmesg"], stdout=subprocess.PIPE).stdout:
        raise RuntimeError("dm-log-writes has stopped logging")
    with open(out, "w") as file:
        json.dump(samples, file)


main()
