# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# lib/older-cpu.sh, on a CPU with vector registers that the kernel limits to 128 bits.
# params: log_buf_len=64M noxsave
# disk: 64M
# disk: 300M
# disk: 128M
# cpus: 2
# memory: 1280
# timeout: 300 7200

# shellcheck source=../lib/older-cpu.sh
. ./lib/older-cpu.sh
