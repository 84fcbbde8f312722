# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# pyarrow and polars read recordings, with the values that the command's own reader gives. The programs of
# docs/recording.md run as they are.
. "$(dirname "$0")/../../scripts/lib/common.sh"

"$TOP/scripts/command"
"$TOP/scripts/cargo" build --quiet --release --locked -p imgrement-cli --bin imgrement-generate
folder=$BUILD/test/readers
python=$TOP/scripts/python

# Several frames, with all kinds of rows.
"$BUILD/cargo/release/imgrement-generate" everything 70000 -o "$folder/disk.rec"
"$BUILD/command/imgrement" export "$folder/disk.rec" --format json > "$folder/disk.json"
"$python" "$TOP/tests/lib/readers.py" "$folder/disk.rec" "$folder/disk.json"
[ "$(cut -d '"' -f 4 "$folder/disk.json" | sort -u | xargs)" = 'lost mark request table' ]

# The comparison notices a value that differs.
sed '0,/"sector":/s//"sector":1/' "$folder/disk.json" > "$folder/other.json"
if "$python" "$TOP/tests/lib/readers.py" "$folder/disk.rec" "$folder/other.json" 2> "$folder/differs"; then
	die "a different value was not noticed"
fi
grep -q 'AssertionError: pyarrow: row ' "$folder/differs"

awk -v folder="$folder" '/^```python/ { file = folder "/program" ++n ".py"; next } /^```/ { file = "" } file { print > file }' \
	"$TOP/docs/recording.md"
for program in "$folder"/program[123].py; do
	echo "$program:"
	(cd "$folder" && "$python" "$program")
done
