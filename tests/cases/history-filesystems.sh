# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Each state of a disk with ext4, xfs or btrfs comes back from its history, and the disk can be turned back to it: also
# those in the middle of what a file system does. Files are written in all ways.
# disk: 32M
# disk: 64M
# disk: 128M
# disk: 4G
# disk: 8G
# timeout: 400 3600

# shellcheck source=../lib/states.sh
. lib/states.sh
echo "seed $SEED"
RANDOM=$SEED
count=$(times 2 50)
export TEST_DIR=/ TEST_DEV=/ QA_CHECK_FS=yes # mkfs.xfs makes a small one.

mkdir /files
for name in 'ext4 sda' 'xfs sdb' 'btrfs sdc'; do
	read -r name disk <<< "$name"
	head -c 8M /dev/urandom > "/dev/$disk"
	sync
	keep_states "/dev/$disk" /dev/sdd /dev/sde
	case $name in
	ext4) mkfs.ext4 -q -F -J size=4 $node ;;
	xfs) mkfs.xfs -q -f $node ;;
	btrfs) mkfs.btrfs -q -f $node ;;
	esac
	mount -t "$name" $node /files
	start python3 lib/restless.py files /files "$RANDOM"
	for ((point = 1; point <= count; point++)); do
		wait_written $((RANDOM % 2000 + 500))
		if [ $((point % 2)) = 0 ]; then
			fsfreeze -f /files
			point_at_rest
			fsfreeze -u /files
		else
			point_anywhere
		fi
	done
	end_load
	umount /files
	check_states
done
