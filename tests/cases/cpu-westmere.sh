# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# lib/older-cpu.sh, on a CPU from before AVX.
# cpu: Westmere
# params: log_buf_len=64M
# disk: 64M
# disk: 300M
# disk: 128M
# cpus: 2
# memory: 1280
# timeout: 300 7200

# shellcheck source=../lib/older-cpu.sh
. ./lib/older-cpu.sh
