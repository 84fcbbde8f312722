# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A table that asks for more memory than can be spared is refused, with the figure. No program is killed for it, and a
# smaller table loads.
# memory: 640
# timeout: 120

modprobe dm-imgrement
# It reads each page again at the end.
python3 - <<-'HOLDER' &
	import signal
	held = bytearray(230 << 20)
	for page in range(0, len(held), 4096):
	    held[page] = page >> 12 & 0xff
	signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
	open("/tmp/held", "w").close()
	signal.sigwait([signal.SIGUSR1])
	assert all(held[page] == page >> 12 & 0xff for page in range(0, len(held), 4096))
HOLDER
holder=$!
until [ -e /tmp/held ]; do
	kill -0 $holder || fail 'there is no room for the other program'
	sleep 0.1
done

# refused WHAT REGEX TABLE: refused with a line that matches, and device-mapper's.
refused() {
	dmesg -C
	expect_fail dmsetup create wrong --table "$3"
	expect_match "$1: what dmsetup says" 'Cannot allocate memory' "$said"
	expect_match "$1: our line" "$2, and [0-9]+ MiB are available; allowed: " "$(lines)"
	expect_match "$1: the sentence" 'imgrement: Not enough memory \(-ENOMEM\)' "$(dmesg -t)"
	[ "$(dmesg | grep -ciE 'oom|killed process')" = 0 ] || fail "$1: a program was killed: $(dmesg)"
	kill -0 $holder || fail "$1: the other program is gone"
}
# lines_of ARGUMENTS: a table of many lines.
lines_of() {
	local at
	for at in {0..31}; do echo "$((at * 8)) 8 imgrement /dev/sdb $((at * 8)) $*"; done
}
refused 'a large pool' 'records 65536: needs 25[0-9] MiB' '0 8192 imgrement /dev/sdb 0 2 records 65536'
refused 'many pools' 'records 8192: needs 3[0-9] MiB' "$(lines_of 2 records 8192)"
refused 'many edges' 'edges 65536: needs [34][0-9] MiB' "$(lines_of 4 edges 65536 records 1)"

# Once those are gone, what fits is created, and works.
make_target imgrement /dev/sdb records 20000 edges 16384
dd if=/dev/zero of=/dev/mapper/imgrement bs=4k count=3 oflag=direct status=none
expect 'counted' 'write 3 sectors_written 24 segments 3' "$(counts)"
remove_target imgrement
kill -USR1 $holder
wait $holder || fail 'the other program lost its memory'
