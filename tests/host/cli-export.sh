# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Other programs read what `imgrement export` writes, and count the same: blkparse, btt, iowatcher, fio, DuckDB, pyarrow.
. "$(dirname "$0")/../../scripts/lib/common.sh"
. "$TOP/scripts/lib/need.sh"

need blktrace:blkparse fio
"$TOP/scripts/command"
"$TOP/scripts/cargo" build --quiet --release --locked -p imgrement-cli --bin imgrement-generate
imgrement() { "$BUILD/command/imgrement" "$@"; }
generate() { "$BUILD/cargo/release/imgrement-generate" "$@"; }
work=$BUILD/test/cli-export/work
rm -rf "$work"
mkdir -p "$work"
cd "$work"

# equal WHAT HAVE WANTED
equal() { [ "$2" = "$3" ] || die "$1: $2, and not $3"; }

# fails STATUS TEXT COMMAND...: it ends with this status, and its message has this text.
fails() {
	local wanted=$1 text=$2 status=0 said
	shift 2
	said=$("$@" 2>&1 > out) || status=$?
	equal "the status of $*" $status "$wanted"
	[[ $said = *"$text"* ]] || die "$* says: $said"
}

# of JSON EXPRESSION: a value of the report.
of() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1]))["devices"][0]; print(eval(sys.argv[2]))' "$1" "$2"; }

# blktrace, and the programs that read it.
# Few enough that no requests in flight overlap: btt does not tell these apart.
generate mixed 3000 -o mixed.rec
imgrement report mixed.rec --json > mixed.report
imgrement export mixed.rec --format blktrace -o trace
blkparse -i trace/sdb -d all.bin > theirs
requests=$(of mixed.report 'd["all"]["requests"]')
reads=$(of mixed.report 'next(o["requests"] for o in d["ops"] if o["op"] == "read")')
completed=$(sed -n '/^Total\|^CPU/,$p' theirs | grep -o 'Reads Completed: *[0-9,]*,' | tail -n 1 | tr -dc 0-9)
equal 'the reads by blkparse' "$completed" "$reads"
btt -i all.bin > btt.log
read -r _ _ average _ number < <(grep ^D2C btt.log)
equal 'the requests by btt' "$number" "$requests"
equal 'the mean latency by btt' "$average" "$(of mixed.report '"%.9f" % (d["all"]["latency_ns"]["mean"] / 1e9)')"
sectors=$(sed -n '/Device Merge Information/,/Seek Information/p' btt.log | awk '$2 == "8," { print $NF }')
equal 'the bytes by btt' $((sectors * 512)) "$(of mixed.report 'd["all"]["bytes"]')"
iowatcher -t trace/sdb -o picture.svg > iowatcher.log 2>&1
grep -q '<svg' picture.svg || die "iowatcher made no picture: $(cat iowatcher.log)"
imgrement export mixed.rec --format blktrace | blkparse -q -i - > piped
equal 'the lines from a pipe' "$(wc -l < piped)" $((requests * 3))

# The text is that of blkparse: in this order, if one request follows another, and for all kinds of rows.
compare() {
	blkparse -q "$@" | grep -v '^Input file ' > theirs
	[ -s theirs ] || die "blkparse prints nothing"
	diff theirs ours > difference || die "blkparse prints something else: $(head -n 4 difference)"
}
for shape in sequential fsync; do
	generate $shape 2000 -o $shape.rec
	imgrement export $shape.rec --format blktrace -o $shape
	imgrement export $shape.rec --format blkparse -o ours
	compare -i $shape/sdb
	rm ours
done
generate everything 5000 -o everything.rec
# blkparse has one name for each task, and no request without a task.
imgrement export everything.rec --format blktrace -o everything 2> left-out
imgrement export everything.rec --format blkparse 2> /dev/null |
	sed 's/ \[[a-z][^]]*\]$//' | sort > ours
blkparse -q -i everything/sdb -i everything/sdc | grep -v '^Input file ' |
	sed 's/ \[[a-z][^]]*\]$//' | sort > theirs
cmp ours theirs || die "blkparse prints something else for all kinds of rows"
grep -q 'm   N mark: ' ours || die "there is no mark"
grep -q 'm   N lost ' ours || die "there is no loss"
grep -q 'left out, because blktrace cannot express them: .* write-zeroes' left-out || die "$(cat left-out)"
say 'blkparse, btt, iowatcher: equal'

# fio does the same requests, to a file without blocks.
truncate -s 64G disk
# replay RECORDING VERSION
replay() {
	imgrement export "$1" --format fio --fio-version "$2" -o log
	fio --name=replay --read_iolog=log --replay_redirect="$work/disk" --ioengine=null --replay_no_stall=1 \
		--debug=io --output-format=normal > fio.log 2>&1 || die "fio: $(tail -n 5 fio.log)"
	grep -o 'iolog: get [0-9]*/[0-9]*' fio.log > theirs
	imgrement export "$1" --format json | python3 -c '
import json, sys
for row in map(json.loads, sys.stdin):
    flush = row["op"] == "flush"
    print("iolog: get %d/%d" % ((0, 0) if flush else (row["sector"] * 512, row["bytes"])))' > ours
	cmp ours theirs || die "fio does something else with version $2 of $1"
	[ -s ours ] || die "there is no request"
	rm log
}
for version in 2 3; do
	replay mixed.rec $version
	replay fsync.rec $version
