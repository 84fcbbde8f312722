# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Events have listeners while requests are in flight: several readers with filters, a histogram, reloads and suspends,
# and the removal of the target and the module.
# memory: 1024
# timeout: 240 240

modprobe dm-imgrement
make_target imgrement /dev/sdb log off data off
trace=/sys/kernel/tracing
system=events/imgrement

# Three readers: of all; of matches after a sector; and of writes, with a histogram of their latencies by op.
python3 lib/events.py start
mkdir $trace/instances/{found,written}
for instance in case found written; do echo 8192 > $trace/instances/$instance/buffer_size_kb; done
echo 'sector >= 2048 && hits > 0' > $trace/instances/found/$system/request/filter
echo 'op == 1 && bytes >= 1024' > $trace/instances/written/$system/complete/filter

python3 - > /tmp/text <<'END'
for i in range(2048):
    print(end=f"block {i} {'DAMN' if i % 3 == 0 else ''}".ljust(512))
END
# Until /tmp/stop exists: writes of all sizes, reads, and flushes.
load() {
	python3 - <<-'END'
		import mmap, os, random
		chance = random.Random(3)
		disk = os.open("/dev/mapper/imgrement", os.O_RDWR | os.O_DIRECT)
		memory = mmap.mmap(-1, 1 << 20)
		memory[:] = open("/tmp/text", "rb").read()
		while not os.path.exists("/tmp/stop"):
		    size = 512 * chance.randrange(1, 33)
		    place = 512 * chance.randrange(2048 - 32)
		    at = 512 * chance.randrange(8192 - 32)
		    assert os.pwrite(disk, memoryview(memory)[place : place + size], at) == size
		    assert os.preadv(disk, [memoryview(memory)[:512]], at) == 512
		    if chance.random() < 0.1:
		        os.fsync(disk)
	END
}
load &
load=$!

# While requests are in flight, a reader starts to listen, stops, and starts again.
echo 1 > $trace/instances/found/$system/request/enable
echo 0 > $trace/instances/found/$system/request/enable
dmsetup suspend imgrement
dmsetup message imgrement 0 reset
echo > $trace/instances/found/trace
echo 1 > $trace/instances/found/$system/request/enable
echo 1 > $trace/instances/written/$system/complete/enable
# A filter does not apply to triggers, which have their own. The debug kernel has no histograms.
histogram='hist:keys=op:vals=hitcount,latency:sort=op'
case $(uname -r) in *-debug) histogram='' ;; esac
[ -z "$histogram" ] || echo "$histogram" > $trace/instances/written/$system/complete/trigger
for event in request complete table; do echo 1 > $trace/instances/case/$system/$event/enable; done
dmsetup resume imgrement
for ((i = 0; i < $(times 4 100); i++)); do
	sleep 0.2
	# Another target in between, during which none of ours has the device.
	for kind in imgrement linear imgrement; do
		dmsetup reload imgrement --table "0 8192 $kind /dev/sdb 0"
		dmsetup suspend imgrement
		dmsetup resume imgrement
	done
	dmsetup message imgrement 0 log off
	dmsetup suspend --noflush imgrement
	dmsetup resume imgrement
done
touch /tmp/stop
wait $load
for instance in case found written; do echo 0 > $trace/instances/$instance/tracing_on; done
[ -z "$histogram" ] || cat $trace/instances/written/$system/complete/hist | tee /tmp/hist

python3 - "$histogram" <<'END'
import re, sys

sys.path.insert(0, "lib")
import events
from pathlib import Path


def of(instance):
    events.INSTANCE = Path("/sys/kernel/tracing/instances") / instance
    return events.read()


every = of("case")
requests = [event for event in every if event.kind == "request"]
ends = [event for event in every if event.kind == "complete"]
ids = [event.id for event in requests]
assert len(ids) == len(set(ids)), "an id is there twice"
assert sorted(ids) == sorted(event.id for event in ends), "requests without an end, or ends without a request"
for cpu in {id >> 48 for id in ids}:
    # No id is missing, whatever table the device had.
    here = sorted(id for id in ids if id >> 48 == cpu)
    jumps = [(a, b) for a, b in zip(here, here[1:]) if b != a + 1]
    assert len(jumps) <= sum(event.kind == "table" and event.why == "removed" for event in every), jumps

wanted = [event.id for event in requests if event.sector >= 2048 and event.hits > 0]
got = [event.id for event in of("found")]
assert got == wanted and got, f"filter: {len(got)}, wanted {len(wanted)}"
written = [event for event in ends if event.op == "write" and event.bytes >= 1024]
got = [event.id for event in of("written")]
assert sorted(got) == sorted(event.id for event in written) and got, f"filter: {len(got)}, wanted {len(written)}"
if sys.argv[1]:
    rows = re.findall(r"\{ op: +(\d+) \} hitcount: +(\d+) +latency: +(\d+)", Path("/tmp/hist").read_text())
    for number, op in ("0", "read"), ("1", "write"), ("2", "flush"):
        latencies = [event.latency for event in ends if event.op == op]
        assert (number, str(len(latencies)), str(sum(latencies))) in rows, (op, rows)
    assert len(rows) == 3, rows
whys = [event.why for event in every if event.kind == "table"]
print(len(requests), "requests,", len(whys), "events of tables")
END

# Listening continues until nothing is left. The recording is lost with the module, because only the module could decode
# it.
for instance in case found written; do echo 1 > $trace/instances/$instance/tracing_on; done
# When a module goes, the kernel drops triggers of its events, and warns (tp_module_going_check_quiescent).
[ -z "$histogram" ] || echo "!$histogram" > $trace/instances/written/$system/complete/trigger
remove_target imgrement
expect 'what becomes of it' 'suspended removed' \
	"$(sed -n 's/.* table: [0-9,]* \([a-z]*\) name=.*/\1/p' $trace/instances/case/trace | tail -n 2 | xargs)"
rmmod dm-imgrement
[ ! -e $trace/$system ] || fail 'the events are still there'
expect 'events after the module' '' "$(grep -v '^#' $trace/instances/case/trace || true)"
modprobe dm-imgrement
make_target imgrement
dd if=/dev/mapper/imgrement of=/dev/null bs=4k count=1 iflag=direct status=none
expect 'enabled again' 0 "$(< $trace/instances/case/$system/request/enable)"
remove_target imgrement
rmdir $trace/instances/{case,found,written}
rmmod dm-imgrement
