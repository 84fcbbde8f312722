# SPDX-License-Identifier: GPL-2.0
"""search.py OUT ROUNDS: compares the matcher with the kernel's own searches, in the kernel. A module measures when it is
loaded."""

import json
import re
import statistics
import subprocess
import sys

print("round 1 of 1: the matcher beside the kernel's own searches", flush=True)
subprocess.run(["insmod", "dm-bench-search.ko"], check=True)
log = subprocess.run(["dmesg"], check=True, stdout=subprocess.PIPE).stdout.decode()
speeds = {}
for contender, origin, size, speed in re.findall(r"bench_search: (\S+) (\S+) (\d+) (\d+)", log):
    speeds.setdefault((contender, origin, int(size)), []).append(int(speed) / 1e6)
with open(sys.argv[1], "w") as file:
    json.dump({"rows": [
        {"contender": contender, "input": origin, "bytes": size,
         "gb_per_s": {"median": statistics.median(taken), "min": min(taken), "max": max(taken)}}
        for (contender, origin, size), taken in speeds.items()
    ]}, file)
