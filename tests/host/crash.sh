# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A machine is killed while it writes to ext4, xfs and btrfs. After the next boot they mount, they are clean, and
# they still have all synced data. The first machine ends with a failure, so this cannot be an ordinary case.

. "$(dirname "$0")/../../scripts/lib/common.sh"

out=$BUILD/test/crash
mkdir -p "$out"
disks=()
for size in 64M 300M 128M; do
	disks+=(--disk "$out/$size.img")
done

# machine NAME COMMANDS
machine() {
	"$TOP/scripts/vm" --name "test-crash-$1" --timeout 120 "${disks[@]}" \
		"cd /imgrement/tests && exec bash -eu -c '. ./lib.sh; $2'"
}

# shellcheck disable=SC2016 # expanded in there
first='
	for pair in ext4:sda xfs:sdb btrfs:sdc; do
		name=${pair%:*}
		make_target $name /dev/${pair#*:} label $name log_rate 100
		new_filesystem $name
		mount_filesystem $name
		python3 lib/synced.py write /$name &
	done
	wait'
# shellcheck disable=SC2016 # expanded in there
second='
	for word in LAST; do
		IFS=: read -r name disk last <<< "$word"
		make_target $name /dev/$disk label $name log_rate 100
		mount_filesystem $name
		python3 lib/synced.py check /$name $last
		rm -f /$name/[0-9]*
		python3 lib/exercise.py /$name/file
		fstrim /$name
		umount /$name
		check_filesystem $name
	done'

rounds=1
[ -z "${LONG:-}" ] || rounds=20
for ((round = 1; round <= rounds; round++)); do
	for size in 64M 300M 128M; do
		rm -f "$out/$size.img"
		truncate -s $size "$out/$size.img"
	done
	machine first "$first" > "$out/first.log" 2>&1 &
	vm=$!
	# Once each has synced something, and after a random delay.
	until [ "$(grep -oE '^/(ext4|xfs|btrfs) [0-9]+$' "$out/first.log" | cut -d ' ' -f 1 | sort -u | wc -l)" = 3 ]; do
		kill -0 $vm || { tail "$out/first.log"; exit 1; }
		sleep 0.1
	done
	sleep $((RANDOM % 3)).$((RANDOM % 10))
	kill -9 "$(cat "$BUILD/vm/test-crash-first/pid")"
	wait $vm && exit 1
	words=
	for pair in ext4:sda xfs:sdb btrfs:sdc; do
		last=$(sed -n "s,^/${pair%:*} ,,p" "$out/first.log" | tail -n 1)
		words+=" $pair:$last"
	done
	echo "killed, when these were synced:$words"
	machine second "${second/LAST/$words}"
	grep -q 'recovery complete\|Starting recovery' "$BUILD/vm/test-crash-second/dmesg.log"
	if grep -nEf <(grep -v '^#' "$(dirname "$0")/../lib/faults"; echo 'error|corrupt') \
		"$BUILD/vm/test-crash-second/dmesg.log"; then exit 1; fi
done
rm "$out"/*.img
