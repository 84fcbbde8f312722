# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# No function of the modules uses much stack, least of all one that a bio reaches. A constructor may have
# reclaim, swap and a whole map on top of it, so everything it calls must stay small in total. tests/lib/stack.py has
# the limits.
. "$(dirname "$0")/../../scripts/lib/common.sh"

"$TOP/scripts/module-for-vm"
release=${KERNEL:-$(readlink "$KITDIR/default")}
for module in dm-imgrement dm-rust-linear; do
	say "$module:"
	"$TOP/scripts/enter" python3 "$TOP/tests/lib/stack.py" "$BUILD/module/$release/$module.ko"
done
