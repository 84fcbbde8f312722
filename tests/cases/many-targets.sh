# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Targets have no threads of their own: one queue carries the lines of all, in turns. No work outlives its target, or
# the module.
# disk: 64M
# disk: 4M
# memory: 512
# timeout: 120 300

# threads: the number of kernel threads.
threads() { grep -l '^PPid:[[:space:]]2$' /proc/[0-9]*/status 2> /dev/null | wc -l; }

modprobe dm-imgrement
before=$(threads)
for i in {0..499}; do
	echo "$((i * 8)) 8 imgrement /dev/sdb $((i * 8)) 6 records 2 pattern none label t$i"
done > /tmp/many
dmsetup create many --table "$(cat /tmp/many)"
more=$(($(threads) - before))
echo "500 targets: $more more threads"
# The kernel may start some for other work.
[ $more -lt 50 ] || fail "500 targets made $more threads"

# The worker gets to each of them by itself.
dmesg -C
dd if=/dev/zero of=/dev/mapper/many bs=2000k count=1 oflag=direct status=none
end=$((SECONDS + 20))
until [ "$(count '^t[0-9]+: W, bytes to transfer: 4096, delta count: 1$')" = 500 ]; do
	[ $SECONDS -lt $end ] || fail "only $(count ': W,') of 500 targets have printed their write"
	sleep 0.2
done
remove_target many

# More targets than fit into memory are refused with a line that says why, and nothing is killed for them.
for i in {0..11999}; do
	echo "$((i * 8)) 8 imgrement /dev/sda $((i * 8)) 4 records 1 pattern none"
done > /tmp/too-many
dmesg -C
expect_fail dmsetup create too-many < /tmp/too-many
expect_match 'too many' 'Cannot allocate memory' "$said"
# It depends on chance whether the check or an allocation fails first.
expect_match 'why' 'device-mapper: table: 253:0: imgrement: (Not enough memory|Cannot set up the target|Cannot allocate memory) \(-ENOMEM\)' \
	"$(dmesg)"
expect 'killed' '' "$(dmesg | grep -E 'Killed process|invoked oom-killer' || true)"
dmsetup remove too-many 2> /dev/null || true

# Targets are removed while their lines wait to be printed, and then the module.
head -n 20 /tmp/many > /tmp/few
for _ in $(seq "$(times 5 100)"); do
	dmsetup create many --table "$(cat /tmp/few)"
	dd if=/dev/zero of=/dev/mapper/many bs=4k count=20 oflag=direct status=none 2> /dev/null &
	writer=$!
	dd if=/dev/zero of=/dev/mapper/many bs=80k count=1 oflag=direct status=none
	# While the writer has it open, it only gets another table.
	dmsetup remove --force many 2> /dev/null || { wait $writer || true; remove_target many; }
	wait $writer || true
	rmmod dm-imgrement
	modprobe dm-imgrement
done
