# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Where udev runs, it makes the node of an attached device. The command waits for it, and leaves no semaphore behind.
# The debug kernel has no inotify, which udev needs.
# kernel: stock

unset DM_DISABLE_UDEV
/usr/lib/systemd/systemd-udevd --daemon 2> /dev/null
# It has read its rules. The command waits no longer than 30 seconds for it.
udevadm control --ping --timeout=300
udevadm settle --timeout=300
semaphores() { ipcs -s | grep -c '^0x' || true; }

for _ in 1 2 3; do
	imgrement attach /dev/sdb > /tmp/said
	expect 'attach' /dev/mapper/imgrement-sdb "$(< /tmp/said)"
	# It is udev's link, not a node of our own.
	expect 'the link' ../dm-0 "$(readlink /dev/mapper/imgrement-sdb)"
	expect 'semaphores' 0 "$(semaphores)"
	imgrement detach imgrement-sdb
	[ ! -L /dev/mapper/imgrement-sdb ] || fail 'the link is still there'
	expect 'semaphores' 0 "$(semaphores)"
done
# A table that is refused leaves nothing either.
expect_fail imgrement attach /dev/sdb --pattern-key a:b
expect 'semaphores' 0 "$(semaphores)"
[ ! -e /dev/dm-0 ] || fail 'there is a device'
udevadm control --exit
