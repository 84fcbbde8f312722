# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the kernel has allocated, for cases that look for leaks. They need `# params: slab_debug=F`: it removes the
# allocator's per-CPU caches, so that its counts are exact.

# This shortens the waits before memory is freed.
echo 1 > /sys/kernel/rcu_expedited

# settled [SECONDS]: what is left after all caches have been dropped, as names and numbers. These are objects of each
# slab cache, and KiB of vmalloc, of per-CPU memory, and of all slabs together with allocations that are too large for
# them.
settled() {
	local cache
	sync
	for cache in /sys/kernel/slab/*/shrink; do echo 1 > "$cache"; done
	# Some memory is freed only after all readers are done, even the readers of these very files.
	for _ in 1 2 3; do
		echo 3 > /proc/sys/vm/drop_caches
		sleep "${1:-0.2}"
	done
	awk 'FNR != NR && FNR > 2 { print $1, $2 }
		FNR == NR && /^(VmallocUsed|Percpu|SUnreclaim):/ { print $1, $2 }' /proc/meminfo /proc/slabinfo
}

# not_grown COUNT: since `settled > before`, nothing has grown as if each of COUNT cycles, or every second one, had
# left it behind.
not_grown() {
	local wait grown objects pages
	# Memory that waits for readers is freed in batches: on a busy machine, some seconds later.
	for wait in 0.2 1 3; do
		settled $wait > after
		grown=$(awk 'FNR == NR { before[$1] = $2; next }
			$2 != before[$1] { print $2 - before[$1], $1 }' before after | sort -n)
		echo "grown by:"$'\n'"$grown"
		# Caches that shrank must not hide growth in others. The limit is half an object per cycle, because a
		# few come and go. Three caches vary more and are left out: DAMON's, free areas of vmalloc, and the
		# trees of process memory, of which the kernel keeps some nodes in reserve.
		objects=$(awk '!/:$| damon_region$| vmap_area$| maple_node$/ && $1 > 0 { sum += $1 } END { print sum + 0 }' <<< "$grown")
		# The kernel itself keeps some task stacks in reserve.
		pages=$(awk -v limit=$((4 * $1)) '/:$/ && $1 >= limit' <<< "$grown")
		[ "$objects" -ge $(($1 / 2)) ] || [ -n "$pages" ] || return 0
	done
	fail "$objects objects more after $1 cycles, and of what grows by a page or more for each, KiB: $pages"
}