done
# With the times of the log, it takes as long.
imgrement export fsync.rec --format fio -o log
took=$(fio --name=replay --read_iolog=log --replay_redirect="$work/disk" --ioengine=null --output-format=json |
	python3 -c 'import json, sys; print(json.load(sys.stdin)["jobs"][0]["job_runtime"])')
micros=$(tail -n 1 log | cut -d ' ' -f 1)
wanted=$(imgrement export fsync.rec --format json | python3 -c '
import json, sys
times = [json.loads(line)["time"] for line in sys.stdin]
print((times[-1] - times[0]) // 1000)')
equal 'the time of the last request in the log' "$micros" "$wanted"
[ "$took" -ge $((wanted / 1000 - 10)) ] || die "fio replays $wanted us in $took ms"
say 'fio: the same requests'

# Parquet, CSV and JSON have what the recording has.
imgrement export everything.rec --format parquet -o one.parquet
imgrement export everything.rec --format parquet --partition host,device,day -o fleet
for format in csv json; do
	imgrement export everything.rec --format $format -o everything.$format
done
zstd -qdc everything.rec > everything.arrows
"$TOP/scripts/python" "$TOP/tests/lib/tables.py"
say 'DuckDB, pyarrow: equal'

# What cannot be done, and what people get wrong.
fails 1 'everything.csv exists already' imgrement export everything.rec --format csv -o everything.csv
fails 1 '.parquet exists already' imgrement export everything.rec --format parquet --partition host,device,day -o fleet
fails 1 'sdb.blktrace.' imgrement export mixed.rec --format blktrace -o trace
fails 2 'replaces a file, not a folder' imgrement export mixed.rec --format blktrace -o trace --overwrite
# With --overwrite, a file is replaced, but never the recording that is read.
imgrement export mixed.rec --format csv -o everything.csv --overwrite
imgrement export mixed.rec --format csv | cmp - everything.csv
# If the new one cannot be finished, the old one stays, and nothing is beside it. Files may have 1 KiB now.
imgrement plot mixed.rec -o mixed.svg
for file in everything.csv mixed.svg; do
	cp $file before
	order=(export mixed.rec --format csv -o "$file" --overwrite)
	[ $file != mixed.svg ] || order=(plot mixed.rec -o "$file" --overwrite)
	said=$( (trap '' XFSZ && ulimit -f 1 && imgrement "${order[@]}") 2>&1) && die "imgrement ${order[*]} has written it"
	[[ $said = *"cannot write $file: File too large"* ]] || die "imgrement ${order[*]} says: $said"
	cmp $file before
	equal "the files" "$(echo $file*)" $file
done
cp mixed.rec itself
fails 1 'itself is in use' imgrement export itself --format csv -o itself --overwrite
cmp mixed.rec itself
fails 1 'the recording has no device sdz' imgrement export everything.rec --format csv --device sdz
fails 2 '--partition is for --format parquet only' imgrement export everything.rec --format csv --partition day -o x
fails 2 '--partition needs a folder' imgrement export everything.rec --format parquet --partition day
fails 2 '--partition has a word twice' imgrement export everything.rec --format parquet --partition day,host,day -o x
fails 2 '--fio-version is for --format fio only' imgrement export everything.rec --format csv --fio-version 2
fails 1 'is not a recording' imgrement export everything.csv --format json
for format in json csv parquet blkparse fio; do
	fails 1 'cannot write /dev/full: No space left on device' imgrement export everything.rec --format $format -o /dev/full
	# A closed pipe is no failure.
	imgrement export mixed.rec --format $format 2> err | head -c 1 > out
	[ ! -s err ] || die "$(cat err)"
	equal 'the status with a closed pipe' "${PIPESTATUS[0]}" 0
done
fails 1 'cannot make the folder everything.csv: File exists' imgrement export everything.rec --format blktrace -o everything.csv

# The rest of a broken recording is there, and the status says that it is broken.
generate fsync 70000 -o long.rec
size=$(stat -c %s long.rec)
head -c $((size - 100)) long.rec > cut.rec
for format in json csv parquet blkparse blktrace fio; do
	fails 1 'the recording is not whole' imgrement export cut.rec --format $format
	[ -s out ] || die "nothing is left of a broken recording: $format"
done
[ ! -e x ] || die 'a refused command has made something'
# One device only.
rows=$(imgrement export everything.rec --format json --device imgrement-sdc | grep -c '"device":"imgrement-sdc"')
equal 'the rows of a device' "$rows" "$(grep -c '"device":"imgrement-sdc"' everything.json)"
! imgrement export everything.rec --format json --device imgrement-sdc | grep '"device":"imgrement-sdb"' ||
	die 'there are rows of another device'
say 'failures: named'
rm -rf "$work"
