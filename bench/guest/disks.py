# SPDX-License-Identifier: GPL-2.0
"""The disks that are measured: null block devices."""

import os

from contenders import run, write

MIB = 1 << 20


def null_disk(mib, mib_per_second=0, memory=0):
    """A null block device of that size. It completes a request in the context that submitted it, unless it has a limit
    on its speed. It keeps what is written only with `memory=1`."""
    folder = "/sys/kernel/config/nullb/"
    name = f"nullb{len(os.listdir(folder))}"
    folder += name
    os.mkdir(folder)
    settings = {"size": mib, "blocksize": 4096 if memory else 512, "irqmode": 0, "queue_mode": 2, "completion_nsec": 0,
                "submit_queues": 1, "hw_queue_depth": 1024, "memory_backed": memory, "mbps": mib_per_second,
                "power": 1}
    for setting, value in settings.items():
        write(f"{folder}/{setting}", str(value))
    return "/dev/" + name


def null_log(mib_per_second=0):
    """A log. It stores nothing, so it may be large enough for everything that is ever logged."""
    return null_disk(MIB, mib_per_second)


def sectors(path):
    return int(open(f"/sys/class/block/{os.path.basename(path)}/size").read())


def warm(mib):
    """User-mode Linux gets its memory when it is first used. No sample pays for that after this."""
    run("dd", "if=/dev/zero", "of=/tmp/memory", "bs=1M", f"count={mib}")
    os.remove("/tmp/memory")
