#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""suspend.py TIMES NAME...: suspends and resumes each target TIMES times, in each of the four ways in turn."""

import os
import sys

import dm

WAYS = (0, dm.NOFLUSH, dm.SKIP_LOCKFS, dm.NOFLUSH | dm.SKIP_LOCKFS)

for i in range(int(sys.argv[1])):
    for name in map(os.fsencode, sys.argv[2:]):
        dm.suspend(name, WAYS[i % len(WAYS)])
        dm.resume(name)
