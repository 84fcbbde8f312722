# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Searching reads costs one thread for each mapped device, however many targets and tables it has. The thread is not
# made while the device is suspended, or if the system has no thread left.
# disk: 64M
# disk: 4M
# memory: 512

# queues: the number of threads of our queues, by name.
queues() { cat /proc/[0-9]*/comm 2> /dev/null | sed -n 's/^kworker\/R-imgrement/imgrement/p' | sort | uniq -c | xargs; }

# expect_queues WHAT WANTED: a thread that ends is still visible for a moment.
expect_queues() {
	local end=$((SECONDS + 20))
	until [ "$(queues)" = "$2" ]; do
		[ $SECONDS -lt $end ] || expect "$1" "$2" "$(queues)"
		sleep 0.1
	done
}

# lines_of COUNT ARGUMENT...: a table of COUNT targets with these arguments.
lines_of() {
	local i
	for ((i = 0; i < $1; i++)); do
		echo "$((i * 8)) 8 imgrement /dev/sdb $((i * 8)) $(($# - 1)) ${*:2}"
	done
}

# refused_as_suspended NAME: a message that would make the queue.
refused_as_suspended() {
	dmesg -C
	expect_fail dmsetup message "$1" 0 ops read
	expect_match "$1" '^253:[01]: ops read: the device is suspended; allowed: when it has been resumed, or in a table$' "$(lines)"
}

# A table of many targets.
dmsetup create many --table "$(lines_of 500 records 1 log off ops read)"
expect_queues '500 targets' '1 imgrement/253:0'
remove_target many
expect_queues 'removed' ''

# By messages, and by a table that is loaded but not yet in use.
dmsetup create few --table "$(lines_of 20 records 1 log off)"
expect_queues 'without ops read' ''
for i in {0..19}; do
	dmsetup message few $((i * 8)) ops read
done
expect_queues '20 messages' '1 imgrement/253:0'
dmsetup load few --table "$(lines_of 20 records 1 log off ops read)"
expect_queues 'another table' '1 imgrement/253:0'

# The table that made the queue goes, and reads of the other one still have it.
dmsetup resume few
write_at /dev/sdb 100 DAMN
dd if=/dev/mapper/few of=/dev/null bs=4k count=20 iflag=direct status=none
expect 'found' 'DAMN 1' "$(dmsetup status few | sed -n '13s/.* patterns 1 //p')"
expect_queues 'the other table' '1 imgrement/253:0'

# Another mapped device has its own.
make_target other /dev/sda ops read
expect_queues 'two devices' '1 imgrement/253:0 1 imgrement/253:1'
remove_target other
remove_target few
expect_queues 'both removed' ''

# On a suspended device, a message makes no queue. An existing queue stays.
dmsetup create few --table "$(lines_of 2 log off)"
dmsetup suspend few
refused_as_suspended few
expect_queues 'suspended' ''
dmsetup resume few
dmsetup message few 0 ops read
dmsetup suspend few
dmsetup message few 8 ops read
dmsetup resume few
remove_target few

# The same for a device that is about to be suspended. This suspend waits for a read, which waits for the device below.
dmsetup create below --table '0 8192 linear /dev/sdb 0'
make_target waiting /dev/mapper/below log off
dmsetup suspend below
dd if=/dev/mapper/waiting of=/dev/null bs=4k count=1 iflag=direct status=none &
reading=$!
until [ "$(awk '{ print $9 }' "/sys/block/dm-$(dmsetup info -c --noheadings -o minor waiting)/stat")" != 0 ]; do
	sleep 0.05
done
dmsetup suspend --nolockfs waiting &
suspending=$!
until grep -q '^dm_\|__dm_suspend' /proc/$suspending/wchan; do sleep 0.05; done
refused_as_suspended waiting
# The suspend is given up.
kill -KILL $suspending
wait $suspending || true
dmsetup message waiting 0 ops read
dmsetup resume below
wait $reading
remove_target waiting
remove_target below

# If no thread is left, a table and a message with `ops read` are refused, and nothing changes.
dmsetup create few --table "$(lines_of 2 log off)"
table=$(dmsetup table few)
most=$(< /proc/sys/kernel/threads-max)
# without_threads COMMAND...
without_threads() (
	echo 20 > /proc/sys/kernel/threads-max
	exec "$@"
)
# refused_for_threads COMMAND...
refused_for_threads() {
	dmesg -C
	expect_fail without_threads "$@"
	echo "$most" > /proc/sys/kernel/threads-max
	expect "$*" '253:0: ops: no memory, or no thread, for the queue of reads that are searched' "$(lines)"
}
refused_for_threads dmsetup load few --table "$(lines_of 2 ops read)"
refused_for_threads dmsetup message few 8 ops read
expect 'the table' "$table" "$(dmsetup table few)"
expect 'the inactive table' '' "$(dmsetup table --inactive few)"
dmsetup message few 8 ops read
expect_queues 'with threads' '1 imgrement/253:0'
remove_target few
