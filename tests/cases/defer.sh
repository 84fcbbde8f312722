# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A target of the abstraction can keep bios after `map`, and do I/O of its own to a second device: under load, in suspends,
# reloads and removals, and if the second device fails or hangs.
# disk: 64M
# disk: 64M
# disk: 64M
# timeout: 180 900

modprobe -a dm_mod dm_test_defer
length=65536
table="0 $length test_defer /dev/sda 0 /dev/sdb"
load() { dmsetup create "${2:-defer}" --table "${1:-$table}"; }
# value WORD [NAME]: what the status says of it.
value() { dmsetup status "${2:-defer}" | sed -E "s/.* $1 ([^ ]+).*/\1/"; }
# after WORD NUMBER: wait until it is at least that.
after() { until [ "$(value "$1")" -ge "$2" ]; do sleep 0.05; done; }
put() { printf '%-4096s' "$2" | dd of="$1" oflag=direct iflag=fullblock bs=4k count=1 conv=notrunc status=none; }
block() { dd if="$1" bs=4k skip=$((${2:-0} * 512)) count=1 iflag=skip_bytes,direct status=none | head -c 7; }
# verify SIZE NAME...: write to random places, with flushes and FUA, and read it back.
verify() {
	fio --filename=/dev/mapper/defer --rw=randwrite --bsrange=4k-64k --direct=1 --ioengine=libaio --iodepth=8 \
		--fsync=16 --size="$1" --verify=crc32c --verify_fatal=1 "${@:2}" > /tmp/fio 2>&1 || fail "fio: $(cat /tmp/fio)"
}
same() { cmp <(dd if=/dev/sda bs=1M count=32 iflag=direct status=none) <(dd if=/dev/sdb bs=1M count=32 iflag=direct status=none); }

# Each write is on the other device first, whatever happens meanwhile.
dd if=/dev/zero of=/dev/sda bs=1M count=32 oflag=direct status=none
dd if=/dev/zero of=/dev/sdb bs=1M count=32 oflag=direct status=none
load
expect 'transfers refused' 8 "$(value refused)"
size=$(times 4 32)M
verify "$size" --name=load &
loading=$!
rounds=0
while kill -0 $loading 2> /dev/null && [ $rounds -lt "$(times 12 500)" ]; do
	rounds=$((rounds + 1))
	case $((rounds % 4)) in
	0) dmsetup suspend --noflush --nolockfs defer ;;
	1) dmsetup suspend defer ;;
	2) dmsetup load defer --table "$table"; dmsetup suspend --noflush --nolockfs defer ;;
	3) dmsetup load defer --table "$table"; dmsetup suspend --nolockfs defer ;;
	esac
	dmsetup resume defer
done
wait $loading
echo "$rounds suspends, $(value given_back) given back"
dmsetup suspend defer
# A bio that `map` itself gives back does not reach `end_io`.
expect 'whose data was dropped, and still kept' "$(value mapped) 0" "$(value dropped) $(value left)"
dmsetup resume defer
expect 'failed copies' 0 "$(value failed)"
after copied 100
same

# A NOWAIT write is kept like any other. It then waits for a suspended device, instead of failing.
remove_target defer
dmsetup create below --table "0 $length linear /dev/sda 0"
load "0 $length test_defer /dev/mapper/below 0 /dev/sdb"
dmsetup message defer 0 hold
cat > /tmp/nowait.py <<'END'
import mmap, os
page = mmap.mmap(-1, 4096)
page.write(b"no-wait" * 500)
print(os.pwritev(os.open("/dev/mapper/defer", os.O_RDWR | os.O_DIRECT), [page], 0, os.RWF_NOWAIT))
END
python3 /tmp/nowait.py > /tmp/nowait 2>&1 &
writing=$!
after held 1
dmsetup suspend below
dmsetup message defer 0 pass
until [ "$(value held)" = 0 ]; do sleep 0.05; done
dmsetup resume below
wait $writing || true
expect 'NOWAIT' '4096 no-wait' "$(cat /tmp/nowait) $(block /dev/sda)"
remove_target defer
remove_target below
load

# A dropped bio fails. One that ends as done has reached no device.
before=$(value ended)
dmsetup message defer 0 drop
expect_fail put /dev/mapper/defer dropped
expect_match 'a dropped write' 'Input/output error' "$said"
dmsetup message defer 0 end
put /dev/mapper/defer ended
expect 'on the device' 'no-wait' "$(block /dev/sda)"
expect 'bios that have ended' $((before + 2)) "$(value ended)"

