# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The kernel limits what is being swapped out to a target with a history (swap_bios of dm_mod): the history needs memory
# for each request, and no page is free before its request has ended. Without a history, there is no limit.
# disk: 64M
# disk: 64M

modprobe dm-imgrement
echo 2 > /sys/module/dm_mod/parameters/swap_bios
# Each write takes 100 ms.
dmsetup create slow --table "0 $(sectors /dev/sda) delay /dev/sda 0 0 /dev/sda 0 100"
# took ARGUMENTS...: how many milliseconds it takes to send out 40 pages.
took() {
	local from out
	make_target imgrement /dev/mapper/slow log off data off pattern none "$@" >&2
	mkswap /dev/mapper/imgrement > /dev/null 2>&1
	swapon /dev/mapper/imgrement
	from=$(awk '/^pswpout / { print $2 }' /proc/vmstat)
	python3 lib/page-out.py 40
	out=$(awk '/^pswpout / { print $2 }' /proc/vmstat)
	[ $((out - from)) -ge 40 ] || fail "only $((out - from)) pages were swapped out"
	swapoff /dev/mapper/imgrement
	remove_target imgrement >&2
}
without=$(took)
on=$(took history /dev/sdb)
off=$(took history /dev/sdb history_new on base off)
echo "$without ms without a history, $on ms with one, $off ms without bases"
# With two at a time, it takes 2 s less the last ones.
[ "$without" -lt 1500 ] || fail 'this is slow without a limit, so it shows nothing'
for time in "$on" "$off"; do
	[ "$time" -ge 1800 ] || fail 'there is no limit'
done
