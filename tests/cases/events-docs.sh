# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# docs/events.md has the same fields as the kernel, and its commands print what it says.

docs=/imgrement/docs/events.md
modprobe dm-imgrement
python3 lib/events-docs.py fields $docs

make_target imgrement /dev/sdb log off
# Until /tmp/stop exists: writes with a pattern, reads, and a flush.
printf 'DAMN it' | dd of=/tmp/text bs=4k conv=sync status=none
while [ ! -e /tmp/stop ]; do
	dd if=/tmp/text of=/dev/mapper/imgrement bs=4k seek=400 oflag=direct,dsync status=none
	dd if=/dev/mapper/imgrement of=/dev/null bs=4k count=2 iflag=direct status=none
done &
load=$!

# block NUMBER REGEX...: run a block of commands; its output must have lines that match.
block() {
	local commands regex
	commands=$(python3 lib/events-docs.py block $docs "$1")
	bash -eu -c "$commands" > /tmp/printed
	for regex in "${@:2}"; do
		grep -qE -- "$regex" /tmp/printed || fail "block $1 has no line like '$regex': $(cat /tmp/printed)"
	done
}
block 1 'request: 253,0 write WFS sector=3200 bytes=4096 .* hits=1 .* \[dd\]$' 'request: 253,0 flush FWS ' \
	'request: 253,0 read RS sector=0 bytes=4096 '
case $(uname -r) in
*-debug)
	echo 'left out: blocks 2 to 4, because this kernel has no histograms'
	# It is too slow for a write in each second.
	block 5 'mark: 253,0 text=now$'
	;;
*)
	block 2 '^\{ op: +0, latency: ~ 2\^[0-9]+ +\} hitcount: +[1-9]' '^\{ op: +1, latency: ~ ' '^\{ op: +2, latency: ~ '
	block 3 '^\{ command: dd +, sector: ~ 2048-4095 +\} hitcount: +[0-9]+ +bytes: +[1-9]'
	block 4 '^\{ command: dd +\} hitcount: +[0-9]+ +hits: +[1-9]'
	block 5 'complete: 253,0 write WFS sector=3200 ' 'match: 253,0 id=[0-9]+ page sector=3200 byte=0 pattern=DAMN$'
	;;
esac
# Its events are from before the mark, and span at most a second.
sed -nE 's/.* ([0-9]+\.[0-9]+): [a-z]+: 253,0 .*/\1/p' /tmp/printed | awk '
	NR == 1 { first = $1 }
	{ last = $1 }
	END { exit !(NR > 0 && last - first <= 1) }' || fail "this is not one second: $(cat /tmp/printed)"
expect 'blocks of commands' '' "$(python3 lib/events-docs.py block $docs 6)"
touch /tmp/stop
wait $load

# A text that is too long is cut, and says so.
long=$(printf 'x%.0s' {1..250})
python3 lib/events.py start table match
# shellcheck disable=SC2046 # words
dmsetup create long --table "0 8192 imgrement /dev/sdb 0 30 $(for i in {a..o}; do echo "pattern $i$long"; done | xargs)"
printf '%s' "a$long" | dd of=/dev/mapper/long bs=4k conv=sync oflag=direct status=none
python3 lib/events.py show long > /tmp/shown
expect_match 'a line that is cut' ' line=0 8192 imgrement .* pattern k?.*x%\.\.\. id=None$' "$(grep '^table .*why=resumed' /tmp/shown)"
expect 'its length' 3071 "$(sed -n 's/^table .*why=resumed .* line=\(.*\) id=None$/\1/p' /tmp/shown | tr -d '\n' | wc -c)"
expect 'a text that is cut' "a${long:0:187}%..." "$(sed -n 's/^match .* pattern=\([^ ]*\) .*/\1/p' /tmp/shown)"
