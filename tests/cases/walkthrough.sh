# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The ancestor's walkthrough, which `make demo` shows, comes out as it should.
# cpus: 1
/imgrement/demo
