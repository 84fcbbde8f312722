# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The status line has its words in order, and counts a known workload exactly.

make_target imgrement
expect 'a new target' '0 8192 imgrement read 0 write 0 flush 0 discard 0 secure_erase 0 write_zeroes 0'\
' zone 0 other 0 sectors_read 0 sectors_written 0 sectors_discarded 0 sectors_zeroed 0 segments 0 page 0'\
' deltas 0 across 0 degraded 0 data_lost 0 record_lost 0 left_out 0 errors 0 errors_left_out 0'\
' finds_lost 0 across_requests 0 edges_forgotten 0 patterns 1 DAMN 0' "$(dmsetup status imgrement)"

device=/dev/mapper/imgrement
dd if=$device of=/dev/null bs=12288 count=2 iflag=direct status=none   # 2 reads, 48 sectors, 6 segments
python3 lib/write.py $device 4096 512,512,3072 0=DAMN 510=DAMN 1024=DAMNDAMN > /dev/null # 8 sectors, 3 segments
sync $device                                                            # 1 flush
blkdiscard -f -o 65536 -l 8192 $device                                  # 16 sectors
blkdiscard -f -z -o 131072 -l 512 $device                               # 1 sector
expect 'a workload' '0 8192 imgrement read 2 write 1 flush 1 discard 1 secure_erase 0 write_zeroes 1'\
' zone 0 other 0 sectors_read 48 sectors_written 8 sectors_discarded 16 sectors_zeroed 1 segments 9 page 3'\
' deltas 3 across 1 degraded 0 data_lost 0 record_lost 0 left_out 0 errors 0 errors_left_out 0'\
' finds_lost 0 across_requests 0 edges_forgotten 0 patterns 1 DAMN 4' "$(dmsetup status imgrement)"

dmsetup message imgrement 0 reset
expect 'after reset' '' "$(counts)"
expect 'the pattern after reset' '1 DAMN 0' "$(pattern_counts)"

# Requests that the disk fails fail as they do without the target, and are counted. On this disk, sectors from 4096
# on fail.
dmsetup create worn --table '0 4096 linear /dev/sdb 0
4096 4096 error'
dmsetup reload imgrement --table '0 8192 imgrement /dev/mapper/worn 0'
dmsetup resume imgrement
for name in worn imgrement; do
	expect_fail dd if=/dev/mapper/$name of=/dev/null bs=4096 skip=512 count=1 iflag=direct status=none
	expect "$name: read" "dd: error reading '/dev/mapper/$name': Input/output error" "$said"
	expect_fail python3 lib/write.py /dev/mapper/$name $((6000 * 512)) 512
	expect "$name: write" EIO "$said"
done
write_at $device 4095 fine
expect 'failed requests' 'read 1 write 2 sectors_read 8 sectors_written 2 segments 3 errors 2' "$(counts)"

# Each failed request has a line after its own, or is counted as one without.
drain
expect_text 'lines of errors' 'R, error 5, at (4096, 4103)
W, error 5, at (6000, 6000)' "$(lines | grep error)"
dmsetup message imgrement 0 reset
dmsetup message imgrement 0 log_rate 1
# The second in which the lines above were printed is over.
sleep 1.1
dmesg -C
dd if=$device of=/dev/null bs=4096 skip=520 count=20 iflag=direct conv=noerror status=none 2> /dev/null || true
drain
errors=$(counter errors)
[ "$errors" -ge 20 ] || fail "only $errors errors"
printed=$(count '^R, error 5, at')
[ "$printed" -ge 1 ] || fail 'no error has a line'
[ "$(counter errors_left_out)" -ge 1 ] || fail 'all errors have lines, with a limit of one a second'
expect 'errors with and without a line' "$errors" $((printed + $(counter errors_left_out)))
expect 'errors left out, as the log says' "$(counter errors_left_out)" \
	"$(lines | sed -n 's/ errors left out of the log$//p' | awk '{ sum += $1 } END { print sum + 0 }')"
