# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# `imgrement report` on recordings of six workloads. Requests, bytes, sizes, sectors and flushes are exactly those that
# fio says it sent, or those of the status. Latencies are between that of the disk and that of fio.
# timeout: 240 900

# A disk that takes 20 ms for each request, so that its latency is well above what the machine adds.
modprobe -a dm-delay dm-imgrement
dmsetup create slow --table "0 131072 delay /dev/sda 0 20"
dmsetup create seen --table "0 131072 imgrement /dev/mapper/slow 0 2 log off"

cat > /tmp/life << 'LIFE'
mkfs.ext4 -q -F /dev/mapper/seen
mount /dev/mapper/seen /mnt
tar -cf - cases lib | tar -xf - -C /mnt
sync
rm -r /mnt/cases
fstrim /mnt
umount /mnt
LIFE

python3 - << 'PYTHON'
import collections
import json
import math
import subprocess

DISK = "/dev/mapper/seen"
KIB, MIB = 1 << 10, 1 << 20
# A request has the time of its event, which comes a little after the beginning of its latency. So its end may seem to be
# after the beginning of the next one.
LATE = 2


def status():
    words = subprocess.check_output(["dmsetup", "status", "seen"], text=True).split()[3:]
    return collections.Counter({word: int(count) for word, count in zip(words[::2], words[1::2]) if count.isdigit()})


def record(name, *command):
    """The report of what a command does."""
    subprocess.check_call(["imgrement", "record", "seen", "-o", f"/tmp/{name}.rec", "--", *command])
    report = json.loads(subprocess.check_output(["imgrement", "report", f"/tmp/{name}.rec", "--json"]))
    assert report["whole"] and report["losses"]["events"] == 0, report["losses"]
    text = subprocess.check_output(["imgrement", "report", f"/tmp/{name}.rec"], text=True)
    assert all(len(line) <= 80 for line in text.splitlines()), text
    (device,) = report["devices"]
    device["ops"] = {op["op"]: op for op in device["ops"]}
    return device


def fio(name, *options):
    """The report of an fio job, what fio says of it, and its requests: op, offset, length."""
    log, output = f"/tmp/{name}.log", f"/tmp/{name}.json"
    got = record(name, "fio", f"--name={name}", f"--filename={DISK}", "--direct=1", "--lat_percentiles=1",
                 "--percentile_list=50:90:99:99.9", f"--write_iolog={log}", "--output-format=json", f"--output={output}",
                 *options)
    with open(output) as file:
        (said,) = json.load(file)["jobs"]
    with open(log) as file:
        words = [line.split() for line in file][1:]
    # Version 3 begins each line with a time.
    words = [line[1:] if line[0].isdigit() else line for line in words]
    requests = [(line[1], int(line[2]), int(line[3])) for line in words if line[1] in ("read", "write")]
    agree(got, said)
    return got, said, requests


def agree(got, said):
    """Counts are equal. A latency of fio contains ours: it is from before the request is submitted until it is reaped.
    Percentiles of fio are within 1.6 %. What the machine adds to the median is less than the disk's delay: a slow machine
    stalls some requests, but not half of them."""
    for op in "read", "write":
        mine, its = got["ops"].get(op), said[op]
        if not its["total_ios"]:
            assert mine is None, mine
            continue
        assert (mine["requests"], mine["bytes"]) == (its["total_ios"], its["io_bytes"]), (mine, its)
        # fio's time also has its own start, and is in whole ms. It is the same for both ops.
        assert got["duration_ns"] <= (its["runtime"] + 1) * 1e6, (got["duration_ns"], its["runtime"])
        rate = mine["requests"] / got["duration_ns"] * 1e9
        assert math.isclose(mine["requests_per_second"], rate), mine
        assert rate >= its["iops"] * its["runtime"] / (its["runtime"] + 1) * 0.999, (rate, its["iops"])
        latency, percentiles = mine["latency_ns"], its["lat_ns"]["percentile"]
        assert latency["count"] == its["total_ios"], latency
        for key in "min", "mean", "max":
            assert 0 < latency[key] <= its["lat_ns"][key], (op, key, latency, its["lat_ns"])
        for key, its_key in ("p50", "50"), ("p90", "90"), ("p99", "99"), ("p99_9", "99.9"):
            limit = percentiles[f"{float(its_key):.6f}"] * 1.02
            assert 0 < latency[key] <= limit, (op, key, latency, percentiles)
        assert latency["p50"] >= percentiles["50.000000"] / 2, (latency, percentiles)
    # Little's law: the mean depth is the rate times the mean latency.
    little = got["all"]["requests_per_second"] * got["all"]["latency_ns"]["mean"] / 1e9
    assert math.isclose(got["depth"]["mean"], little, rel_tol=1e-6), (got["depth"], little)


