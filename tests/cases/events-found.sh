# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The events of segments and matches, of marks and of tables. Each match is reported once, in its place, and so is each
# change of a table.

modprobe dm-imgrement
# A single pattern, which is only counted without events, and several patterns.
make_target one /dev/sdb edges 64 ops read,write log off
make_target many /dev/sdb pattern DAMN pattern amnA pattern N%20D edges 64 data off
# Reads of its first sectors fail.
null_disk nullb0 size=8 memory_backed=1
echo +0-7 > /sys/kernel/config/nullb/nullb0/badblocks
make_target fails /dev/nullb0 ops read,write log off
python3 - > /tmp/text <<'END'
import random, sys
chance = random.Random(5)
words = ["DAMN", "amnA", "N D", "DAM", "x" * 500, "DADAMN DAMN", "y" * 4090]
text = "".join(chance.choice(words) for _ in range(2000))[: 200 * 1024]
# Every end of a page or request is in the middle of a pattern.
sys.stdout.write("".join("MN" + text[at : at + 508] + "DA" for at in range(0, len(text), 512)))
END
python3 lib/events.py start request complete delta match mark table
for name in one many; do
	dmsetup message $name 0 reset
	dmsetup message $name 0 mark "begin%20$name"
	# Requests of all sizes, from memory at any place in a page. Each is adjacent to the next one.
	python3 - $name <<-'END'
		import mmap, os, sys
		text = open("/tmp/text", "rb").read()
		disk = os.open(f"/dev/mapper/{sys.argv[1]}", os.O_WRONLY | os.O_DIRECT)
		memory = mmap.mmap(-1, len(text) + 4096)
		at, step, sizes = 0, 0, (512, 4096, 1024, 33280, 2048)
		while at < len(text):
		    size = min(sizes[step % len(sizes)], len(text) - at)
		    place = step % 8 * 512
		    step += 1
		    memory[place : place + size] = text[at : at + size]
		    assert os.pwritev(disk, [memoryview(memory)[place : place + size]], at) == size
		    at += size
	END
done
# As one request, so no match straddles requests.
dd if=/dev/mapper/one of=/tmp/got bs=200k count=1 iflag=direct status=none
cmp /tmp/text /tmp/got
sync /dev/mapper/one
# A segment is also reported if its request is not searched, or fails.
dd if=/dev/mapper/many of=/tmp/got bs=8k count=1 iflag=direct status=none
expect_fail dd if=/dev/mapper/fails of=/tmp/got bs=4k count=1 iflag=direct
python3 lib/events.py show fails > /tmp/shown
expect 'events of a read that failed' 'request delta complete' "$(cut -d ' ' -f 1 /tmp/shown | xargs)"
expect_match 'its segment' ' index=0 length=4096 offset=0 sector=0 hits=0 id=[1-9][0-9]*$' "$(grep ^delta /tmp/shown)"
expect_match 'its end' ' errno=5 ' "$(grep ^complete /tmp/shown)"
expect 'ids' 1 "$(sed 's/.* id=//' /tmp/shown | sort -u | wc -l)"
for name in one many; do
	python3 lib/events.py found $name /tmp/text
done

dmsetup message one 0 pattern 'a%0Ab'
dmsetup message one 0 log on
dmsetup message one 0 pattern list
expect_fail dmsetup message one 0 log maybe
dmsetup reload one --table '0 1024 imgrement /dev/sdb 8'
dmsetup suspend one
dmsetup rename one two
dmsetup resume two
remove_target two
python3 lib/events.py show | grep -E '^(mark|table)' > /tmp/shown
device=$(stat -c %Hr,%Lr "$(readlink -f /dev/mapper/many)")
expect 'marks' "begin%20one begin%20many" "$(sed -n 's/^mark .*text=\([^ ]*\).*/\1/p' /tmp/shown | xargs)"
rest='data on log LOG log_rate 1000 log_lines 10000 places off edges 64 records 2048'
old="lower=8,16 line=0 8192 imgrement 8:16 0 18"
new='lower=8,16 line=0 1024 imgrement 8:16 8 18 pattern DAMN ops write data on log on log_rate 1000 log_lines 10000 places off edges 0 records 2048'
# If both have one, the new table's event comes first.
expect_text 'tables of the one' "reset name=one $old pattern DAMN ops read,write ${rest/LOG/off}
changed name=one $old pattern a%0Ab ops read,write ${rest/LOG/off}
changed name=one $old pattern a%0Ab ops read,write ${rest/LOG/on}
loaded name=one $new
suspended name=one $old pattern a%0Ab ops read,write ${rest/LOG/on}
resumed name=two $new
removed name=two $old pattern a%0Ab ops read,write ${rest/LOG/on}
suspended name=two $new
removed name=two $new" "$(grep -v "dev=$device " /tmp/shown | sed -n 's/^table dev=[0-9,]* why=\(.*\) id=None$/\1/p')"

# Of messages that are sent at the same time, each event shows what that message has changed, and nothing else.
echo > /sys/kernel/tracing/instances/case/trace
make_target one /dev/sdb log_rate 0 log_lines 0
PYTHONPATH=lib python3 - <<'END'
import os, dm
for name in b"log_rate", b"log_lines":
    if os.fork() == 0:
        for value in range(1, 301):
            dm.message(b"one", b"%s %d" % (name, value))
        os._exit(0)
assert os.wait()[1] == os.wait()[1] == 0
END
python3 lib/events.py show one | sed -n 's/.*why=changed .* log_rate \([0-9]*\) log_lines \([0-9]*\) .*/\1 \2/p' > /tmp/shown
expect 'changes' 600 "$(wc -l < /tmp/shown)"
expect 'events that do not show one change each' '' "$(awk '$1 + $2 != NR { print NR ": " $0 }' /tmp/shown)"
