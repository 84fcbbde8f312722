# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# If the buffer for a status or a table is too small, device-mapper reports that, exact to the byte. It never returns a
# truncated line.

label=$(printf 'L%.0s' {1..32})
pattern=$(printf '%%00%.0s' {1..254})
patterns=$(printf "pattern ${pattern//%/%%}%s " {A..Z} {a..z} {0..9})
dmsetup create imgrement --table "0 4096 imgrement /dev/sdb 4096 126 label $label $patterns
4096 4096 imgrement /dev/sdb 0"
# Device-mapper puts 40 bytes before each line, and aligns what follows its NUL to 8, at the end too. A buffer that was
# filled to its last byte counts as too small.
for what in status table; do
	all=$(dmsetup $what imgrement)
	params=$(sed -n '1s/^0 4096 imgrement //p' <<< "$all")
	second=$(sed -n '2s/^4096 4096 imgrement //p' <<< "$all")
	if [ -z "$params" ] || [ -z "$second" ]; then fail "$what: no two lines"; fi
	first=$(((40 + ${#params} + 1 + 7) / 8 * 8))
	full=$((first + 40 + ${#second} + 1))
	least=$(((full + 7) / 8 * 8))
	[ $least != $full ] || least=$((full + 1))
	few=(1 39 40 41 42 $((40 + ${#params} / 2)) $((first - 8)) $((first + 40)) $((first + 41))
		$((first + 42)) $((least - 100)) $((full - 1)) "$full" $((least - 1)))
	expect_text "$what in ${few[*]} bytes" "$(printf 'buffer full%.0s\n' "${few[@]}")" \
		"$(python3 lib/dm.py $what imgrement "${few[@]}")"
	expect_text "$what in $least bytes and more" "$all"$'\n'"$all"$'\n'"$all" \
		"$(python3 lib/dm.py $what imgrement $least $((least + 1)) 262144)"
done
