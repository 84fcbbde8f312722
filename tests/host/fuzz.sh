# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The fuzz targets find nothing, neither in the inputs that are kept nor in a short run. Those of cli/fuzz run only in
# `make test-long`, because they take minutes to build. The command's own tests have properties for the same code.
top=$(dirname "$0")/../..
seconds=5 targets=()
if [ -n "${LONG:-}" ]; then
	seconds=600
else
	mapfile -t targets < <(cd "$top" && basename -s .rs -- core/fuzz/fuzz_targets/*.rs)
fi
"$top/scripts/fuzz" $seconds "${targets[@]}"
