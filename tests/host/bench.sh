# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The benchmark runs, and its report has the layout in docs/benchmark.md, whatever the figures are. A comparison with
# itself finds no change. A comparison with a file that is no report fails with a clear error.
. "$(dirname "$0")/../../scripts/lib/common.sh"

out=$BUILD/test/bench
export QUICK=1 ROUNDS=1 SECONDS_EACH=0.3 BENCH_OUT=$out
"$TOP/scripts/bench"

# The kit has Python.
"$TOP/scripts/enter" python3 - "$out/report.json" "$TOP/docs/benchmark.md" <<'END'
import json, re, sys
report = json.load(open(sys.argv[1]))
documented = open(sys.argv[2]).read()
for key in report:
    assert f"`{key}`" in documented, f"{key} is not documented"
wanted = ["P1", "P2", "P2a", "P2b", "P3", "P5", "P6", "P7a", "P7b", "P8", "P9", "P9_aio", "P9a", "P10", "P11",
          "P12", "P13"]
for name in wanted:
    assert name in report["ratios"], f"{name} is not in the report"
for name in ["P1", "P10"]:
    ratio = report["ratios"][name]
    assert ratio and 0.01 < ratio["min"] <= ratio["value"] <= ratio["max"] < 10 and ratio["floor"], (name, ratio)
rows = {(row["disk"], row["rw"], row["contender"]) for row in report["rows"]}
assert ("null", "randread", "off") in rows and ("brd", "randwrite", "pattern") in rows, rows
for row in report["rows"]:
    assert row["iops"]["median"] > 1000, row
    assert (row["segments"] == 1) == (row["contender"] in ("off", "pattern")), row
END
grep -q 'P1 .*all off' "$out/report.md"

if BASE=$TOP/README.md "$TOP/scripts/bench" > "$out/mistake.log" 2>&1; then
	die "the README was taken for a report"
fi
grep -q 'README.md is not what it should be' "$out/mistake.log"
# The error must come before anything is measured.
if grep -q round "$out/mistake.log"; then die "it was measured all the same"; fi
