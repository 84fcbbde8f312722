# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The ancestor's walkthrough, which `make demo` shows, has the expected results, and leaves a recording and a picture of
# it.
# cpus: 1
# disk: 64M
# disk: 4M
# disk: 8M
/imgrement/demo /dev/sdc
expect 'kept' $'walkthrough.rec\nwalkthrough.png' "$(tar -t -f /dev/sdc)"
