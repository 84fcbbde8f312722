# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A match that straddles two adjacent writes is found once, whichever comes first, and however many writes arrive
# at once. Also: which bytes are remembered, and what is forgotten.
# cpus: 2

device=/dev/mapper/imgrement
# found: the places in the log, sorted.
found() { drain; lines | sed -n 's/^Found \(.* at sector .*\)/\1/p' | LC_ALL=C sort; }

# In either order, across a sector boundary, and not across a gap.
make_target imgrement /dev/sdb pattern DAMN pattern x%20Y name spaced nocase places on edges 8 log_rate 0 log_lines 0
dmesg -C
write_at $device 8 "MN$(printf '%508s' '' | tr ' ' .)DA"
write_at $device 9 "MN$(printf '%508s' '' | tr ' ' .)X "
write_at $device 7 "$(printf '%510s' '' | tr ' ' .)DA"
write_at $device 11 'MNy'
write_at $device 10 y
expect_text 'places' 'DAMN at sector 7, byte 510
DAMN at sector 8, byte 510
spaced at sector 9, byte 510' "$(found)"
expect 'a line' 2 "$(count '^Found DAMN across requests 1 times$')"
expect 'status' 'across_requests 3' "$(counts | grep -o 'across_requests [0-9]*')"
# A sector that is written again is searched with its neighbours again.
write_at $device 9 "MN$(printf '%508s' '' | tr ' ' .)X "
expect 'once more' 5 "$(counter across_requests)"
# After eight further writes, these edges have been forgotten. Two adjacent writes do not displace each
# other.
for sector in 100 102 104 106 108 110 112 114; do write_at $device $sector .; done
expect 'forgotten' 5 "$(counter edges_forgotten)"
write_at $device 6 'DA'
write_at $device 12 'y'
expect 'what is forgotten is not found' 5 "$(counter across_requests)"
remove_target imgrement

# While nothing is searched, other writes may come between: no earlier write is matched any more.
for change in 'pattern DAMN' 'pattern none' 'ops read'; do
	make_target imgrement /dev/sdb pattern DAMN log off edges 16
	write_at $device 8 "$(printf '%510s' '' | tr ' ' .)DA"
	# shellcheck disable=SC2086 # words
	dmsetup message imgrement 0 $change
	dmsetup message imgrement 0 pattern DAMN
	dmsetup message imgrement 0 ops write
	write_at $device 9 MN
	case $change in *DAMN) met=1 ;; *) met=0 ;; esac
	expect "across requests, with $change in between" $met "$(counter across_requests)"
	remove_target imgrement
done

# Without edges, nothing is remembered, and only matches within one request are found.
make_target imgrement /dev/sdb log off
write_at $device 8 "$(printf '%510s' '' | tr ' ' .)DA"
write_at $device 9 MN
expect 'off' 0 "$(counter across_requests)"
remove_target imgrement

# Content with matches anywhere, above all around the ends of sectors. Each byte is written once, in any order, by
# several writers at once. Each match counts once.
echo "seed $SEED"
texts=(one=DAMN two=AMND three=%00%FF%00 'four=a%20rather%20long%20text%20of%20more%20than%20one%20word/i')
python3 - "$SEED" > /tmp/contents << 'END'
import random, sys
chance = random.Random(int(sys.argv[1]))
texts = [b"DAMN", b"AMND", b"DAMND", b"\0\xff\0", b"a Rather long TEXT of more than one word"]
whole = bytearray(b"." * (2 << 20))
for _ in range(3000):
    text = chance.choice(texts)
    at = max(chance.randrange(0, len(whole), 512) - chance.randrange(0, 10), 0)
    whole[at : at + len(text)] = text
sys.stdout.buffer.write(whole)
END
python3 lib/places.py /tmp/contents $((2 << 20)) "${texts[@]}" > /tmp/wanted
for writers in $(times '1 4' '1 2 4 8'); do
	make_target imgrement /dev/sdb pattern DAMN name one pattern AMND name two pattern %00%FF%00 name three \
		pattern a%20rather%20long%20text%20of%20more%20than%20one%20word name four nocase \
		places on edges 4096 records 8192 log_rate 0 log_lines 0
	dmesg -C
	blocks=$(python3 lib/blocks.py $device /tmp/contents 1,1,2,8 "$writers" "$SEED")
	found > /tmp/found
	expect_text "$writers writers, $blocks blocks" "$(< /tmp/wanted)" "$(< /tmp/found)"
	expect 'all in status' "$(wc -l < /tmp/wanted)" \
		$(($(counter page) + $(counter across) + $(counter across_requests)))
	[ "$(counter across_requests)" -gt 100 ] || fail "only $(counter across_requests) straddle requests"
	expect 'nothing was forgotten' 0 "$(counter edges_forgotten)"
	expect 'nor lost' '0 0' "$(counter finds_lost) $(counter record_lost)"
	remove_target imgrement
done
