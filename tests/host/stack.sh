# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# No function of the modules takes much stack, above all none that a bio reaches. A constructor may have reclaim,
# swap and a whole map on top of it, so what it calls may not take much together. tests/lib/stack.py has the limits.
. "$(dirname "$0")/../../scripts/lib/common.sh"

"$TOP/scripts/module-for-vm"
release=${KERNEL:-$(readlink "$KITDIR/default")}
for module in dm-imgrement dm-rust-linear; do
	say "$module:"
	"$TOP/scripts/enter" python3 "$TOP/tests/lib/stack.py" "$BUILD/module/$release/$module.ko"
done
