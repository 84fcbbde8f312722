# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the kernel has in use, for cases that look for leaks. They need `# params: slab_debug=F`: with
# that the kernel's allocator has no caches per CPU, so that it counts what is in use.

# This makes it wait less when it frees.
echo 1 > /sys/kernel/rcu_expedited

# settled [SECONDS]: what is left when all caches are given back, a name and its number each: objects of
# each slab cache, the KiB of vmalloc, of per-CPU memory, and of all slabs with what is too large for them.
settled() {
	local cache
	sync
	for cache in /sys/kernel/slab/*/shrink; do echo 1 > "$cache"; done
	# For what is freed after all readers are through, be it of these very files.
	for _ in 1 2 3; do
		echo 3 > /proc/sys/vm/drop_caches
		sleep "${1:-0.2}"
	done
	awk 'FNR != NR && FNR > 2 { print $1, $2 }
		FNR == NR && /^(VmallocUsed|Percpu|SUnreclaim):/ { print $1, $2 }' /proc/meminfo /proc/slabinfo
}

# not_grown COUNT: since `settled > before` nothing has grown that was left behind by each of COUNT cycles,
# nor by every second of them.
not_grown() {
	local wait grown objects pages
	# What waits for readers is freed in batches, on a busy machine some seconds later.
	for wait in 0.2 1 3; do
		settled $wait > after
		grown=$(awk 'FNR == NR { before[$1] = $2; next }
			$2 != before[$1] { print $2 - before[$1], $1 }' before after | sort -n)
		echo "grown by:"$'\n'"$grown"
		# What some caches gave back must not hide it. Half an object a cycle: a few come and go by themselves,
		# and more than that in three caches: of DAMON, of what is free between areas of vmalloc, and of the
		# trees of processes' memory, of whose nodes the kernel keeps some at hand.
		objects=$(awk '!/:$| damon_region$| vmap_area$| maple_node$/ && $1 > 0 { sum += $1 } END { print sum + 0 }' <<< "$grown")
		# The kernel itself keeps some stacks of tasks at hand.
		pages=$(awk -v limit=$((4 * $1)) '/:$/ && $1 >= limit' <<< "$grown")
		[ "$objects" -ge $(($1 / 2)) ] || [ -n "$pages" ] || return 0
	done
	fail "$objects objects more after $1 cycles, and of what grows by a page or more for each, KiB: $pages"
}
