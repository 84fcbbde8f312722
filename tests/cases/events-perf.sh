# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# perf records and shows the trace events, also with a filter.

make_target imgrement /dev/sda log off
# 100 writes of 4 KiB from sector 0 on, and 50 reads of 8 KiB.
cat > /tmp/load <<'END'
dd if=/dev/zero of=/dev/mapper/imgrement bs=4k count=100 oflag=direct status=none
dd if=/dev/mapper/imgrement of=/dev/null bs=8k count=50 iflag=direct status=none
END
perf record -q -a -o /tmp/perf.data -e imgrement:complete \
	-e imgrement:request --filter 'sector >= 400 && bytes == 4096' bash -e /tmp/load
perf script -i /tmp/perf.data -F trace:comm,event,trace > /tmp/script

expect 'status' 'read 50 write 100 sectors_read 800 sectors_written 800 segments 200' "$(counts)"
# shown EVENT: the op, sector and bytes of each.
shown() {
	sed -nE "s/.* imgrement:$1: +[0-9,]+ ([a-z]+) [A-Z]+ sector=([0-9]+) bytes=([0-9]+) .*/\1 \2 \3/p" /tmp/script
}
writes=$(for ((i = 0; i < 100; i++)); do echo "write $((i * 8)) 4096"; done)
reads=$(for ((i = 0; i < 50; i++)); do echo "read $((i * 16)) 8192"; done)
expect_text 'requests' "$(tail -n 50 <<< "$writes")" "$(shown request)"
expect_text 'completions' "$writes"$'\n'"$reads" "$(shown complete)"
expect 'who wrote' 'dd' "$(sed -nE 's/^ *([^ ]+) +imgrement:request: .*/\1/p' /tmp/script | sort -u)"
