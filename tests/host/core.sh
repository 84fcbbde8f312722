# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The pure logic of core/: tables of cases, and properties against slow, obvious oracles.
. "$(dirname "$0")/../../scripts/lib/common.sh"

"$TOP/scripts/cargo" test --locked
