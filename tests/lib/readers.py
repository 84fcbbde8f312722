# SPDX-License-Identifier: GPL-2.0
"""readers.py FILE JSON: reads a recording with pyarrow and with polars, and compares each value of each row with what the
command's own reader says (JSON: what `imgrement export --format json` prints)."""

import json
import subprocess
import sys

import polars
import pyarrow


def rows_of_pyarrow(stream):
    table = pyarrow.ipc.open_stream(stream).read_all()
    index = table.schema.get_field_index("time")
    return table.set_column(index, "time", table["time"].cast(pyarrow.int64())).to_pylist()


def rows_of_polars(stream):
    return polars.read_ipc_stream(stream).with_columns(polars.col("time").dt.epoch("ns")).to_dicts()


def main(file, text):
    stream = subprocess.run(["zstd", "-dc", file], check=True, stdout=subprocess.PIPE).stdout
    wanted = [json.loads(line) for line in open(text)]
    kinds = {row["kind"] for row in wanted}
    for name, read in {"pyarrow": rows_of_pyarrow, "polars": rows_of_polars}.items():
        rows = read(stream)
        assert len(rows) == len(wanted), f"{name}: {len(rows)} rows, wanted {len(wanted)}"
        for index, (got, line) in enumerate(zip(rows, wanted)):
            # A column that is not in the line has no value.
            line = {**dict.fromkeys(got), **line}
            assert got == line, f"{name}: row {index}: {got}, wanted {line}"
        print(f"{name}: {len(rows)} rows of {len(kinds)} kinds, {len(rows[0])} columns")


main(*sys.argv[1:])
