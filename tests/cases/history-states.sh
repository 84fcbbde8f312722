# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Each state of a disk comes back from its history, and the disk can be turned back to it: under random writes of any
# size, stores to a shared mapping of the disk, and swap.
# disk: 8M
# disk: 24M
# disk: 2G
# disk: 2G
# timeout: 400 3600

# shellcheck source=../lib/states.sh
. lib/states.sh
echo "seed $SEED"
RANDOM=$SEED
count=$(times 3 50)

take_points() {
	local point
	for ((point = 1; point <= count; point++)); do
		wait_written $((RANDOM % 2000 + 500))
		if [ $((point % 2)) = 0 ]; then point_at_rest; else point_anywhere; fi
	done
}

# Two jobs that share a chunk at their border. No two writes to the same sectors are in flight at once: for these, the
# disk has no order either.
head -c 8M /dev/urandom > /dev/sda
sync
keep_states /dev/sda /dev/sdc /dev/sdd history_buffer 1024
start fio --name=w --filename=$node --rw=randwrite --bsrange=512-96k --direct=1 --ioengine=libaio --iodepth=8 \
	--serialize_overlap=1 --numjobs=2 --size=4095k --offset_increment=4095k --refill_buffers --fsync=50 \
	--rate=,512k --randseed="$RANDOM" --time_based --runtime=1800 --thread
take_points
end_load
check_states

# The pages change while they are written back, if they can.
keep_states /dev/sda /dev/sdc /dev/sdd base durable
start python3 lib/restless.py map $node "$RANDOM"
start python3 lib/restless.py map $node "$RANDOM"
take_points
end_load
blockdev --flushbufs $node
point_at_rest
check_states

# Memory of which a part is swapped out.
case $(uname -r) in
*-debug)
	echo 'left out: swap, because this kernel has no control groups'
	exit 0
	;;
esac
mount -t cgroup2 none /sys/fs/cgroup
echo +memory > /sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/little
echo 12M > /sys/fs/cgroup/little/memory.max
keep_states /dev/sdb /dev/sdc /dev/sdd
mkswap $node > /tmp/mkswap
swapon $node
# shellcheck disable=SC2016 # expanded there
start bash -c 'echo $$ > /sys/fs/cgroup/little/cgroup.procs; exec "$@"' load python3 lib/restless.py memory 20 "$RANDOM"
take_points
end_load
swapoff $node
check_states
