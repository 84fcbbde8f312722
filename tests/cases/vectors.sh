# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Programs find their vector registers as they left them, also where the search uses these, for one pattern and
# for many: without kernel_fpu_begin() the first write of each changes them.
# cpus: 2
# timeout: 120 900

grep -qw avx2 /proc/cpuinfo || fail 'this CPU has no AVX2, so that nothing is shown'
many='pattern one%20of pattern eight%20patterns nocase pattern of%20which pattern all%20but%20one'
many+=' pattern are pattern nowhere pattern here name there'
for more in '' "$many"; do
	# shellcheck disable=SC2086 # words
	make_target imgrement /dev/sda pattern xxxxxxxx $more log off data off
	pids=()
	for _ in 1 2 3; do
		programs/vectors /dev/mapper/imgrement "$(times 200 4000)" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || fail "vector registers do not survive a write, with pattern xxxxxxxx $more"
	done
	# All of it was searched: each byte of 64 KiB but the last seven begins one, in a page or across two.
	writes=$(counter write)
	expect 'writes' $((3 * $(times 200 4000))) "$writes"
	expect 'found in pages' $((writes * 16 * (4096 - 7))) "$(counter page)"
	expect 'found across pages' $((writes * 15 * 7)) "$(counter across)"
	remove_target imgrement
done
