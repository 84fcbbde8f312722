# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A history gives each earlier state of the disk: with suspends and a reload between, with bases on stable media, and
# with a small staging buffer. A reader of its own in tests/lib/history.py checks the log.
# disk: 4M
# disk: 128M
# disk: 64M

# shellcheck source=../lib/history.sh
. lib/history.sh
with() { make_target imgrement /dev/sda log off data off pattern none history /dev/sdb "$@"; }
load() { python3 lib/history-load.py imgrement /dev/sda /dev/sdb "$@"; }
# Without base, nothing in the log says what was there before.
random() { head -c 4M /dev/urandom > /dev/sda; sync; }

random
with history_buffer 512
expect 'state' on "$(status history)"
load "$(times 6 30)" 1
dmsetup suspend imgrement
expect 'state of a suspended device' idle "$(status history)"
dmsetup resume imgrement
load 3 2
# The next table goes on without a hole.
dmsetup load imgrement --table "$(dmsetup table imgrement)"
dmsetup resume imgrement
load 3 3
expect 'sessions' 3 "$(status history_session)"
expect 'gaps' 0 "$(status history_gaps)"
[ "$(status history_held)" -gt 0 ] || fail 'no write has waited for the old bytes'
remove_target imgrement
python3 lib/history.py entries /dev/sdb > listed
expect 'begins' 3 "$(grep -c ' begin ' listed)"
expect 'ends' 3 "$(grep -c ' end .*detail 1 ' listed)"

# Another log device goes on without a hole, also under load.
random
with history_new on
load 2 5
for seed in 6 7; do
	dd if=/dev/urandom of=/dev/mapper/imgrement bs=64K count=64 oflag=direct status=none &
	[ $seed = 7 ] || dmsetup message imgrement 0 history next /dev/sdc
	wait
done
python3 lib/history-load.py imgrement /dev/sda /dev/sdb,/dev/sdc 3 8
expect_match 'the table names the next log' 'history 8:32 ' "$(dmsetup table imgrement)"
remove_target imgrement
python3 lib/history.py entries /dev/sdb > listed
expect_match 'the last entry of the first log' ' end .* detail 6 ' "$(tail -1 listed)"
dd if=/dev/zero of=/dev/sdc bs=4096 count=1 conv=fsync status=none

random
with base durable history_new on
load 4 4
remove_target imgrement

# Each write of a program is there with its name, also if it had to wait for the old bytes.
with history_new on
dd if=/dev/zero of=/dev/mapper/imgrement bs=4096 count=8 oflag=direct status=none
dd if=/dev/zero of=/dev/mapper/imgrement bs=4096 count=8 oflag=direct status=none
remove_target imgrement
python3 lib/history.py entries /dev/sdb > listed
expect 'writes by dd' 16 "$(grep -c ' write .* dd ' listed)"
expect 'bases' 8 "$(grep -c ' base ' listed)"
expect 'the log of another run' 1 "$(grep -c ' begin ' listed)"

# What is written reaches the log soon, also if nothing follows. So does how it has completed.
with history_new on
for sector in 0 8 16; do
	dd if=/dev/zero of=/dev/mapper/imgrement bs=4096 seek=$sector count=1 oflag=direct status=none
	sleep 0.02
done
until_logged /dev/sdb 'write 3 note 3'
remove_target imgrement
