# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The machine is what the other cases expect: a stock kernel, two disks, our modules.

expect 'size of sda' $((64 << 20)) "$(blockdev --getsize64 /dev/sda)"
expect 'size of sdb' $((4 << 20)) "$(blockdev --getsize64 /dev/sdb)"
[ -d "/lib/modules/$(uname -r)" ] || fail "no modules for $(uname -r)"
modprobe -n -v dm-imgrement
blkdiscard /dev/sdb
