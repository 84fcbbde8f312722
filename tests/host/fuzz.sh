# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The fuzz targets find nothing, neither in the inputs of core/fuzz/corpus nor in a short run.
seconds=5
[ -z "${LONG:-}" ] || seconds=600
"$(dirname "$0")/../../scripts/fuzz" $seconds
