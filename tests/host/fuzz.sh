# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The fuzz targets find nothing: neither over the inputs in core/fuzz/corpus nor in a while of looking.
seconds=5
[ -z "${LONG:-}" ] || seconds=600
"$(dirname "$0")/../../scripts/fuzz" $seconds
