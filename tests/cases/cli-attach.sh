# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# `imgrement attach`, `list`, `status`, `set`, `mark` and `detach`. Each argument of a table is an option; the table has
# what was given, `set` changes it, and `status` shows it.

# The arguments and other values than their defaults, from the reference.
options=() words=() changes=() fixed=() settings='' defaults=''
while read -r name other default message; do
	options+=("--${name//_/-}" "$other")
	words+=("$name" "$other")
	settings+="$name $other, "
	if [ "$message" = yes ]; then
		changes+=("$name=$default")
		defaults+="$name $default, "
	else
		fixed+=("$name" "$other")
		defaults+="$name $other, "
	fi
done < <(python3 lib/reference.py others)
[ ${#changes[@]} -ge 6 ] || fail "only ${#changes[@]} arguments can be changed"
[ ${#fixed[@]} -ge 6 ] || fail "only ${#fixed[@]} words are for the table alone"

# All of them. The words about patterns keep their order.
said=$(imgrement attach /dev/sdb --pattern 'BEGIN RSA' --pattern-name rsa "${options[@]}" --pattern -x --nocase)
expect 'attach prints' /dev/mapper/imgrement-sdb "$said"
[ -b /dev/mapper/imgrement-sdb ] || fail 'there is no node'
patterns='pattern BEGIN%20RSA name rsa pattern -x nocase'
expect 'the table' "0 8192 imgrement 8:16 0 $(table_words "$patterns" "${words[@]}")" "$(dmsetup table imgrement-sdb)"
expect_match 'settings in the status' "  settings +${settings%, }$" "$(imgrement status imgrement-sdb)"

# Changed to the defaults, except for what only a table sets.
imgrement set /dev/mapper/imgrement-sdb "${changes[@]}"
expect 'the table after set' "0 8192 imgrement 8:16 0 $(table_words "$patterns" "${fixed[@]}")" \
	"$(dmsetup table imgrement-sdb)"
expect_match 'settings after set' "  settings +${defaults%, }$" "$(imgrement status)"
imgrement set imgrement-sdb 'pattern=a b#'
expect 'another pattern' "0 8192 imgrement 8:16 0 $(table_words 'pattern a%20b%23' "${fixed[@]}")" \
	"$(dmsetup table imgrement-sdb)"
imgrement set imgrement-sdb pattern=none
expect_match 'no pattern' '  pattern +none' "$(imgrement status)"
imgrement set imgrement-sdb pattern=list
expect_match 'a pattern that is a word of messages' '  pattern +list: found 0 times' "$(imgrement status)"

# What the status says is what dmsetup says, for people and in JSON.
write_at /dev/mapper/imgrement-sdb 8 'list LIST list'
expect_match 'list' $'^NAME +DISK +SIZE +STATE\nimgrement-sdb +sdb +4 MiB +active$' "$(imgrement list)"
expect_match 'status' '  write +1'$'\n''  sectors_written +1 \(0.5 KiB\)' "$(imgrement status)"
expect_match 'status' '  pattern +list: found 2 times' "$(imgrement status)"
imgrement status --json > /tmp/json
dmsetup status imgrement-sdb > /tmp/status
python3 - << 'PYTHON'
import json

said = json.load(open("/tmp/json"))[0]
words = open("/tmp/status").read().split()[3:]
end = words.index("patterns")
assert list(said["counters"].items()) == list(zip(words[:end:2], map(int, words[1:end:2]))), said
assert said["patterns"] == [{"name": "list", "matches": 2}], said
assert (said["name"], said["disk"], said["disk_device"], said["sectors"]) == ("imgrement-sdb", "sdb", "8:16", 8192), said
assert (said["suspended"], said["readonly"], said["start"], said["offset"]) == (False, False, 0, 0), said
assert said["settings"]["log"] is True and said["settings"]["log_rate"] == 1000, said
assert said["settings"]["ops"] == "write" and said["settings"]["label"] == "text", said
PYTHON

# A single pattern, and the counters.
imgrement pattern add imgrement-sdb 'a b' --name both --nocase
imgrement pattern add imgrement-sdb xyz
imgrement pattern del imgrement-sdb list
expect 'patterns' "0 8192 imgrement 8:16 0 $(table_words 'pattern a%20b name both nocase pattern xyz name xyz' "${fixed[@]}")" \
	"$(dmsetup table imgrement-sdb)"
write_at /dev/mapper/imgrement-sdb 8 'A b xyz xyz'
expect 'what was found' '2 both 1 xyz 2' "$(pattern_counts imgrement-sdb)"
expect 'requests' 2 "$(counter write imgrement-sdb)"
imgrement reset imgrement-sdb
expect 'counters after reset' '' "$(counts imgrement-sdb)"
expect 'what was found since' '2 both 0 xyz 0' "$(pattern_counts imgrement-sdb)"

dmsetup suspend imgrement-sdb
expect_match 'suspended' '4 MiB +suspended$' "$(imgrement list)"
dmsetup resume imgrement-sdb

dmesg -C
imgrement mark imgrement-sdb two words
expect 'mark' 'text: mark: two%20words' "$(lines)"

imgrement detach imgrement-sdb
[ ! -e /dev/mapper/imgrement-sdb ] || fail 'there is still a node'
expect 'devices' 'No devices found' "$(dmsetup ls)"
expect 'list' 'Nothing is attached. To attach a disk: imgrement attach DEVICE' "$(imgrement list)"
expect 'list --json' '[]' "$(imgrement list --json)"

# A partition, under a name of its own, next to another target.
sfdisk -q /dev/sda <<< $'2048 2048\n4096 2048'
expect 'a partition' /dev/mapper/data "$(imgrement attach /dev/sda2 --name data)"
imgrement attach /dev/sda1 > /dev/null
expect 'a partition' "0 2048 imgrement 8:2 0 $(table_words 'pattern DAMN')" "$(dmsetup table data)"
expect_match 'both' $'\ndata +sda2 +1 MiB +active\nimgrement-sda1 +sda1 +1 MiB +active$' "$(imgrement list)"
imgrement detach /dev/mapper/data
imgrement detach "/dev/$(dmsetup info -c --noheadings -o blkdevname imgrement-sda1)"

# A history, with its log on another partition of the same disk. The path begins at the current folder.
(cd /dev && imgrement attach sda1 --history sda2 --history-buffer 256 --history-timeout 5) > /dev/null
expect 'a history' "0 2048 imgrement 8:1 0 $(table_words 'pattern DAMN' history 8:2 history_timeout 5 history_buffer 256)" \
	"$(dmsetup table imgrement-sda1)"
imgrement set imgrement-sda1 history_slow=gap history_timeout=60
expect_match 'settings of a history' \
	' history 8:2, base on, history_slow gap, history_timeout 60, history_buffer 256$' "$(imgrement status imgrement-sda1)"
imgrement status imgrement-sda1 --json > /tmp/json
python3 -c 'import json
said = json.load(open("/tmp/json"))[0]
settings, counters = said["settings"], said["counters"]
assert (settings["history"], settings["base"], settings["history_timeout"]) == ("8:2", "on", 60), said
assert (counters["history"], counters["history_reason"], counters["history_session"]) == ("on", "-", 1), said'
expect_match 'state of a history' $'\n  history +on\n' "$(imgrement status imgrement-sda1)"
imgrement detach imgrement-sda1

# A disk that is write-protected stays so.
blockdev --setro /dev/sdb
imgrement attach /dev/sdb > /dev/null
expect_match 'read-only' '4 MiB +active, read-only$' "$(imgrement list)"
imgrement detach imgrement-sdb
