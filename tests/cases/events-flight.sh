# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Requests that are in flight when something starts to listen: their ends are events without a latency. If another
# event has reported such a request, its end has all fields.
# cpus: 1

modprobe dm-imgrement
# While it is suspended, requests wait in it.
dmsetup create lower --table '0 8192 linear /dev/sdb 0'
make_target quiet /dev/mapper/lower log off
make_target logged /dev/mapper/lower
events=/sys/kernel/tracing/instances/case/events/imgrement

# begin: a write to each, which is still in flight when this returns.
begin() {
	local name
	dmsetup suspend lower
	for name in quiet logged; do
		dd if=/dev/zero of=/dev/mapper/$name bs=4k count=1 seek=2 oflag=direct status=none &
		until grep -q '1$' "/sys/block/dm-$(dmsetup info -c --noheadings -o minor $name)/inflight"; do sleep 0.01; done
	done
}

# ends: the events of their ends, once they have completed.
ends() {
	dmsetup resume lower
	wait
	python3 lib/events.py show > /tmp/shown
	echo 'each time:' && cat /tmp/shown
	echo > /sys/kernel/tracing/instances/case/trace
}

python3 lib/events.py start
begin
echo 1 > $events/request/enable
echo 1 > $events/complete/enable
ends
expect 'ends of requests that began before' 2 "$(grep -c '^complete dev=.* op=write .* errno=0 latency=0 command= id=0$' /tmp/shown)"

echo 0 > $events/complete/enable
begin
echo 1 > $events/complete/enable
ends
for name in quiet logged; do
	device=$(stat -c %Hr,%Lr "$(readlink -f /dev/mapper/$name)")
	id=$(sed -n "s/^request dev=$device .* id=\([1-9][0-9]*\)$/\1/p" /tmp/shown)
	expect "$name: the end of a request that was told of" \
		"complete dev=$device op=write rwbs=WS sector=16 bytes=4096 errno=0 latency=0 command=dd id=$id" \
		"$(grep "^complete dev=$device" /tmp/shown)"
done

begin
sleep 0.5
ends
while read -r latency; do
	[ "$latency" -ge 500000000 ] || fail "a latency of $latency ns, of a request that waited for half a second"
done < <(sed -n 's/^complete .*latency=\([0-9]*\) .*/\1/p' /tmp/shown)
expect 'latencies' 2 "$(grep -c '^complete .*latency=[1-9]' /tmp/shown)"

# The same holds for what is found in a read when it arrives. Neither `complete` nor the others have an id.
dmsetup message quiet 0 ops read
write_at /dev/mapper/quiet 16 DAMN
echo 0 > $events/enable
dmsetup suspend lower
dd if=/dev/mapper/quiet of=/tmp/got bs=512 count=1 skip=16 iflag=direct status=none &
until grep -q '^ *1 ' "/sys/block/dm-$(dmsetup info -c --noheadings -o minor quiet)/inflight"; do sleep 0.01; done
echo 1 > $events/enable
echo > /sys/kernel/tracing/instances/case/trace
ends
device=$(stat -c %Hr,%Lr "$(readlink -f /dev/mapper/quiet)")
expect_text 'a read that began before' "match dev=$device where=read sector=16 byte=0 pattern=DAMN id=0
delta dev=$device index=0 length=512 sector=16 hits=1 id=0
complete dev=$device op=read rwbs=RS sector=16 bytes=512 errno=0 latency=0 command= id=0" "$(sed 's/ offset=[0-9]*//' /tmp/shown)"
