# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# From the 20th to the 120th [200th] cycle of creation, use and removal, the kernel's memory grows by less than one
# object per cycle. Every tenth cycle reloads the module.
# params: slab_debug=F
# shellcheck source=../lib/memory.sh
. ./lib/memory.sh

modprobe dm-imgrement
python3 lib/cycles.py 1 20
settled > before
last=$(times 120 200)
python3 lib/cycles.py 21 "$last"
not_grown $((last - 20))
