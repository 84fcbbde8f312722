# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A pattern in a key is found, and only the name of the key is shown.

secret='Tr0ub4dor&3 correct horse'
add() { printf %s "$2" | keyctl padd logon "$1" @u > /dev/null; }
add 'imgrement:db password' "$secret"
add imgrement:long "$(head -c 256 /dev/zero | tr '\0' x)"

modprobe dm-imgrement
python3 lib/events.py start request complete delta match mark table
make_target imgrement /dev/sdb pattern_key imgrement:db%20password label secrets
table=$(dmsetup table imgrement)
expect 'table' "0 8192 imgrement 8:16 0 $(table_words 'pattern_key imgrement:db%20password' label secrets)" "$table"
# A table line creates the same target again.
dmsetup create again --table "${table/8:16/8:0}"
expect 'the same table' "${table/8:16/8:0}" "$(dmsetup table again)"
dmsetup remove again

expect_text 'the key is found' 'secrets: Found imgrement:db%20password from page 1 times
secrets: W, bytes to transfer: 512, delta count: 1
secrets: bv #0: len 512, offset 0, at (3, 3)
secrets: Found imgrement:db%20password from deltas 1 times' \
	"$(traced write_at /dev/mapper/imgrement 3 "$secret" | sed '/mark: /d; s/offset [0-9]*/offset 0/')"

# The bytes that were read stay in use when the key is gone, and when other settings change.
keyctl purge -s logon 'imgrement:db password' > /dev/null
expect_fail dmsetup create again --table "${table/8:16/8:0}"
dmsetup message imgrement 0 data off
dmsetup message imgrement 0 reset
write_at /dev/mapper/imgrement 4 "$secret"
expect 'found after the key has gone' 1 "$(counter page)"

# wrong NAME ERROR LINE: a message that is refused, and changes nothing.
wrong() {
	dmesg -C
	expect_fail dmsetup message imgrement 0 pattern_key "$1"
	expect_match "$1: dmsetup" "$2" "$said"
	expect_text "$1: the line" "252:0: $3; allowed: the name, 1 to 64 bytes, of a logon key that you can search and that holds 1 to 255 bytes" \
		"$(lines | sed 's/^[0-9]*:0/252:0/')"
	expect "$1: the table" "${table/data on/data off}" "$(dmsetup table imgrement)"
}
wrong imgrement:other 'Required key not available' 'pattern_key imgrement:other: no such key'
wrong imgrement:long%00 'Required key not available' 'pattern_key imgrement:long%00: no such key'
wrong imgrement:long 'Message too long' 'pattern_key imgrement:long: the key is too long'

# A key of a type that programs can read is refused, too.
printf x | keyctl padd user imgrement:readable @u > /dev/null
wrong imgrement:readable 'Required key not available' 'pattern_key imgrement:readable: no such key'

add imgrement:other something-else
dmsetup message imgrement 0 pattern_key imgrement:other
write_at /dev/mapper/imgrement 5 "$secret something-else"
expect 'another key' 2 "$(counter page)"
dmsetup message imgrement 0 pattern none
expect 'no pattern' 'pattern none' "$(dmsetup table imgrement | grep -o 'pattern [a-z]*')"

# Several keys, one of them with another name, next to a plain pattern.
add imgrement:second 'Second Secret'
dmsetup message imgrement 0 pattern plain
expect 'the answer' 'imgrement:other 0 pattern_key imgrement:other' \
	"$(dmsetup message imgrement 0 pattern_key add imgrement:other | tee -a /tmp/lists)"
expect 'the answer' 'imgrement:second 0 pattern_key imgrement:second nocase' \
	"$(dmsetup message imgrement 0 pattern_key add imgrement:second nocase | tee -a /tmp/lists)"
dmesg -C
write_at /dev/mapper/imgrement 6 'plain something-else sECOND sECRET'
drain
expect 'all are found' 3 "$(count '^secrets: Found (plain|imgrement:other|imgrement:second) from page 1 times$')"
expect_text 'the list' 'plain 1 pattern plain
imgrement:other 1 pattern_key imgrement:other
imgrement:second 1 pattern_key imgrement:second nocase' "$(dmsetup message imgrement 0 pattern list | tee -a /tmp/lists)"
expect_fail dmsetup message imgrement 0 pattern_key add imgrement:third
# The bytes that were read stay in use while other patterns come and go, although the key is gone.
keyctl purge -s logon imgrement:other > /dev/null
dmsetup message imgrement 0 pattern del plain
write_at /dev/mapper/imgrement 6 'plain something-else'
expect 'the list' 'imgrement:other 2 pattern_key imgrement:other' "$(dmsetup message imgrement 0 pattern list | head -n 1)"

# The secrets are neither in the whole log, nor in the output of dmsetup, nor in an event, printed or raw.
{
	dd if=/dev/kmsg iflag=nonblock bs=8k 2> /dev/null || true
	dmsetup table --showkeys
	dmsetup status
	dmsetup message imgrement 0 pattern list
	cat /tmp/lists
	cat /sys/kernel/tracing/instances/case/trace
	for pipe in /sys/kernel/tracing/instances/case/per_cpu/*/trace_pipe_raw; do
		dd if="$pipe" bs=4k iflag=nonblock 2> /dev/null || true
	done
} > /tmp/all
grep -aq 'Found imgrement:db%20password from page' /tmp/all || fail 'the log is not complete'
grep -aq ' match: .* pattern=imgrement:second$' /tmp/all || fail 'the events are not complete'
grep -aq ' table: .* pattern_key imgrement:second nocase ' /tmp/all || fail 'the events are not complete'
expect 'places that show the secret' 0 "$(grep -acEi 'Tr0ub4dor|horse|something-else|second.secret' /tmp/all || true)"
