# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# bpftrace makes a histogram of latencies by op from the trace events.
# The debug kernel has no BPF.
# kernel: stock

make_target imgrement /dev/sda log off
# 100 writes of 4 KiB, and 50 reads of 8 KiB.
cat > /tmp/load <<'END'
dd if=/dev/zero of=/dev/mapper/imgrement bs=4k count=100 oflag=direct status=none
dd if=/dev/mapper/imgrement of=/dev/null bs=8k count=50 iflag=direct status=none
END
bpftrace -f json -o /tmp/maps -c '/bin/bash -e /tmp/load' -e '
	tracepoint:imgrement:complete /args.errno == 0/ {
		@microseconds[args.op] = hist(args.latency / 1000);
		@latency[args.op] = sum(args.latency);
	}
	tracepoint:imgrement:request {
		@bytes[args.op, args.command] = sum(args.bytes);
	}'

expect 'status' 'read 50 write 100 sectors_read 800 sectors_written 800 segments 200' "$(counts)"
python3 - <<'END'
import json
maps = {}
for line in open("/tmp/maps"):
    line = json.loads(line)
    if line["type"] in ("map", "hist"):
        maps.update(line["data"])
# 0 is a read, 1 a write (docs/events.md).
assert maps["@bytes"] == {"0,dd": 409600, "1,dd": 409600}, maps
histograms = maps["@microseconds"]
assert {op: sum(bar["count"] for bar in bars) for op, bars in histograms.items()} == {"0": 50, "1": 100}, maps
for op, bars in histograms.items():
    # The sum lies within what the bars allow.
    least = sum(bar["count"] * bar.get("min", 0) * 1000 for bar in bars)
    most = sum(bar["count"] * (bar["max"] + 1) * 1000 for bar in bars)
    assert least <= maps["@latency"][op] < most and maps["@latency"][op], (op, maps)
END
