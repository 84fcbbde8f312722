# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Random and mutated tables and messages are either refused as they should be and change nothing, or accepted and
# work. The log has no foreign line, and the kernel's memory does not grow. SEED repeats a run.
# params: slab_debug=F
# timeout: 300 3600
# shellcheck source=../lib/memory.sh
. ./lib/memory.sh

# The log is full of refusals. Only its reader must keep up, not the console.
dmesg -n 1
seed=${SEED:-$(od -An -N 4 -t u4 /dev/urandom | tr -d ' ')}
number=$(times 500 20000)
echo "SEED=$seed"
make_target hostile
python3 lib/hostile.py hostile "before $seed" 100
settled > before
python3 lib/hostile.py hostile "$seed" "$number"
# The rarer kinds of mistakes are a few per cent of all. The limit is low enough to notice if each of those leaves
# something behind.
not_grown 100

remove_target hostile
rmmod dm-imgrement
