# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# `imgrement record` keeps each request with what the events say, names what was lost, and leaves a whole file and no
# tracing instance behind, however it ends.
# timeout: 240 1800

disk=/dev/mapper/imgrement-sdb
instances() { ls /sys/kernel/tracing/instances; }

# records WORDS...: run it, and leave its status in $status and what it says in $said.
records() {
	status=0
	said=$(imgrement record imgrement-sdb "$@" 2>&1) || status=$?
}

# recording WORDS...: start it, and wait until it listens.
recording() {
	imgrement record imgrement-sdb "$@" 2> /tmp/err &
	recorder=$!
	until [ "$(cat "/sys/kernel/tracing/instances/imgrement-$recorder/events/imgrement/table/enable" 2> /dev/null)" = 1 ]; do
		kill -0 "$recorder" || fail "it ended: $(< /tmp/err)"
		sleep 0.1
	done
}

load() { fio --name load --filename $disk --rw randrw --bs 4k --direct 1 --ioengine libaio --iodepth 16 "$@" > /tmp/fio; }

# Row by row, against what the text of the events says. The command has matches within and across segments, a mark, and
# a change of the table.
imgrement attach /dev/sdb --log off --pattern DAMN > /dev/null
imgrement reset imgrement-sdb
python3 lib/events.py start request complete delta match mark table
cat > /tmp/command << 'COMMAND'
python3 -c 'print("DAMN" * 5000)' > /tmp/text
dd if=/tmp/text of=/dev/mapper/imgrement-sdb bs=8k oflag=direct conv=sync status=none
dd if=/dev/mapper/imgrement-sdb of=/dev/null bs=64k count=8 iflag=direct status=none
imgrement mark imgrement-sdb half way
fio --name load --filename /dev/mapper/imgrement-sdb --rw randrw --bs 4k --direct 1 --ioengine libaio --iodepth 16 \
	--size 4M --io_size 2M > /tmp/fio
blkdiscard -f -o 1M -l 64k /dev/mapper/imgrement-sdb
dmsetup message imgrement-sdb 0 places on
python3 -c 'import os; os.fsync(os.open("/dev/mapper/imgrement-sdb", os.O_RDWR))'
COMMAND
records -o /tmp/rows --deltas --matches -- bash -eu /tmp/command
[ $status = 0 ] || fail "status $status: $said"
expect_match 'what it says' 'imgrement: /tmp/rows: [0-9]+ requests in [0-9.]+ m?s, [0-9.]+ [KM]?i?B, none lost$' "$said"
expect 'instances' case "$(instances)"
python3 lib/recorded.py agree imgrement-sdb /tmp/rows
rmdir /sys/kernel/tracing/instances/case
read -ra rows <<< "$(python3 lib/recorded.py ids /tmp/rows)"
expect 'requests, and holes' "$(requests_counted imgrement-sdb) 0" "${rows[0]} ${rows[1]}"

# Overload: the recorder is stopped, its buffers are small. What is missing is counted, and where it is missing is said.
# Only requests between others are known to be missing, so each CPU sends some before and after.
each_cpu() {
	local cpu
	for ((cpu = 0; cpu < $(nproc); cpu++)); do
		taskset -c $cpu dd if=$disk of=/dev/null bs=4k count=4 iflag=direct status=none
	done
}
before=$(requests_counted imgrement-sdb)
recording -o /tmp/lost --buffer 16K
size=$(stat -c %s /tmp/lost)
each_cpu
while [ "$(stat -c %s /tmp/lost)" = "$size" ]; do sleep 0.1; done
kill -STOP "$recorder"
load --size 4M
kill -CONT "$recorder"
each_cpu
kill "$recorder"
wait "$recorder"
read -r seen holes lost <<< "$(python3 lib/recorded.py ids /tmp/lost)"
expect 'seen and missing' $(($(requests_counted imgrement-sdb) - before)) $((seen + holes))
[ "$holes" -gt 100 ] || fail "there was no overload: $seen $holes $lost"
expect_match 'what it says' "^imgrement: /tmp/lost: [0-9]+ requests .*, $lost events lost: $holes requests are missing" \
	"$(< /tmp/err)"

# The status of the command is passed on, and a file is not replaced.
records -o /tmp/status -- sh -c 'exit 3'
expect_match 'a command that fails' '^3 .*the command failed: exit status: 3$' "$status ${said//$'\n'/ }"
records -o /tmp/status -- true
expect 'a file that exists' '1 imgrement: /tmp/status exists already
  Choose another name, or replace the file with --overwrite.' "$status $said"
records -o /tmp/status --overwrite -- true
expect 'overwritten' 0 "$status"
# It is not replaced by a recording that does not begin.
cp /tmp/status /tmp/before
records -o /tmp/status --overwrite -- /no/such/program
expect_match 'no command' '^127 imgrement: cannot run /no/such/program: ' "$status $said"
cmp /tmp/status /tmp/before || fail 'the old file was replaced'
expect 'files' '/tmp/status' "$(echo /tmp/status*)"
records -o /tmp/missing -- /no/such/program
expect_match 'no command' '^127 imgrement: cannot run /no/such/program: ' "$status $said"
[ ! -e /tmp/missing ] || fail "a file without rows stays"
# A device is written to, and stays.
mknod /tmp/null c 1 3
records -o /tmp/null -- true
expect_match 'to a device' '^0 imgrement: /tmp/null: ' "$status $said"
records -o /tmp/null -- /no/such/program
expect_match 'no command' '^127 ' "$status $said"
[ -c /tmp/null ] || fail "the device was removed"

