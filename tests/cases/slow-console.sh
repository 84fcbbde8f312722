# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# No request waits for a console, however slow it is.
# console: hvc0

# hvc0 is a console of the old kind, which prints in the context of the task that calls printk.
grep -q '^hvc0 .*(E[^N]*)' /proc/consoles || fail "hvc0 should be such a console: $(cat /proc/consoles)"

# The kernel makes each line slow, so that a wait for it shows: 10 ms by its own clock, which on an emulated CPU may
# really be half of that.
slow() { echo 10 > /proc/sys/kernel/printk_delay; }
fast() { echo 0 > /proc/sys/kernel/printk_delay; }

# ms COMMAND...: how long it takes, in milliseconds.
ms() {
	local from=$EPOCHREALTIME to
	"$@" >&2
	to=$EPOCHREALTIME
	echo $(((${to/./} - ${from/./}) / 1000))
}

make_target imgrement /dev/sdb log_rate 0 log_lines 0 records 2048
drain
dmesg -C

# A task that prints does wait.
slow
five() { for _ in 1 2 3 4 5; do echo 'a line' > /dev/kmsg; done; }
least=$(for _ in 1 2 3; do ms five; done | sort -n | head -n 1)
[ "$least" -ge 12 ] || fail "5 lines from this task took $least ms: it did not wait for them"

# 20 writes with 17 lines each make 340 lines, which take this long to print.
lines_take=$((340 * least / 5))
writes() { dd if=/dev/zero of=/dev/mapper/imgrement bs=64k count="$1" oflag=direct status=none; }
from=$EPOCHREALTIME
took=$(ms writes 20)
[ "$took" -le $((lines_take / 2)) ] || fail "20 writes took $took ms, their lines take $lines_take ms"
expect 'writes done' 20 "$(counter write)"
early=$(count '^bv #')
[ "$early" -lt 320 ] || fail 'all was printed when the writes were done, so this shows nothing'

# Their lines are printed in the end, and a task that asks for them waits.
drain
to=$EPOCHREALTIME
took=$(((${to/./} - ${from/./}) / 1000))
# Speed varies, so half of it is enough.
[ $took -ge $((lines_take / 2)) ] || fail "the lines took $took ms, not $lines_take ms"
expect 'in the log' '20 whole, 0 left out, 0 unrecorded, 0 without bytes' "$(lines | python3 lib/log.py)"

# I/O waits for a suspend, so a suspend must not wait for a long backlog (some 5 s here). Requests that are not printed
# within some seconds are left out whole, and counted.
dmsetup message imgrement 0 reset
dmesg -C
writes 60
dmsetup suspend imgrement
left=$(counter left_out)
[ "$left" -gt 0 ] || fail 'the suspend waited until 1020 lines were printed'
expect 'printed or left out' "$((60 - left)) whole, $left left out, 0 unrecorded, 0 without bytes" \
	"$(lines | python3 lib/log.py)"

# A suspend does not wait either for a mark that waits for such a backlog (20 s and more here).
dmsetup resume imgrement
dmsetup message imgrement 0 data off
dmsetup message imgrement 0 reset
dmesg -C
for _ in 1 2 3 4; do dd if=/dev/zero of=/dev/mapper/imgrement bs=1M count=4 oflag=direct status=none; done
dmsetup message imgrement 0 mark hurry &
mark=$!
sleep 0.5
kill -0 $mark || fail 'the mark did not wait'
took=$(ms dmsetup suspend imgrement)
echo "a suspend while a mark waits: $took ms, a line $least/5 ms"
most=$((2 * 2000 + 4 * 257 * least / 5 + 2000))
[ "$took" -le $most ] || fail "a suspend took $took ms, not $most ms, while a mark waited"
wait $mark
expect 'marks' 1 "$(count '^mark: hurry$')"
left=$(counter left_out)
[ "$left" -gt 0 ] || fail "$took ms were enough for all lines"
expect 'printed or left out' "$((16 - left)) whole, $left left out, 0 unrecorded, 0 without bytes" \
	"$(lines | grep -v '^mark: ' | python3 lib/log.py)"

# While requests come faster than the log prints, a mark prints what came before it, and returns.
dmsetup remove imgrement
make_target imgrement /dev/sdb log_rate 0 log_lines 0 records 64
python3 - <<'END' &
import mmap, os
disk = os.open("/dev/mapper/imgrement", os.O_WRONLY | os.O_DIRECT)
block = mmap.mmap(-1, 4096)
while True:
    os.pwrite(disk, block, 0)
END
load=$!
until [ "$(counter record_lost)" -gt 0 ]; do sleep 0.1; done
dmsetup message imgrement 0 mark meanwhile &
mark=$!
end=$((SECONDS + 20))
while kill -0 $mark 2> /dev/null; do
	[ $SECONDS -lt $end ] || fail 'a mark is not done after 20 s, while requests go on'
	sleep 0.1
done
wait $mark
kill $load
fast
