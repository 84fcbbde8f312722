# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The search uses vector registers, and programs still find their own values in them, with one pattern and with many.
# Without kernel_fpu_begin(), the first write of each program would change them. On a CPU without AVX2, the search has
# no FPU sections.
# cpus: 2
# timeout: 120 900

# The debug kernel has no probes.
probes=/sys/kernel/tracing
if [ -e $probes/kprobe_events ]; then
	modprobe dm-imgrement
	echo p:begun kernel_fpu_begin_mask > $probes/kprobe_events
	echo p:ours imgrement_avx2_end >> $probes/kprobe_events
	echo 1 > $probes/events/kprobes/enable
else
	expect_match 'without probes there is only' '-debug$' "$(uname -r)"
fi
# sections EVENT: how many sections were begun by anything, or how many of ours have ended.
sections() { awk -v event="$1" '$1 == event { print $2 }' $probes/kprobe_profile; }

many='pattern one%20of pattern eight%20patterns nocase pattern of%20which pattern all%20but%20one'
many+=' pattern are pattern nowhere pattern here name there'
for more in '' "$many"; do
	# shellcheck disable=SC2086 # words
	make_target imgrement /dev/sda pattern xxxxxxxx $more log off data off
	pids=()
	if [ -e $probes/kprobe_events ]; then
		begun=$(sections begun) ours=$(sections ours)
	fi
	for _ in 1 2 3; do
		programs/vectors /dev/mapper/imgrement "$(times 200 4000 50)" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || fail "vector registers do not survive a write, with pattern xxxxxxxx $more"
	done
	# All of it was searched: each byte of 64 KiB except the last seven begins a match, in a page or across two.
	writes=$(counter write)
	expect 'writes' $((3 * $(times 200 4000 50))) "$writes"
	if [ -e $probes/kprobe_events ]; then
		ours=$(($(sections ours) - ours)) begun=$(($(sections begun) - begun))
		if grep -qw avx2 /proc/cpuinfo; then
			[ $ours -ge $((writes * 16)) ] || fail "$ours sections with the FPU for $((writes * 16)) pages"
		else
			expect 'sections with the FPU without AVX2' 0 $ours
		fi
		# Other code has sections, too.
		[ $begun -ge $ours ] || fail "$ours sections with the FPU ended, $begun began"
	fi
	expect 'found in pages' $((writes * 16 * (4096 - 7))) "$(counter page)"
	expect 'found across pages' $((writes * 15 * 7)) "$(counter across)"
	remove_target imgrement
done
