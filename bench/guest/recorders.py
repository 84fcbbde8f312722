# SPDX-License-Identifier: GPL-2.0
"""What it takes to record each request with `imgrement record`, with trace-cmd and with blktrace. Each is used as a person
would, for the two events of a request, and writes to memory.

This kernel counts the CPU time of processes in ticks, and misses one that sleeps at each tick. But it has one CPU, so
what a recorder takes is the time that passes, compared with that without a recorder."""

import os
import shutil
import signal
import subprocess
import time

FOLDER = "/tmp/recorders"
TRACING = "/sys/kernel/tracing"
# All that is traced, so nothing is lost although the recorder waits for the CPU.
KILOBYTES = 98304


def device(path):
    number = os.stat(path).st_rdev
    return os.major(number), os.minor(number)


def imgrement(path):
    name = os.path.basename(path)
    return ["imgrement", "record", name, "-o", FOLDER + "/recording", "--buffer", f"{KILOBYTES}K"]


def trace_cmd(path):
    major, minor = device(path)
    words = ["trace-cmd", "record", "-q", "-C", "mono", "-b", str(KILOBYTES), "-o", FOLDER + "/trace.dat"]
    for event in "request", "complete":
        words += ["-e", "imgrement:" + event, "-f", f"dev == {major << 20 | minor}"]
    return words


def blktrace(path):
    # As many buffers of 1 MiB as the others have memory.
    return ["blktrace", "-d", path, "-a", "queue", "-a", "complete", "-b", "1024", "-n", str(KILOBYTES // 1024),
            "-D", FOLDER, "-o", "trace"]


def is_on(path):
    try:
        with open(path) as file:
            return file.read().strip() != "0"
    except OSError:
        return False


RECORDERS = {"imgrement": imgrement, "trace-cmd": trace_cmd, "blktrace": blktrace}


def took(name, path, load):
    """The seconds from the beginning of `load` until the recorder, which records what `load` does, has ended."""
    os.makedirs(FOLDER)
    recorder = subprocess.Popen(RECORDERS[name](path), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    major, minor = device(path)
    disk = os.path.basename(os.path.realpath(f"/sys/dev/block/{major}:{minor}"))
    begun = {
        "imgrement": f"{TRACING}/instances/imgrement-{recorder.pid}/events/imgrement/table/enable",
        "trace-cmd": f"{TRACING}/events/imgrement/complete/enable",
        "blktrace": f"/sys/kernel/debug/block/{disk}/dropped",
    }[name]
    while not (os.path.exists(begun) if name == "blktrace" else is_on(begun)):
        if recorder.poll() is not None:
            raise RuntimeError(f"{name} does not start: {recorder.stderr.read()}")
        time.sleep(0.01)
    time.sleep(0.1)
    begun_at = time.monotonic()
    load()
    if name == "blktrace":
        with open(begun) as file:
            if dropped := int(file.read()):
                print(f"round with blktrace as a recorder: it has lost {dropped} events", flush=True)
    recorder.send_signal(signal.SIGINT)
    said = recorder.stderr.read().decode()
    status = recorder.wait()
    taken = time.monotonic() - begun_at
    if name == "imgrement" and status:
        raise RuntimeError(f"{name} failed: {said}")
    if name == "imgrement" and "none lost" not in said:
        print(f"round with {name} as a recorder: {said.strip()}", flush=True)
    shutil.rmtree(FOLDER)
    return taken
