# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# `imgrement report` on recordings of known shape: what it says is what was generated. Its memory does not grow with the
# recording. A recording that was cut is reported on as far as it is whole. On a terminal, it shows how far it is.
. "$(dirname "$0")/../../scripts/lib/common.sh"

"$TOP/scripts/command"
"$TOP/scripts/cargo" build --quiet --release --locked -p imgrement-cli --bin imgrement-generate
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

python3 - "$BUILD/command/imgrement" "$BUILD/cargo/release/imgrement-generate" "$folder" << 'PYTHON'
import json
import os
import pty
import signal
import subprocess
import sys
import time

command, generate, folder = sys.argv[1:]


def make(shape, rows):
    path = f"{folder}/{shape}-{rows}"
    subprocess.check_call([generate, shape, str(rows), "-o", path], stdout=subprocess.DEVNULL)
    return path


def report(path, *options, status=0):
    got = subprocess.run([command, "report", path, *options], capture_output=True, text=True)
    assert got.returncode == status, got
    return got


def device(path, *options):
    return json.loads(report(path, "--json", *options).stdout)["devices"][0]


def near(value, wanted, part=0.02):
    assert abs(value - wanted) <= wanted * part, (value, wanted)


KIB, MIB = 1 << 10, 1 << 20

# Reads of 128 KiB, each where the one before ended, one at a time.
got = device(make("sequential", 20000))
assert [(op["op"], op["requests"], op["bytes"]) for op in got["ops"]] == [("read", 20000, 20000 * 128 * KIB)]
(reads,) = got["sequential"]
assert reads["requests"] == reads["sequential"] == reads["in_streams"] == 19999, reads
assert reads["run_bytes"]["max"] == 20000 * 128 * KIB and got["depth"]["max"] == 1
assert got["read"] == {"distinct_bytes": 20000 * 128 * KIB, "repeated_bytes": 0, "sampled": 1.0}, got["read"]
near(got["all"]["requests_per_second"], 20000 / got["duration_ns"] * 1e9, 0)

# 70 % reads and 30 % writes of 4 KiB, anywhere, 32 at once.
got = device(make("random", 50000))
assert {op["op"] for op in got["ops"]} == {"read", "write"}
near(got["ops"][0]["requests"], 35000)
assert got["sizes"] and all(size["bytes"] == 4 * KIB for size in got["sizes"])
assert all(op["sequential"] < 10 for op in got["sequential"]) and got["depth"]["max"] == 32
near(got["depth"]["mean"], 32)
# Little's law: the mean depth is the rate times the mean latency.
near(got["depth"]["mean"], got["all"]["requests_per_second"] * got["all"]["latency_ns"]["mean"] / 1e9, 0.001)

# The first place has 5 % of the writes.
got = device(make("zipf", 50000))
near(got["hottest"]["ranges"][0]["requests"], 2500, 0.1)
assert got["written"]["repeated_bytes"] > 0 and got["written"]["sampled"] == 1

# Six sizes, half reads and half writes.
got = device(make("mixed", 60000))
assert {size["bytes"] for size in got["sizes"]} == {size * KIB for size in (4, 8, 16, 64, 256, 1024)}
for size in got["sizes"]:
    near(size["requests"], 5000, 0.1)
assert len(got["size_classes"]) == 12, got["size_classes"]

# Three writes of 4 KiB, and a flush.
got = device(make("fsync", 40000))
epochs = got["epochs"]
assert epochs["barriers"] == 10000 and epochs["without_writes"] == 0, epochs
assert [epochs["writes"][key] for key in ("min", "p50", "max")] == [3, 3, 3], epochs
assert [epochs["bytes"][key] for key in ("min", "p50", "max")] == [12 * KIB] * 3, epochs
assert got["ops"][1]["op"] == "flush" and 1.9e6 < got["ops"][1]["latency_ns"]["p50"] < 2.4e6

# Each kind of row; two devices. For people, no line is wider than 80 columns.
everything = make("everything", 3000)
names = [device["device"]["name"] for device in json.loads(report(everything, "--json").stdout)["devices"]]
assert len(names) == 2
whole = report(everything)
assert all(len(line) <= 80 for line in whole.stdout.splitlines()), whole.stdout
assert names[0] not in report(everything, "--device", names[1]).stdout.split("\nMarks")[0]
said = report(everything, "--device", "none", status=1)
assert said.stderr == f"imgrement: the recording has no device none\n  It has: {', '.join(names)}\n", said
said = report(everything, "--from", "2", "--to", "2", status=2)
assert said.stderr == "imgrement: --from must be earlier than --to: nothing is between them\n", said

# The parts of a recording add up to all of it.
path = f"{folder}/mixed-60000"
all = device(path)
middle = str(all["duration_ns"] // 2) + "ns"
parts = [device(path, option, middle)["all"]["requests"] for option in ("--to", "--from")]
assert sum(parts) == 60000 and min(parts) > 1000, parts

# Cut, or no recording at all.
data = open(path, "rb").read()
with open(f"{folder}/cut", "wb") as file:
    file.write(data[: len(data) // 2])
said = report(f"{folder}/cut", status=1)
assert said.stdout.startswith("imgrement-sdb: ") and "the recording is not whole" in said.stderr, said
with open(f"{folder}/other", "wb") as file:
    file.write(b"no recording" * 1000)
assert "is not a recording" in report(f"{folder}/other", status=1).stderr
assert "No such file" in report(f"{folder}/missing", status=1).stderr

# Nobody reads the report: no failure, no word.
reader, writer = os.pipe()
os.close(reader)
got = subprocess.run([command, "report", path], stdout=writer, stderr=subprocess.PIPE)
assert (got.returncode, got.stderr) == (0, b""), got


def memory(path):
    """The most memory that a report took, in KiB."""
    process = subprocess.Popen([command, "report", path], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    return usage.ru_maxrss


# For random requests, the bits of sectors have reached their limit by then. 20 bytes for each row would be 40 MB. How
# much of its memory the allocator gives back differs from run to run.
small, large = (memory(make("random", rows)) for rows in (2_000_000, 4_000_000))
assert large - small < 40 << 10 and large < 180 << 10, (small, large)

# On a terminal, after a second: it is stopped for that time.
main, side = pty.openpty()
process = subprocess.Popen([command, "report", f"{folder}/random-2000000"], stdout=subprocess.DEVNULL, stderr=side)
process.send_signal(signal.SIGSTOP)
time.sleep(1.2)
process.send_signal(signal.SIGCONT)
os.close(side)
shown = b""
while True:
    try:
        part = os.read(main, 4096)
    except OSError:
        break
    if not part:
        break
    shown += part
assert process.wait() == 0
assert b"reading: " in shown, shown
PYTHON
