# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Programs find their vector registers as they left them, also where the search uses these, for one pattern and
# for many: without kernel_fpu_begin() the first write of each changes them.
# cpus: 2
# timeout: 120 900

grep -qw avx2 /proc/cpuinfo || fail 'this CPU has no AVX2, so that nothing is shown'
# The debug kernel has no probes.
probes=/sys/kernel/tracing
if [ -e $probes/kprobe_events ]; then
	echo p:sections kernel_fpu_begin_mask > $probes/kprobe_events
	echo 1 > $probes/events/kprobes/sections/enable
else
	expect_match 'without probes there is only' '-debug$' "$(uname -r)"
fi
sections() { awk '$1 == "sections" { print $2 }' $probes/kprobe_profile; }

many='pattern one%20of pattern eight%20patterns nocase pattern of%20which pattern all%20but%20one'
many+=' pattern are pattern nowhere pattern here name there'
for more in '' "$many"; do
	# shellcheck disable=SC2086 # words
	make_target imgrement /dev/sda pattern xxxxxxxx $more log off data off
	pids=()
	[ ! -e $probes/kprobe_events ] || before=$(sections)
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
	# A section for each page. Others have some, too.
	if [ -e $probes/kprobe_events ]; then
		had=$(($(sections) - before))
		[ $had -ge $((writes * 16)) ] || fail "$had sections with the FPU for $((writes * 16)) pages"
	fi
	expect 'found in pages' $((writes * 16 * (4096 - 7))) "$(counter page)"
	expect 'found across pages' $((writes * 15 * 7)) "$(counter across)"
	remove_target imgrement
done
