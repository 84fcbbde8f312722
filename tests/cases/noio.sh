# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# No allocation in a callback of the abstraction starts I/O, except in a constructor.
# timeout: 60

modprobe dm_test_noio
# Its requests complete in the context that submitted them, in a task.
null_disk nullb0 zoned=1 zone_size=4 irqmode=0

# The next instance reports the drop of the one before.
dmsetup create noio --table '0 131072 test_noio /dev/nullb0 0'
dmsetup remove --retry noio
dmsetup create noio --table '0 131072 test_noio /dev/nullb0 0'
dd if=/dev/mapper/noio of=/dev/null bs=4k count=4 iflag=direct status=none
blkzone report /dev/mapper/noio > /dev/null
dmsetup suspend noio
dmsetup resume noio
dmsetup message noio 0 word
# seen CALLBACK: how often it was called.
seen() { dmsetup status noio | sed "s/.* $1 \([0-9]*\) .*/\1/"; }
# The target asks for two of these writes to end late. It is refused when they are mapped: only a read can.
before="$(seen end_io) $(seen end_late)"
dd if=/dev/zero of=/dev/mapper/noio bs=4k count=4 oflag=direct status=none
expect 'writes that ended at once, and late' '4 0' "$(($(seen end_io) - ${before% *})) $(($(seen end_late) - ${before#* }))"

# An ioctl that nothing knows.
expect_fail python3 -c 'import fcntl, os; fcntl.ioctl(os.open("/dev/mapper/noio", os.O_RDONLY), 0x12345)'

# A suspend waits for a request, which waits for the device below. The suspending process is killed meanwhile.
dmsetup create below --table '0 8192 linear /dev/sdb 0'
dmsetup create waiting --table '0 8192 test_noio /dev/mapper/below 0'
dmsetup suspend below
dd if=/dev/mapper/waiting of=/dev/null bs=4k count=1 iflag=direct status=none &
reading=$!
until [ "$(awk '{ print $9 }' "/sys/block/dm-$(dmsetup info -c --noheadings -o minor waiting)/stat")" != 0 ]; do
	sleep 0.05
done
before=$(seen presuspend)
dmsetup suspend --nolockfs waiting &
suspending=$!
until [ "$(seen presuspend)" -gt "$before" ]; do sleep 0.05; done
kill -KILL $suspending
wait $suspending || true
dmsetup resume below
wait $reading

dmsetup status noio | cut -d ' ' -f 4- | xargs -n 3 > /tmp/seen
cat /tmp/seen
expect 'callbacks' 20 "$(wc -l < /tmp/seen)"
while read -r callback calls in_scope; do
	[ "$calls" -gt 0 ] || fail "$callback was not called"
	expect "$callback: calls in a scope" "$calls" "$in_scope"
done < /tmp/seen
for name in waiting below noio; do remove_target $name; done
