# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The ancestor's walkthrough, which `make demo` shows, comes out as it should.
# params: loglevel=4
# cpus: 1
/imgrement/demo
