# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The pure logic of core/, and the command: tables of cases, and properties against slow, obvious oracles.
. "$(dirname "$0")/../../scripts/lib/common.sh"

# In the release profile, the crates that we use are those of the command, which are built already. Ours have all checks on.
checks=()
for package in imgrement-cli imgrement-core imgrement-bench-report; do
	for check in debug-assertions overflow-checks; do
		checks+=(--config "profile.release.package.$package.$check=true")
	done
done
"$TOP/scripts/cargo" test --release --locked "${checks[@]}"
