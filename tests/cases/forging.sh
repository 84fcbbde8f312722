# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# No word, text, path or name can forge a line of the log, and no byte of a payload gets there, whatever is set and
# whatever fails.

modprobe dm-imgrement
# The case looks at the log, not at the console, which is slow for so many lines.
dmesg -n 1
dmesg -C
# The kernel prints the name of a task before each event as it is.
echo 0 > /sys/kernel/tracing/options/record-cmd
python3 lib/events.py start request complete delta match mark table
python3 lib/forging.py
# As people see it: each line has the target's prefix, or one that a busy kernel uses.
prefixes='imgrement|device-mapper|workqueue|hrtimer|clocksource|perf'
expect 'lines without a prefix' '' "$(dmesg -t | grep -avE "^($prefixes): " || true)"

# The payload looks like lines of the log. Nothing of it may show up anywhere.
secret=aQ7xZsecretK2v
text=$'\n'"imgrement: W, bytes to transfer: 31337, delta count: 7"$'\n\e[2J'"<0>$secret DAMN "
yes "$text" | head -c 256K > /tmp/payload

echo payload > /dev/kmsg
# The first sectors of bad fail.
dmsetup create bad --table '0 2048 error
2048 6144 linear /dev/sdb 2048'
# write_all SETTINGS...: write the payload to a device with these settings: large, small, and to bad sectors.
write_all() {
	local device=/dev/mapper/imgrement
	make_target imgrement /dev/mapper/bad log_rate 0 log_lines 0 "$@"
	dd if=/tmp/payload of=$device bs=64k seek=16 oflag=direct status=none
	dd if=/tmp/payload of=$device bs=512 count=20 seek=2048 oflag=direct status=none
	expect_fail dd if=/tmp/payload of=$device bs=512 count=1 oflag=direct status=none
	dd if=$device of=/dev/null bs=64k skip=16 count=4 iflag=direct status=none
	expect_fail dd if=$device of=/dev/null bs=512 count=1 iflag=direct status=none
	# Many at once, for a small pool.
	dd if=/tmp/payload of=$device bs=1M seek=1 conv=fsync status=none
	expect_fail dmsetup message imgrement 0 pattern %
	drain
	counts
	dmsetup table imgrement
	remove_target imgrement
}
{
	write_all
	write_all data off
	write_all pattern imgrement%3A
	write_all pattern none data off label x
	write_all records 1
	write_all log off
} > /tmp/shown
expect 'devices with two errors' 6 "$(grep -cE ' errors 2( |$)' /tmp/shown)"
expect_match 'pattern hits' 'page [1-9]' "$(< /tmp/shown)"
expect_match 'hits across deltas' 'across [1-9]' "$(< /tmp/shown)"
expect_match 'degraded requests' 'data_lost [1-9][0-9]*' "$(< /tmp/shown)"
expect_match 'unrecorded requests' 'record_lost [1-9][0-9]*' "$(< /tmp/shown)"

# A record is LEVEL,NUMBER,MICROSECONDS,FLAGS;TEXT.
dd if=/dev/kmsg iflag=nonblock bs=16k 2> /dev/null | sed 's/^[^;]*;//; 1,/^payload$/d' > /tmp/records
seen=$(grep -ac 'W, bytes to transfer: 65536,' /tmp/records)
[ "$seen" -ge 16 ] || fail "the log has only $seen of the writes"
# Plain, with our escapes, with the kernel's, and in hexadecimal.
hexadecimal=$(printf %s "$secret" | od -An -v -t x1 | tr -d ' \n')
for form in "$secret" "$hexadecimal" 31337 "${secret:0:6}" "${hexadecimal:0:12}"; do
	expect "$form in the log" '' "$(grep -aiF -- "$form" /tmp/records || true)"
	expect "$form in status and table" '' "$(grep -aiF -- "$form" /tmp/shown || true)"
done
# The log contains only known lines: requests, settings, and the mistake.
sed -n 's/^imgrement: \(x: \)*//p' /tmp/records | grep -av '^253:1: pattern %: bad escape; ' > /tmp/ours
python3 lib/log.py < /tmp/ours
patterns=$(sed -n 's/^Found \([^ ]*\) .*/\1/p' /tmp/ours | sort -u | xargs)
expect 'patterns in the log' 'DAMN imgrement:' "$patterns"
expect 'records of ours with something that the kernel escaped' '' \
	"$(grep -a '^imgrement: ' /tmp/records | grep -a '[^] -[^-~]' || true)"

# Nor is there anything but events in the trace, whatever the names of tasks, devices and patterns, and the texts.
make_target imgrement /dev/sdb
python3 - <<'END'
import mmap, os
open("/proc/self/comm", "wb").write(b"a\nb: 1,2 \x1b\xff\x7f")
os.pwritev(os.open("/dev/mapper/imgrement", os.O_WRONLY | os.O_DIRECT), [mmap.mmap(-1, 512)], 0)
END
python3 lib/events.py show > /tmp/events
grep -F 'command=a?b: 1,2 ??? ' /tmp/events
for kind in request complete delta match mark table; do
	grep -q "^$kind " /tmp/events || fail "there is no event $kind"
done
expect 'bytes that are not plain' '' "$(LC_ALL=C grep -a '[^ -~]' /tmp/events || true)"
for pipe in /sys/kernel/tracing/instances/case/per_cpu/*/trace_pipe_raw; do
	dd if="$pipe" bs=4k iflag=nonblock 2> /dev/null || true
done > /tmp/raw
[ -s /tmp/raw ] || fail 'there are no raw events'
for form in "$secret" 31337 "${secret:0:6}"; do
	expect "$form in events" '' "$(grep -aiF -- "$form" /tmp/events /tmp/raw || true)"
done
