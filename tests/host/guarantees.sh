# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Each claim in docs/guarantees.md names cases, and cases of these names exist.
. "$(dirname "$0")/../../scripts/lib/common.sh"

claims=0
while IFS='|' read -r _ claim cases _; do
	case $claim in *---*|*' claim '*) continue ;; esac
	named=0
	while read -r name; do
		[ -e "$TOP/tests/cases/$name.sh" ] || [ -e "$TOP/tests/host/$name.sh" ] ||
			die "there is no case $name:$claim"
		named=$((named + 1))
	done < <(grep -oE "[a-z0-9-]+" <<< "${cases//on the debug kernel/}")
	[ $named -gt 0 ] || die "no case shows this:$claim"
	claims=$((claims + 1))
done < <(grep '^|' "$TOP/docs/guarantees.md")
[ $claims -ge 30 ] || die "only $claims claims were found"
say "$claims claims"
