# SPDX-License-Identifier: GPL-2.0
"""The exports of everything.rec, in this folder, say what the recording says. Run it with scripts/python."""

import json

import duckdb
import pyarrow.csv
import pyarrow.ipc
import pyarrow.json
import pyarrow.parquet


def plain(value):
    """A value as JSON has it."""
    return json.loads(json.dumps(value, default=int))


def wanted():
    """The rows of the recording, read by Arrow alone."""
    table = pyarrow.ipc.open_stream("everything.arrows").read_all()
    table = table.set_column(
        table.schema.get_field_index("time"), "time", table["time"].cast(pyarrow.int64())
    )
    return table


def equal(what, have, want):
    if have != want:
        raise SystemExit(f"{what}: {have!r}, and not {want!r}")


table = wanted()
rows = table.to_pylist()
names = table.column_names
equal("the number of rows", len(rows), 5000)

# JSON: a field that a kind of row does not have is missing.
with open("everything.json", encoding="ascii") as file:
    lines = [json.loads(line) for line in file]
equal("the rows of JSON", len(lines), len(rows))
for line, row in zip(lines, rows):
    equal("the fields of JSON", set(line) <= set(names), True)
    equal("a row of JSON", {name: line.get(name) for name in names}, row)
    if row["kind"] == "request":
        equal("the fields of a request", set(names) - set(line) <= {"deltas", "matches", "lost", "reason", "text"}, True)
equal("the rows by pyarrow.json", pyarrow.json.read_json("everything.json").num_rows, len(rows))

# CSV: empty cells are missing values, and lists are JSON.
with open("everything.csv", "rb") as file:
    equal("the header of CSV", file.readline(), ",".join(names).encode() + b"\r\n")
texts = {name: pyarrow.string() for name in names}
options = pyarrow.csv.ConvertOptions(column_types=texts, strings_can_be_null=True, quoted_strings_can_be_null=True)
cells = pyarrow.csv.read_csv("everything.csv", convert_options=options).to_pylist()
equal("the rows of CSV", len(cells), len(rows))
for cell, row in zip(cells, rows):
    for name in names:
        have, want = cell[name], row[name]
        if name in ("deltas", "matches"):
            have = have and json.loads(have)
        elif isinstance(want, int):
            have = have and int(have)
        elif want == "":
            have = have or ""
        equal(f"{name} in CSV", have, want)

# Parquet: the same columns, and the same values.
one = pyarrow.parquet.read_table("one.parquet")
equal("the columns of Parquet", one.column_names, names)
one = one.set_column(one.schema.get_field_index("time"), "time", one["time"].cast(pyarrow.int64()))
equal("the rows of Parquet", one.to_pylist(), rows)
metadata = pyarrow.parquet.read_metadata("one.parquet").metadata
equal("the host in the metadata", json.loads(metadata[b"imgrement"])["host"], "generated")

# DuckDB reads the folder as one table. The sums are those of the recording.
fleet = "read_parquet('fleet/**/*.parquet', hive_partitioning = true)"
query = f"""
    SELECT host, device, op, count(*), sum(bytes)::BIGINT, sum(latency)::BIGINT, sum(len(deltas))::BIGINT
    FROM {fleet} WHERE kind = 'request' GROUP BY ALL
"""
have = {key[:3]: key[3:] for key in duckdb.sql(query).fetchall()}
want = {}
for row in rows:
    if row["kind"] != "request":
        continue
    key = ("generated", row["device"], row["op"])
    sums = want.setdefault(key, [0, None, None, None])
    sums[0] += 1
    for index, value in ((1, row["bytes"]), (2, row["latency"]), (3, row["deltas"] and len(row["deltas"]))):
        if row["deltas"] == [] and index == 3:
            value = 0
        if value is not None:
            sums[index] = (sums[index] or 0) + value
equal("the sums by DuckDB", have, {key: tuple(value) for key, value in want.items()})
count = duckdb.sql(f"SELECT count(*), count(DISTINCT day) FROM {fleet}").fetchall()
equal("the rows and days of the folder", count, [(len(rows), 1)])
