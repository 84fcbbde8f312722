# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The search, and what relies on it, on a CPU without AVX2: these cases one after another, in one machine. A case whose
# machine has such a CPU sources this file. On the debug kernel, and in `make test-long`, the cases run in full.

expect 'CPUs with AVX2' 0 "$(grep -cw avx2 /proc/cpuinfo || true)"
[[ $(uname -r) == *-debug ]] || export BRIEF=1
for name in vectors pattern-swap patterns reads integrity filesystems; do
	SECONDS=0
	bash -eu -c '. ./lib.sh; . "./cases/$1.sh"' bash $name > "/run/$name.log" 2>&1 || fail "$name: $(cat "/run/$name.log")"
	echo "$name: $SECONDS s"
	! mountpoint -q /mnt || umount /mnt
	rm -rf /tmp/*
done
