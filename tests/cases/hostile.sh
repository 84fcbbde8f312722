# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Random and mutated tables and messages are refused as they should be and change nothing, or are accepted
# and work; the log has no line that is not ours, and the kernel's memory does not grow. SEED repeats a run.
# params: slab_debug=F
# timeout: 300 3600
# shellcheck source=../lib/memory.sh
. ./lib/memory.sh

# The log is full of what was refused. Only its reader has to keep up, not the console.
dmesg -n 1
seed=${SEED:-$(od -An -N 4 -t u4 /dev/urandom | tr -d ' ')}
number=$(times 500 20000)
echo "SEED=$seed"
make_target hostile
python3 lib/hostile.py hostile "before $seed" 100
settled > before
python3 lib/hostile.py hostile "$seed" "$number"
# As much as if each mistake of the rarer kinds, which are some in a hundred, left something behind.
not_grown 100

remove_target hostile
rmmod dm-imgrement