# Kept in a suspend without flush: given back, and the next table writes it elsewhere.
dmsetup message defer 0 hold
given=$(value given_back)
put /dev/mapper/defer elsewhere &
putting=$!
after held 1
dmsetup suspend --noflush --nolockfs defer
expect 'given back' $((given + 1)) "$(value given_back)"
dmsetup load defer --table "0 $length linear /dev/sda 1024"
dmsetup resume defer
wait $putting
expect 'where it went' 'no-wait elsewhe' "$(block /dev/sda) $(block /dev/sda 1024)"
# Kept in a suspend with flush: it goes on.
dmsetup load defer --table "$table"
dmsetup resume defer
dmsetup message defer 0 hold
put /dev/mapper/defer flushed &
putting=$!
after held 1
dmsetup suspend --nolockfs defer
wait $putting
expect 'where it went' 'flushed flushed' "$(block /dev/sda) $(block /dev/sdb)"
dmsetup resume defer

# A message opens another second device, under load. Device-mapper has claimed it, and shows it as used.
dd if=/dev/sdb of=/dev/sdc bs=1M count=32 iflag=direct oflag=direct status=none
dmsetup message defer 0 copy
verify "$size" --name=load &
loading=$!
after copied $(($(value copied) + 20))
dmsetup suspend --nolockfs defer
dd if=/dev/sdb of=/dev/sdc bs=1M count=32 iflag=direct oflag=direct status=none
dmsetup message defer 0 other /dev/sdc
dmsetup resume defer
wait $loading
cmp <(dd if=/dev/sda bs=1M count=32 iflag=direct status=none) <(dd if=/dev/sdc bs=1M count=32 iflag=direct status=none)
expect 'the table' "0 $length test_defer 8:0 0 8:32" "$(dmsetup table defer)"
exclusive() { python3 -c "import os; os.open('/dev/$1', os.O_RDWR | os.O_EXCL)"; }
expect_fail exclusive sdc
expect 'who uses it' "dm-$(dmsetup info -c --noheadings -o minor defer)" "$(ls /sys/block/sdc/holders)"
dmsetup message defer 0 other /dev/sdc
# Not these: one that is missing, and itself.
for word in /dev/none /dev/mapper/defer; do expect_fail dmsetup message defer 0 other $word; done
# The new table names it, and the old one still has it.
dmsetup load defer --table "$(dmsetup table defer)"
dmsetup resume defer
dmsetup message defer 0 other /dev/sdb
remove_target defer
for disk in sda sdb sdc; do exclusive $disk; done
expect 'who uses it' '' "$(ls /sys/block/sdc/holders)"
mkfs.ext4 -q /dev/sdc
mount /dev/sdc /mnt
load
dmesg -C
expect_fail dmsetup message defer 0 other /dev/sdc
expect_match 'a mounted one' "'/dev/sdc': is in use: mounted" "$(dmesg)"
umount /mnt

# An event, and ioctls.
events=$(dmsetup info -c --noheadings -o events defer)
dmsetup message defer 0 event
expect 'events' $((events + 1)) "$(dmsetup info -c --noheadings -o events defer)"
expect 'an ioctl' ENOTTY "$(python3 -c '
import errno, fcntl, os
try:
    fcntl.ioctl(os.open("/dev/mapper/defer", os.O_RDONLY), 0x5382, bytearray(64))
except OSError as error:
    print(errno.errorcode[error.errno])')"
expect 'stable pages' 1 "$(cat "/sys/block/dm-$(dmsetup info -c --noheadings -o minor defer)/queue/stable_writes")"
name=kworker/R-test_defer-io/$(dmsetup info -c --noheadings -o major,minor --separator : defer)
expect 'the worker' 1 "$(cat /proc/[0-9]*/comm 2> /dev/null | grep -cxF "$name")"
remove_target defer

# No more swapped pages than allowed are kept at once.
load
mkswap -q /dev/mapper/defer
swapon /dev/mapper/defer
dmsetup message defer 0 hold
limit=$(cat /sys/module/dm_mod/parameters/swap_bios)
echo 1 > /sys/module/dm_mod/parameters/swap_bios
python3 - <<'END' &
import mmap, os
size = 4 << 20
memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
# Pages that are not all alike.
memory.write(os.urandom(size))
memory.madvise(21)  # MADV_PAGEOUT
END
swapping=$!
after held 1
sleep 0.5
expect 'swapped pages that are kept' 1 "$(value held)"
echo "$limit" > /sys/module/dm_mod/parameters/swap_bios
dmsetup message defer 0 copy
wait $swapping
swapoff /dev/mapper/defer
remove_target defer

# The other device fails: the copies fail, and the writes do not.
dmsetup create other --table "0 $length error"
load "0 $length test_defer /dev/sda 0 /dev/mapper/other"
failed=$(value failed)
put /dev/mapper/defer alone
sync /dev/mapper/defer
expect 'where it went' 'alone  ' "$(block /dev/sda)"
[ "$(value failed)" -ge $((failed + 2)) ] || fail 'no copy failed'
remove_target defer
remove_target other

