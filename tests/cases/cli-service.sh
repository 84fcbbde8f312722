# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# imgrement@.service attaches the disk of /etc/imgrement/NAME.conf, and detaches it when it stops. A file system on the
# device is unmounted before that. systemd runs in a namespace of its own.
# The debug kernel has no inotify, which udev needs.
# kernel: stock

mount -t cgroup2 cgroup /sys/fs/cgroup
mkdir -p /etc/imgrement /run/systemd/system
printf '%s\n' 'DEVICE=/dev/sdb' "OPTIONS=--pattern 'BEGIN RSA' --places on" > /etc/imgrement/my-data.conf
printf '[Unit]\nDefaultDependencies=no\n' > /run/systemd/system/test.target
# Nothing else may start umount.target.
printf '%s\n' '[Unit]' DefaultDependencies=no Requires=umount.target After=umount.target > /run/systemd/system/down.target
# As systemd makes it of a line of /etc/fstab.
printf '%s\n' '[Unit]' DefaultDependencies=no Conflicts=umount.target Before=umount.target \
	'[Mount]' What=/dev/mapper/my-data Where=/srv > /run/systemd/system/srv.mount
mkfs.ext2 -q /dev/sdb

unset DM_DISABLE_UDEV
/usr/lib/systemd/systemd-udevd --daemon 2> /dev/null
udevadm trigger --settle /dev/sdb
container=other unshare --pid --mount --fork --mount-proc \
	/usr/lib/systemd/systemd --system --unit=test.target --show-status=no > /tmp/log 2>&1 &
until init=$(pgrep -P $!); do sleep 0.1; done
manage() { nsenter -t "$init" -m -p systemctl --no-pager "$@"; }
until manage is-active --quiet test.target 2> /dev/null; do
	kill -0 "$init" || fail "systemd ended: $(< /tmp/log)"
	sleep 0.3
done
service=imgrement@$(systemd-escape my-data).service

manage start "$service" || fail "$(manage status "$service")"
expect 'the device' 'my-data sdb 4 MiB active' "$(imgrement list | sed -n '2s/  */ /gp')"
expect_match 'the options' ' pattern_*[a-z]* BEGIN%20RSA .* places on ' " $(dmsetup table my-data) "

# Mounted: it stays. At shutdown, umount.target stops all at once, as here: it is unmounted first.
manage start srv.mount
expect_match 'the order' 'After=.*blockdev@dev-mapper-my.*x2ddata.target' "$(manage show srv.mount -p After)"
expect_match 'the order' 'Before=.*blockdev@dev-mapper-my.*x2ddata.target' "$(manage show "$service" -p Before)"
expect_fail dmsetup remove my-data
manage start down.target
expect 'stopped' inactive "$(manage is-active "$service" || true)"
expect 'devices' 'No devices found' "$(dmsetup ls)"
kill -9 "$init"
udevadm control --exit
