# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# No request waits for a console, however slow that is.
# console: hvc0

# hvc0 is a console of the old kind, which prints in the context of whoever calls printk.
grep -q '^hvc0 .*(E[^N]*)' /proc/consoles || fail "hvc0 should be such a console: $(cat /proc/consoles)"

# What it prints must not be worth waiting for, so the kernel makes each line slow: 10 ms.
slow() { echo 10 > /proc/sys/kernel/printk_delay; }
fast() { echo 0 > /proc/sys/kernel/printk_delay; }

# ms COMMAND...: how long it takes, in milliseconds.
ms() {
	local from=$EPOCHREALTIME to
	"$@" >&2
	to=$EPOCHREALTIME
	echo $(((${to/./} - ${from/./}) / 1000))
}

make_target imgrement /dev/sdb log_rate 0 records 2048
drain
dmesg -C

# Who prints does wait.
slow
five() { for _ in 1 2 3 4 5; do echo 'a line' > /dev/kmsg; done; }
took=$(ms five)
[ "$took" -ge 50 ] || fail "5 lines from this task took $took ms; each should have waited 10 ms"

# 20 writes with 17 lines each make 340 lines, which take 3400 ms to print.
writes() { dd if=/dev/zero of=/dev/mapper/imgrement bs=64k count="$1" oflag=direct status=none; }
from=$EPOCHREALTIME
took=$(ms writes 20)
[ "$took" -le 1700 ] || fail "20 writes took $took ms, as if they waited for 340 lines of 10 ms"
expect 'writes done' 20 "$(counter write)"
early=$(count '^bv #')
[ "$early" -lt 320 ] || fail 'all was printed when the writes were done, so this shows nothing'

# What they left is printed in the end, and whoever asks for it waits for it.
drain
to=$EPOCHREALTIME
[ $(((${to/./} - ${from/./}) / 1000)) -ge 3400 ] || fail 'the lines should have taken 3400 ms'
expect 'in the log' '20 whole, 0 left out, 0 unrecorded, 0 without bytes' "$(lines | python3 lib/log.py)"

# I/O waits for a suspend, so that it does not wait for all of a long backlog (10 s here): what is not
# printed in some seconds is left out, as whole requests, and counted.
dmsetup message imgrement 0 reset
dmesg -C
writes 60
dmsetup suspend imgrement
left=$(counter left_out)
[ "$left" -gt 0 ] || fail 'the suspend waited until 1020 lines were printed'
expect 'printed or left out' "$((60 - left)) whole, $left left out, 0 unrecorded, 0 without bytes" \
	"$(lines | python3 lib/log.py)"

# While requests come faster than the log prints, a mark prints what came before it and returns.
load() { while [ ! -e /tmp/stop ]; do dd if=/dev/zero of=/dev/mapper/imgrement bs=4k count=500 oflag=direct status=none; done; }
dmsetup remove imgrement
make_target imgrement /dev/sdb log_rate 0 records 32
load &
until [ "$(counter write)" -ge 100 ]; do sleep 0.1; done
dmsetup message imgrement 0 mark meanwhile &
mark=$!
end=$((SECONDS + 20))
while kill -0 $mark 2> /dev/null; do
	[ $SECONDS -lt $end ] || fail 'a mark is not done after 20 s, while requests go on'
	sleep 0.1
done
expect_match 'the load' load "$(jobs -r)"
wait $mark
fast
touch /tmp/stop
wait
