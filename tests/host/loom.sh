# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What core/ shares without locks holds in all orders in which threads may meet: the staging buffers, bases and notes of
# a history.
. "$(dirname "$0")/../../scripts/lib/common.sh"

LONG=${LONG:-}
[ -n "$LONG" ] || unset LONG
"$TOP/scripts/cargo" test --locked --manifest-path "$TOP/core/loom/Cargo.toml" --target-dir "$BUILD/loom"
