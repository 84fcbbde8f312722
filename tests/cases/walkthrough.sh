# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The ancestor's walkthrough, which `make demo` shows, has the expected results.
# cpus: 1
/imgrement/demo
