# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# `imgrement history` reads a log of 10,000,000 entries in less than 512 MiB of memory, restores what was written, and keeps
# to the manners of the command.
. "$(dirname "$0")/../../scripts/lib/common.sh"

"$TOP/scripts/command"
"$TOP/scripts/cargo" build --quiet --release --locked -p imgrement-cli --bin imgrement-generate
imgrement() { "$BUILD/command/imgrement" "$@"; }
generate() { "$BUILD/cargo/release/imgrement-generate" "$@"; }
work=$BUILD/test/cli-history-log/work
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

# peak COMMAND...: the most memory that it uses, in MiB.
peak() {
	python3 - "$BUILD/command/imgrement" "$@" <<- 'PYTHON'
		import resource, subprocess, sys
		subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
		print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
	PYTHON
}

# Memory: entries that lie anywhere, and entries that all concern the same sectors. It grows with their number.
entries=2000000 limit=102
[ -z "${LONG:-}" ] || entries=10000000 limit=512
for sectors in $((1 << 31)) 8; do
	generate random $entries -o large.log --history $sectors --bytes 0
	for question in 'info large.log' 'restore large.log --at 80000000 --unknown zero -o large.img'; do
		# shellcheck disable=SC2086
		used=$(peak history $question)
		say "$entries entries, $sectors sectors, ${question%% *}: $used MiB"
		[ "$used" -lt $limit ] || die "history $question uses $used MiB"
	done
	rm -f large.*
done

# The content: each write has its number in it, and the last one counts. They are near to each other in the log, or
# scattered over it.
for log in 'sequential 20000 --bytes 4096' 'random 100 --bytes 700416' 'random 20000 --bytes 4096'; do
	# shellcheck disable=SC2086
	generate $log -o some.log --history 65536
	rm -f end.img
	imgrement history restore some.log --at end --unknown zero -o end.img > said
	imgrement history list some.log --op write --json > writes.json
	python3 - << 'PYTHON' || die "the content of $log"
import json

disk = bytearray(65536 * 512)
log = open("some.log", "rb").read()
for line in open("writes.json"):
    entry = json.loads(line)
    start, size = entry["position"] + 80, entry["bytes"]
    disk[entry["sector"] * 512 : entry["sector"] * 512 + size] = log[start : start + size]
assert disk == open("end.img", "rb").read()
PYTHON
done
equal 'the size of the image' "$(stat -c %s end.img)" $((65536 * 512))

# The manners.
fails 1 'sectors 0 to 7: did not change in the log, and the disk was not given' \
	imgrement history restore some.log --at begin -o none.img
[ ! -e none.img ] || die 'what was refused is left behind'
fails 1 'end.img exists already' imgrement history restore some.log --at end --unknown zero -o end.img
fails 1 'end.img exists already' imgrement history export some.log --format log-writes -o end.img
fails 1 'some.log is the log of a history' \
	imgrement history restore some.log --at end --unknown zero -o some.log --overwrite
# What is replaced may be the base.
imgrement history restore some.log --at 20000000 --base end.img -o then.img > said
cp end.img base.img
imgrement history restore some.log --at 20000000 --base base.img -o base.img --overwrite > said
cmp then.img base.img
imgrement history export some.log --format log-writes -o then.img --overwrite > said
equal 'what has replaced the image' "$(head -c 7 then.img)" rhswfsj
fails 1 'has no mark "six"' imgrement history cat some.log --sector 0 --at six
fails 1 'is not the log of a history' imgrement history info end.img
fails 1 'are not on the disk' imgrement history cat some.log --sector 65536 --at end
fails 2 "invalid value 'x'" imgrement history cat some.log --sector x --at end
fails 1 'There is no file nothing, either.' imgrement history info nothing
imgrement history list some.log | head -n 1 > said
grep -q '^ *POSITION  TIME' said || die "list says: $(cat said)"
# A flipped byte is named, and what comes before it is used.
cp some.log flipped.log
printf '\377' | dd of=flipped.log bs=1 seek=40000000 conv=notrunc status=none
fails 1 'a batch is broken at byte' imgrement history info flipped.log
grep -q '^write ' out || die 'the rest of a flipped log is not read'
say 'content and manners: ok'