# The other device hangs. The removal waits for a read of it, even if the target has forgotten that.
dmsetup create other --table "0 $length linear /dev/sdb 0"
for how in read leak; do
	load "0 $length test_defer /dev/sda 0 /dev/mapper/other"
	dmsetup suspend other
	dmsetup message defer 0 $how
	dmsetup remove defer &
	removing=$!
	sleep 0.5
	kill -0 $removing 2> /dev/null || fail "$how: the removal did not wait"
	dmsetup resume other
	wait $removing
done
remove_target other

# What the target can ask about its devices.
printf '%s\n' 'start=2048, size=16384' 'start=32768, size=16384' | sfdisk -q /dev/sdb
# asked DEVICE OTHER: whether they overlap, and whether one is made of the other.
asked() {
	load "0 8192 test_defer $1 0 $2"
	echo "$(value overlaps) $(value stacked)"
	remove_target defer
}
expect 'two disks' 'false false' "$(asked /dev/sda /dev/sdb)"
expect 'a disk, and the same' 'true false' "$(asked /dev/sda /dev/sda)"
# Device-mapper does not even open both of these.
expect_fail load "0 8192 test_defer /dev/sdb 0 /dev/sdb2"
expect_match 'a disk and its partition' 'Device or resource busy' "$said"
dmsetup create layer1 --table '0 16384 linear /dev/sdb1 0'
dmsetup create layer2 --table '0 16384 linear /dev/mapper/layer1 0'
dmsetup create layer3 --table '0 16384 linear /dev/mapper/layer2 0'
dmsetup create aside --table '0 16384 linear /dev/sdb2 0'
while read -r one other wanted; do
	expect "$one and $other" "$wanted" "$(asked "$one" "$other")"
	expect "$other and $one" "$wanted" "$(asked "$other" "$one")"
done << 'END'
/dev/sdb1 /dev/sdb1 true false
/dev/sdb1 /dev/sdb2 false false
/dev/sdb1 /dev/mapper/layer3 false true
/dev/sdb2 /dev/mapper/layer3 false false
/dev/mapper/layer1 /dev/mapper/layer3 false true
/dev/mapper/aside /dev/mapper/layer3 false false
END
for layer in layer3 layer2 layer1 aside; do remove_target $layer; done
dmsetup create whole --table '0 16384 linear /dev/sdb 0'
dmsetup create layer --table '0 16384 linear /dev/mapper/whole 0'
expect 'a disk and what is made of it' 'false true' "$(asked /dev/sdb /dev/mapper/layer)"
remove_target layer
remove_target whole

# Atomic writes are no larger than what device-mapper passes on whole.
modprobe scsi_debug atomic_wr=1 dev_size_mb=16 sector_size=512 physblk_exp=3
disk=/dev/$(basename /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*:*/block/*)
load "0 16384 test_defer $disk 0 /dev/sdb"
queue=/sys/block/dm-$(dmsetup info -c --noheadings -o minor defer)/queue
expect 'atomic writes' '32768 1024 32768' \
	"$(cat "$queue"/atomic_write_{max_bytes,unit_min_bytes,unit_max_bytes} | xargs)"
python3 - <<'END'
import errno, mmap, os
RWF_ATOMIC = 0x40
disk = os.open("/dev/mapper/defer", os.O_RDWR | os.O_DIRECT)
for at, size, wanted in (32768, 32768, 0), (16384, 16384, 0), (65536, 65536, errno.EINVAL):
    try:
        written = os.pwritev(disk, [mmap.mmap(-1, size)], at, RWF_ATOMIC)
        assert written == size and not wanted, (at, size, written)
    except OSError as error:
        assert error.errno == wanted, (at, size, error)
END
remove_target defer
# The blocks, zones and write protection of the other device; and it needs no tags like those of the first.
rmmod scsi_debug
null_disk nullb0 zoned=1 zone_size=4
null_disk nullb1 blocksize=4096
load "0 $length test_defer /dev/sda 0 /dev/nullb0"
expect 'zoned' 'true 512' "$(value zoned) $(value block)"
remove_target defer
load "0 $length test_defer /dev/sda 0 /dev/nullb1"
expect 'not zoned' 'false 4096 false' "$(value zoned) $(value block) $(value read_only)"
blockdev --setro /dev/nullb1
expect 'write-protected' true "$(value read_only)"
remove_target defer
modprobe scsi_debug dif=1 dix=1 dev_size_mb=16 sector_size=512
disk=/dev/$(basename /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*:*/block/*)
load "0 16384 test_defer $disk 0 /dev/nullb0"
remove_target defer
