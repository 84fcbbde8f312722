# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The patterns are replaced many times while data is written. Each request is searched with one set throughout, none is
# skipped, and a pattern that all sets contain is counted each time.
# disk: 8M
# cpus: 2
# params: log_buf_len=64M
# timeout: 180 1800

dmesg -n 1
make_target imgrement /dev/sda pattern always pattern texA name a log_rate 0 log_lines 0 records 16384
drain
dmesg -C
writes=$(python3 lib/pattern-swap.py run imgrement "$(times 100 1000 40)")
drain
lines > /tmp/lines
python3 lib/pattern-swap.py check "$writes" < /tmp/lines
expect 'nothing is lost' '0 0' "$(counter degraded) $(counter finds_lost)"
expect 'all sets have it' "always $((3 * writes))" "$(dmsetup status imgrement | grep -o 'always [0-9]*')"
# A pattern that was removed has lost its count, and one that was added again has started at 0.
expect_match 'the others' '^patterns 2 always [0-9]+ a [0-9]+$' "$(dmsetup status imgrement | grep -o 'patterns.*')"
remove_target imgrement
