# SPDX-License-Identifier: GPL-2.0
"""Checks a log whose machine has died, with bases on stable media.

history-crashed.py LOG DISK BEFORE SESSIONS

The log must have this many sessions. Its last one must give the disk as it was before that session, which is in BEFORE:
nothing is wrong, and nothing is unknown. Prints how many sectors have changed since.
"""
import sys

import history

path, disk, before, sessions = sys.argv[1:]
log = history.Log(path, True)
begins = [index for index, entry in enumerate(log.entries) if entry.name == "begin"]
if len(begins) != int(sessions):
    sys.exit("%d sessions, not %s" % (len(begins), sessions))
for index in begins[1:]:
    # Each of them was cut off.
    assert log.entries[index].payload[17] == 0, "a session goes on without a hole"
log.entries = log.entries[begins[-1]:]
now, wanted = (open(name, "rb").read(log.sectors * 512) for name in (disk, before))
data, unknown = log.state(0, now)
wrong = [s for s in range(log.sectors) if data[s * 512:s * 512 + 512] != wanted[s * 512:s * 512 + 512]]
if wrong or unknown:
    sys.exit("%d sectors are wrong (the first is %s), %d are unknown" % (len(wrong), wrong[:1], len(unknown)))
print("%d entries, %d sectors have changed" % (
    len(log.entries), sum(now[s * 512:s * 512 + 512] != wanted[s * 512:s * 512 + 512] for s in range(log.sectors))))
