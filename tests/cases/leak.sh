# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# From the 20th to the 200th cycle of creation, use and removal, with the module loaded anew in every
# tenth, the kernel's memory grows by less than an object a cycle.
# params: slab_debug=F

# settled: what is left when all caches are given back, a name and its number each: objects of each
# slab cache, the KiB of vmalloc, of per-CPU memory, and of all slabs with what is too large for them.
settled() {
	local cache
	sync
	for _ in 1 2; do
		echo 3 > /proc/sys/vm/drop_caches
		for cache in /sys/kernel/slab/*/shrink; do echo 1 > "$cache"; done
		# For what is freed after all readers are through.
		sleep 0.2
	done
	awk 'FNR != NR && FNR > 2 { print $1, $2 }
		FNR == NR && /^(VmallocUsed|Percpu|SUnreclaim):/ { print $1, $2 }' /proc/meminfo /proc/slabinfo
}

# With that parameter the kernel's allocator has no caches per CPU, so that it counts what is in use.
# This makes it wait less when it frees.
echo 1 > /sys/kernel/rcu_expedited
modprobe dm-imgrement
python3 lib/cycles.py 1 20
settled > before
python3 lib/cycles.py 21 200
settled > after

grown=$(awk 'FNR == NR { before[$1] = $2; next }
	$2 != before[$1] { print $2 - before[$1], $1 }' before after | sort -n)
echo "grown by:"$'\n'"$grown"
# What some caches gave back must not hide it. Half an object a cycle: a few come and go by themselves.
objects=$(awk '!/:$/ && $1 > 0 { sum += $1 } END { print sum + 0 }' <<< "$grown")
[ "$objects" -lt 90 ] || fail "$objects objects more after 180 cycles"
# The kernel itself keeps some stacks of tasks at hand.
pages=$(awk '/:$/ && $1 >= 4 * 180' <<< "$grown")
[ -z "$pages" ] || fail "KiB more after 180 cycles, a page or more for each: $pages"