# Limits and rotation. All files are whole.
imgrement record imgrement-sdb -o /tmp/count --count 50 -- bash -c "while [ ! -e /tmp/enough ]; do
	dd if=$disk of=/dev/null bs=4k count=20 iflag=direct status=none; done" 2> /tmp/err &
recorder=$!
until grep -q 'the recording has ended; the command still runs' /tmp/err; do
	kill -0 "$recorder" || fail "it ended: $(< /tmp/err)"
	sleep 0.1
done
touch /tmp/enough
wait "$recorder"
[ "$(imgrement export /tmp/count --format json | grep -c '"kind":"request"')" -ge 50 ] || fail 'fewer than 50'
records -o /tmp/part --rotate-time 1s --time 2500ms
# A slow machine may begin one more.
expect_match 'rotation' '^0 imgrement: /tmp/part.000 to /tmp/part.00(2 \(3|3 \(4) files\): ' "$status $said"
for file in /tmp/part.*; do imgrement report "$file" > /dev/null; done

# Two recorders at once see the same, but not into one file.
recording -o /tmp/one
first=$recorder
records -o /tmp/one --overwrite
expect_match 'the same file' '^1 imgrement: /tmp/one is in use' "$status $said"
records -o /tmp/two -- dd if=$disk of=/dev/null bs=4k count=20 iflag=direct status=none
kill "$first"
wait "$first"
for file in /tmp/one /tmp/two; do
	expect "$file" '20 0 0' "$(python3 lib/recorded.py ids $file)"
done

# Killed: what was written is whole, and the instance goes with the next one.
recording -o /tmp/killed
size=$(stat -c %s /tmp/killed)
load --size 64k
while [ "$(stat -c %s /tmp/killed)" = "$size" ]; do sleep 0.1; done
kill -9 "$recorder"
wait "$recorder" || true
status=0
said=$(imgrement report /tmp/killed 2>&1 > /tmp/report) || status=$?
expect_match 'a file without an end' '^1 imgrement: the recording is not whole.*it has no end' "$status ${said//$'\n'/ }"
grep -q . /tmp/report
expect 'instances' "imgrement-$recorder" "$(instances)"
records -o /tmp/next -- true
expect 'instances' '' "$(instances)"

# A full disk: the file ends with its last whole frame.
mkdir -p /tmp/small
mount -t tmpfs -o size=8k small /tmp/small
records -o /tmp/small/full -- bash -c "fio --name load --filename $disk --rw randrw --bs 4k --direct 1 --size 4M > /tmp/fio
	while [ -e /sys/kernel/tracing/instances/imgrement-\$PPID ]; do sleep 0.1; done"
expect_match 'a full disk' '^1 imgrement: the recording has failed; the command still runs
imgrement: cannot write /tmp/small/full: No space left on device .*
  The recording ends there. What is in the file is whole, and can be read.$' "$status $said"
imgrement report /tmp/small/full > /tmp/report 2>&1 || true
grep -q 'it has no end: its last whole frame ends at byte' /tmp/report || fail "$(< /tmp/report)"
expect 'where it ends' "$(stat -c %s /tmp/small/full)" "$(sed -n 's/.*frame ends at byte //p' /tmp/report)"
expect 'instances' '' "$(instances)"

# On a terminal, a line says how far it is.
python3 - << 'PYTHON'
import os
import pty
import re

said = b""
child, terminal = pty.fork()
if not child:
    os.execlp("imgrement", "imgrement", "record", "imgrement-sdb", "-o", "/tmp/terminal", "--time", "2s")
try:
    while part := os.read(terminal, 4096):
        said += part
except OSError:
    pass
assert os.waitpid(child, 0)[1] == 0, said
assert re.search(rb"1 s, \d+ requests, \d+ a second, [\d.]+ K?i?B, none lost", said), said
PYTHON

# The device goes: the recording ends by itself.
recording -o /tmp/gone
imgrement detach imgrement-sdb
wait "$recorder"
expect_match 'a device that goes' '^imgrement: imgrement-sdb was removed ' "$(tr '\n' ' ' < /tmp/err)"
imgrement export /tmp/gone --format json | grep -q '"reason":"removed"' || fail 'no row for the removal'
records -o /tmp/none
expect_match 'no device' '^1 imgrement: there is no device imgrement-sdb' "$status $said"
[ ! -e /tmp/none ] || fail 'a file without a device'

# Without tracing.
imgrement attach /dev/sdb --log off > /dev/null
umount /sys/kernel/tracing
records -o /tmp/none
expect 'without tracefs' '1 imgrement: tracefs is not mounted at /sys/kernel/tracing
  Mount it as root: mount -t tracefs tracefs /sys/kernel/tracing' "$status $said"
[ ! -e /tmp/none ] || fail 'a file without tracing'
mount -t tracefs tracefs /sys/kernel/tracing
case $(uname -r) in
*-debug) echo 'left out: a locked kernel, which this one cannot be' ;;
*)
	[ -e /sys/kernel/security/lockdown ] || mount -t securityfs securityfs /sys/kernel/security
	echo confidentiality > /sys/kernel/security/lockdown
	records -o /tmp/none
	expect_match 'locked down' "^1 imgrement: no permission to use the kernel's tracing"$'\n'"  The kernel is locked down" "$status $said"
	;;
esac
imgrement detach imgrement-sdb
