# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# After many cycles of creation, use and removal, the kernel finds no leaked memory.
# kernel: debug
# timeout: 60 600

modprobe dm-imgrement
echo scan > /sys/kernel/debug/kmemleak
echo clear > /sys/kernel/debug/kmemleak
python3 lib/cycles.py 1 "$(times 50 500)"
look_for_leaks
expect 'lost' '' "$(cat /sys/kernel/debug/kmemleak)"
