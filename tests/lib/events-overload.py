#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Overflows small buffers with the events of the target `imgrement`, and accounts for each request.

The ids of a CPU are consecutive. A second instance records the first and the last request of each CPU, so all ids
between them are known, and so are the holes of a recording. The holes must be what the kernel counts as lost, and
all ids must be what status counts.
"""

import mmap
import os
import signal
import subprocess
import sys
import time

from tracefs import Instance

DISK = "/dev/mapper/imgrement"
CPUS = sorted(os.sched_getaffinity(0))
# The buffer of each CPU holds some hundred events.
KILOBYTES = 16
WRITES = int(sys.argv[1])
# Only the first and the last request of a CPU write to this sector.
MARK = 4096


def expect(what, wanted, got):
    if wanted != got:
        raise SystemExit(f"{what}: wanted {wanted}, got {got}")


def write(cpu, sectors):
    """Writes 512 bytes to each of these sectors from this CPU, or from any if it is None."""
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    disk = os.open(DISK, os.O_WRONLY | os.O_DIRECT)
    memory = mmap.mmap(-1, 512)
    for sector in sectors:
        os.pwrite(disk, memory, sector * 512)
    os.close(disk)


def start(cpu, sectors):
    """Starts a process that does this."""
    child = os.fork()
    if child == 0:
        try:
            write(cpu, sectors)
            os._exit(0)
        finally:
            os._exit(1)
    return child


def wait(children):
    for child in children:
        expect("the status of a writer", 0, os.waitpid(child, 0)[1])


def load(pinned=True):
    """Starts a writer for each CPU. A pinned one stays there."""
    return [start(cpu if pinned else None, range(WRITES)) for cpu in CPUS]


def requests():
    """The number of requests in the status."""
    status = subprocess.run(["dmsetup", "status", "imgrement"], check=True, stdout=subprocess.PIPE).stdout.decode()
    words = status.split(" patterns ")[0].split()
    count = dict(zip(words[3::2], words[4::2]))
    return sum(int(count[word]) for word in ("read", "write", "flush", "discard", "write_zeroes", "other"))


def marks(judge):
    """Sends a request from each CPU and returns the ids."""
    wait([start(cpu, [MARK]) for cpu in CPUS])
    events = judge.rest()
    ids = {event.cpu: event.id for event in events}
    expect("CPUs that marked", CPUS, sorted(ids))
    expect("marks", len(CPUS), len(events))
    return ids


def account(judge, trace, run):
    """Calls `run`, which overflows `trace` and returns what was recorded, and accounts for each request."""
    counted = requests()
    first = marks(judge)
    events = run()
    last = marks(judge)
    # The last marks, and the events that no reader took.
    events += trace.rest()
    counted = requests() - counted
    stats, lost = trace.stats(), trace.lost()

    all_ids = set()
    for cpu in CPUS:
        all_ids |= set(range(first[cpu], last[cpu] + 1))
    expect("ids between the first and the last, and requests counted", counted, len(all_ids))
    seen = {}
    for name in ("request", "complete"):
        ids = [event.id for event in events if event.event == name]
        seen[name] = set(ids)
        expect(f"{name}s recorded twice", 0, len(ids) - len(seen[name]))
        expect(f"{name}s with an id that no request has", set(), seen[name] - all_ids)
    holes = sum(len(all_ids - ids) for ids in seen.values())
    expect("entries left in the buffers", 0, stats["entries"])
    expect("events read, and lost", 2 * counted, stats["read events"] + lost)
    print(f"{counted} requests, {len(events)} of {2 * counted} events recorded, {holes} holes, {lost} counted as lost")
    return events, holes, lost, last


def stalled(judge, overwrite):
    """The reader is stopped while more events come than the buffers hold."""
    with Instance("stalled", KILOBYTES, overwrite) as trace:
        enable(trace)
        folder = f"/tmp/stalled-{overwrite}"

        def run():
            recorder = trace.recorder(folder)
            os.kill(recorder.pid, signal.SIGSTOP)
            wait(load())
            os.kill(recorder.pid, signal.SIGCONT)
            wait(load())
            recorder.terminate()
            expect("the status of the recorder", 0, recorder.wait())
            return trace.recorded(folder)

        _, holes, lost, _ = account(judge, trace, run)
        expect("holes, and what the kernel counts as lost", lost, holes)
        kind = "overrun" if overwrite else "dropped events"
        if not trace.stats()[kind]:
            raise SystemExit(f"there was no overload: {trace.stats()}")


def killed(judge):
    """The reader is killed while it reads. The pages that it took but did not write are lost, too. The buffers are
    intact."""
    with Instance("killed", KILOBYTES) as trace:
        enable(trace)
        folder = "/tmp/killed"

        def run():
            recorder = trace.recorder(folder)
            writers = load()
            while not sum(os.path.getsize(f"{folder}/{name}") for name in os.listdir(folder)):
                time.sleep(0.001)
            recorder.kill()
            expect("the status of the recorder", -signal.SIGKILL, recorder.wait())
            wait(writers)
            wait(load())
            return trace.recorded(folder)

        events, holes, lost, _ = account(judge, trace, run)
        taken = trace.stats()["read events"] - len(events)
        expect("holes, and what was lost or died with the reader", lost + taken, holes)
        if not lost:
            raise SystemExit("there was no overload")


def nobody(judge):
    """There is no reader: the buffers hold the latest events."""
    with Instance("nobody", KILOBYTES) as trace:
        enable(trace)

        def run():
            wait(load())
            return []

        events, holes, lost, last = account(judge, trace, run)
        expect("holes, and what was overwritten", trace.stats()["overrun"], holes)
        if not lost:
            raise SystemExit("there was no overload")
        for cpu in CPUS:
            ids = sorted(event.id for event in events if event.event == "request" and event.cpu == cpu)
            expect(f"the last requests of CPU {cpu}", list(range(last[cpu] + 1 - len(ids), last[cpu] + 1)), ids)


def hotplug(judge):
    """A CPU goes off and on while a reader records. Its ids continue where they were."""
    with Instance("hotplug", KILOBYTES) as trace:
        enable(trace)
        folder = "/tmp/hotplug"
        online = f"/sys/devices/system/cpu/cpu{CPUS[-1]}/online"

        def run():
            recorder = trace.recorder(folder)
            for _ in range(2):
                writers = load(pinned=False)
                for state in (0, 1) * 2:
                    with open(online, "w") as file:
                        file.write(str(state))
                    time.sleep(0.05)
                wait(writers)
            recorder.terminate()
            expect("the status of the recorder", 0, recorder.wait())
            return trace.recorded(folder)

        _, holes, lost, _ = account(judge, trace, run)
        expect("holes, and what the kernel counts as lost", lost, holes)


def enable(trace):
    trace.enable("imgrement/request")
    trace.enable("imgrement/complete")


def main():
    expect("CPUs to try it with", True, len(CPUS) > 1)
    with Instance("judge", 64) as judge:
        judge.enable("imgrement/request", f"sector == {MARK}")
        for name, part in {
            "a stopped reader, old events overwritten": lambda: stalled(judge, True),
            "a stopped reader, new events dropped": lambda: stalled(judge, False),
            "a killed reader": lambda: killed(judge),
            "no reader": lambda: nobody(judge),
            "a CPU that goes off and on": lambda: hotplug(judge),
        }.items():
            print(name, end=": ", flush=True)
            part()


main()