def sequential(requests, op):
    """How many requests have one of the same op before them, and begin where it ended."""
    mine = [(offset, length) for kind, offset, length in requests if kind == op]
    pairs = list(zip(mine, mine[1:]))
    return len(pairs), sum(before[0] + before[1] == after[0] for before, after in pairs)


def truth(got, requests):
    """What the requests themselves say."""
    for one in got["sequential"]:
        assert (one["requests"], one["sequential"]) == sequential(requests, one["op"]), one
    for op, key in ("write", "written"), ("read", "read"):
        times = collections.Counter(
            sector for kind, offset, length in requests if kind == op
            for sector in range(offset // 512, (offset + length) // 512))
        wanted = {"distinct_bytes": len(times) * 512, "repeated_bytes": sum(n > 1 for n in times.values()) * 512,
                  "sampled": 1}
        assert got[key] == wanted, (got[key], wanted)
    sizes = collections.Counter((kind, length) for kind, _, length in requests)
    assert {(size["op"], size["bytes"]): size["requests"] for size in got["sizes"]} == dict(sizes), got["sizes"]
    hottest = collections.Counter(offset // MIB * MIB // 512 for _, offset, _ in requests)
    mine = {each["sector"]: each["requests"] for each in got["hottest"]["ranges"]}
    assert all(hottest[sector] == number for sector, number in mine.items()), (mine, hottest)
    assert sorted(mine.values()) == sorted(hottest.values())[-20:], (mine, hottest)
    for each in got["alignment"]:
        aligned = sum(offset % each["bytes"] == 0 and length % each["bytes"] == 0 for _, offset, length in requests)
        assert (each["requests"], each["aligned"]) == (len(requests), aligned), each
    (process,) = got["processes"]["processes"]
    assert (process["command"], process["requests"]) == ("fio", len(requests)), process


got, said, requests = fio("sequential", "--rw=read", "--bs=64k", "--size=8M", "--ioengine=libaio", "--iodepth=4")
truth(got, requests)
assert got["sequential"][0]["sequential"] == 127 and got["sequential"][0]["run_bytes"]["max"] == 8 * MIB, got["sequential"]
assert 2 <= got["depth"]["max"] <= 4 + LATE, got["depth"]

got, said, requests = fio("random", "--rw=randrw", "--rwmixread=70", "--bs=4k", "--size=32M", "--number_ios=400",
                          "--norandommap", "--randseed=5", "--ioengine=libaio", "--iodepth=8")
truth(got, requests)
assert 4 <= got["depth"]["max"] <= 8 + LATE, got["depth"]

got, said, requests = fio("zipf", "--rw=randwrite", "--random_distribution=zipf:1.2", "--bs=4k", "--size=32M",
                          "--number_ios=400", "--norandommap", "--randseed=6", "--ioengine=libaio", "--iodepth=8")
truth(got, requests)
assert got["written"]["repeated_bytes"] > 0, got["written"]

got, said, requests = fio("mixed", "--rw=randrw", "--bssplit=4k/25:16k/25:64k/25:256k/25", "--size=32M",
                          "--number_ios=200", "--norandommap", "--randseed=7", "--ioengine=libaio", "--iodepth=8")
truth(got, requests)
assert len(got["sizes"]) == 8 and len(got["size_classes"]) == 8, got["sizes"]

# A flush after every fourth write, but not after the last one.
got, said, requests = fio("fsync", "--rw=write", "--bs=4k", "--size=128k", "--fsync=4", "--ioengine=psync")
assert got["ops"]["write"]["requests"] == 32, got["ops"]
flushes = got["ops"]["flush"]["requests"]
assert flushes == said["sync"]["total_ios"] == got["epochs"]["barriers"] == 7, (flushes, said["sync"], got["epochs"])
epochs = got["epochs"]
assert [epochs["writes"][key] for key in ("count", "min", "max")] == [6, 4, 4], epochs
assert epochs["bytes"]["mean"] == 16 * KIB, epochs

# The life of a file system, against the status.
before = status()
got = record("life", "bash", "-eu", "/tmp/life")
done = status() - before
counted = {op: each["requests"] for op, each in got["ops"].items()}
words = {"read": "read", "write": "write", "flush": "flush", "discard": "discard", "write-zeroes": "write_zeroes"}
assert counted == {op: done[word] for op, word in words.items() if done[word]}, (counted, done)
for op, word in ("read", "sectors_read"), ("write", "sectors_written"), ("discard", "sectors_discarded"):
    assert got["ops"].get(op, {"bytes": 0})["bytes"] == done[word] * 512, (op, got["ops"], done)
assert got["epochs"]["barriers"] >= counted["flush"] > 0 and got["without_end"] == 0, got["epochs"]
PYTHON
