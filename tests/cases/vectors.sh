# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Programs find their vector registers as they left them, also where the search uses these: without
# kernel_fpu_begin() the first write of each changes them.
# timeout: 120 900

grep -qw avx2 /proc/cpuinfo || fail 'this CPU has no AVX2, so that nothing is shown'
make_target imgrement /dev/sda pattern xxxxxxxx log off data off
pids=()
for _ in 1 2 3; do
	programs/vectors /dev/mapper/imgrement "$(times 300 20000)" &
	pids+=($!)
done
for pid in "${pids[@]}"; do
	wait "$pid" || fail 'vector registers do not survive a write'
done
# All of it was searched: each byte of 64 KiB but the last seven begins one, in a page or across two.
writes=$(counter write)
expect 'writes' $((3 * $(times 300 20000))) "$writes"
expect 'found in pages' $((writes * 16 * (4096 - 7))) "$(counter page)"
expect 'found across pages' $((writes * 15 * 7)) "$(counter across)"
remove_target imgrement
