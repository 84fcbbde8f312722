# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Each request is accounted for, whatever happens to the reader of the trace events. Recorded ids + holes = requests,
# and the holes are the events that the kernel counts as lost.

null_disk lower
make_target imgrement /dev/lower log off pattern none
python3 lib/events-overload.py "$(times 1000 20000)"
