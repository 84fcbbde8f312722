# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The command `imgrement` says what happened, why, and what to do next. It ends with 1 if something could not be done,
# and with 2 if the command line is wrong. Then nothing has changed.
# disk: 128M
# disk: 4M

# says STATUS TEXT COMMAND...: the command ends with this status and says this, and no device is left behind.
says() {
	local status=$1 text=$2 got=0 before
	shift 2
	before=$(dmsetup table)
	said=$("$@" < /dev/null 2>&1) || got=$?
	expect "$*: says" "$text" "$said"
	expect "$*: status" "$status" "$got"
	expect "$*: devices" "$before" "$(dmsetup table)"
}

# The module is missing: the machine has another kernel's.
mkdir /tmp/none
mount --bind /tmp/none "/lib/modules/$(uname -r)"
says 1 "imgrement: the module dm-imgrement cannot be loaded: modprobe: FATAL: Module dm-imgrement not found in directory /lib/modules/$(uname -r)
  Install it for this kernel: make install, in imgrement's source" imgrement attach /dev/sdb
umount "/lib/modules/$(uname -r)"

# A wrong command line.
says 2 'imgrement: log_rate 12x: not a whole number; allowed: a whole number from 0 to 4294967295, 0 for no limit
  All arguments: imgrement attach --help' imgrement attach /dev/sdb --log-rate 12x
says 2 'imgrement: pattern a%: bad escape; allowed: 1 to 255 bytes, %HH for what is not plain; or none
  All arguments: imgrement attach --help' imgrement attach /dev/sdb --pattern a%
says 2 'imgrement: --name "a b": not a name; allowed: 1 to 127 letters, digits and # + - . : = @ _' \
	imgrement attach /dev/sdb --name 'a b'
says 2 "error: unexpected argument '--lograte' found

  tip: a similar argument exists: '--log-rate'

Usage: imgrement attach --log-rate <N> <DEVICE>

For more information, try '--help'." imgrement attach /dev/sdb --lograte 1
expect_fail imgrement
expect_match 'no command' 'Usage: imgrement <COMMAND>' "$said"

# No disk.
says 1 'imgrement: cannot find /dev/nothing: No such file or directory (os error 2)
  To list the disks: lsblk' imgrement attach /dev/nothing
says 1 'imgrement: /dev/null is not a block device
  To list the disks: lsblk' imgrement attach /dev/null
says 1 'imgrement: /etc/passwd is not a block device
  Make a loop device of it first: losetup --find --show /etc/passwd' imgrement attach /etc/passwd
mknod /tmp/unplugged b 8 240
says 1 'imgrement: /tmp/unplugged refers to no disk
  It may have been unplugged. To list the disks: lsblk' imgrement attach /tmp/unplugged
modprobe loop max_loop=1
says 1 'imgrement: /dev/loop0 has no size
  It may be a drive without a medium, or a loop device without a file.' imgrement attach /dev/loop0

# Mounted, itself or a partition; and swap.
sfdisk -q /dev/sda <<< $'2048 65536\n'
mkfs.ext4 -q /dev/sda1
mkdir "/tmp/a b"
mount /dev/sda1 "/tmp/a b"
says 1 'imgrement: cannot attach /dev/sda: sda1 is mounted at /tmp/a b
  Unmount it first: umount "/tmp/a b"' imgrement attach /dev/sda
says 1 'imgrement: cannot attach /dev/sda1: sda1 is mounted at /tmp/a b
  Unmount it first: umount "/tmp/a b"' imgrement attach /dev/sda1
umount "/tmp/a b"
mkswap -q /dev/sda1
swapon /dev/sda1
says 1 'imgrement: cannot attach /dev/sda: sda1 is used as swap
  Switch it off first: swapoff /dev/sda1' imgrement attach /dev/sda
swapoff /dev/sda1
# btrfs has a device number of its own.
mkfs.btrfs -q -f /dev/sda
mount -t btrfs /dev/sda /mnt
says 1 'imgrement: cannot attach /dev/sda: sda is mounted at /mnt
  Unmount it first: umount "/mnt"' imgrement attach /dev/sda
umount /mnt

# Used by other devices, and by a program that excludes others.
dmsetup create linear --table '0 1024 linear /dev/sda 0'
says 1 'imgrement: cannot attach /dev/sda: sda is used by the device-mapper device linear
  Remove linear first: imgrement detach, vgchange -an (LVM), cryptsetup close or dmsetup remove' imgrement attach /dev/sda
says 1 "imgrement: linear is a device of another kind, not imgrement's
  To list imgrement's devices: imgrement list" imgrement detach linear
expect 'list shows ours alone' '[]' "$(imgrement list --json)"
remove_target linear
mkfifo /tmp/go /tmp/held
python3 -c 'import os
os.open("/dev/sdb", os.O_RDONLY | os.O_EXCL)
open("/tmp/held", "w").close()
open("/tmp/go").close()' &
holder=$!
read -r < /tmp/held || true
dmesg -C
says 1 "imgrement: cannot attach /dev/sdb: sdb is open in process $holder (python3)
  End that process first: kill $holder" imgrement attach /dev/sdb
: > /tmp/go
wait "$holder"

# The kernel's log says what only the kernel knows.
says 1 'imgrement: cannot attach /dev/sdb: the kernel says: pattern_key a:b: no such key; allowed: the name, 1 to 64 bytes, of a logon key that you can search and that holds 1 to 255 bytes
  What to do about it: docs/mistakes.md' imgrement attach /dev/sdb --pattern-key a:b

# The log device of a history.
says 2 'imgrement: base: there is no history; allowed: with history DEVICE in the table
  All arguments: imgrement attach --help' imgrement attach /dev/sdb --base off
says 1 'imgrement: cannot find /dev/nope: No such file or directory (os error 2)
  To list the disks: lsblk' imgrement attach /dev/sdb --history /dev/nope
for log in /dev/sdb 8:16 //dev/sdb; do
	says 1 "imgrement: cannot keep a history on $log: it shares blocks with sdb, whose history it would be
  Give another disk, or a partition that nothing uses. To list them: lsblk" imgrement attach /dev/sdb --history "$log"
done
mkswap /dev/sda > /dev/null
swapon /dev/sda
says 1 'imgrement: cannot keep a history on /dev/sda: sda is used as swap
  Switch it off first: swapoff /dev/sda' imgrement attach /dev/sdb --history /dev/sda
swapoff /dev/sda
says 1 'imgrement: cannot attach /dev/sdb: the kernel says: history 8:0: holds something that is no log of a history; allowed: a device whose first 4096 bytes are zero, or history_new on, which overwrites it
  What to do about it: docs/mistakes.md' imgrement attach /dev/sdb --history /dev/sda

# The name is taken.
imgrement attach /dev/sdb --name taken > /dev/null
says 1 'imgrement: cannot attach /dev/sda: there is a device taken already
  Choose another name with --name, or remove that one: imgrement detach taken' imgrement attach /dev/sda --name taken
says 1 'imgrement: cannot attach /dev/sdb: sdb is used by the device-mapper device taken
  Remove taken first: imgrement detach, vgchange -an (LVM), cryptsetup close or dmsetup remove' imgrement attach /dev/sdb

# Changes: all are checked before the first is made.
says 2 'imgrement: log maybe: neither on nor off; allowed: on or off' imgrement set taken places=on log=maybe
says 2 'imgrement: records: set by the table only; allowed: '"$(python3 lib/reference.py messages)" \
	imgrement set taken records=5
says 2 'imgrement: log: not of the form KEY=VALUE
  Examples: imgrement set --help' imgrement set taken log
says 1 'imgrement: cannot set pattern_key a:b of taken: the kernel says: pattern_key a:b: no such key; allowed: the name, 1 to 64 bytes, of a logon key that you can search and that holds 1 to 255 bytes
  What to do about it: docs/mistakes.md
  The changes before it were made.' imgrement set taken pattern_key=a:b
says 1 "imgrement: cannot add to the patterns of taken: the kernel says: pattern_key a:b: no such key; allowed: the name, 1 to 64 bytes, of a logon key that you can search and that holds 1 to 255 bytes
  What to do about it: docs/mistakes.md" imgrement pattern add taken a:b --key
says 1 'imgrement: cannot delete from the patterns of taken: the kernel says: del rsa: no such pattern; allowed: a name as pattern list prints it
  What to do about it: docs/mistakes.md' imgrement pattern del taken rsa
says 2 "$(printf 'imgrement: add %065d: too long; allowed: a name of 1 to 64 bytes and a text of 1 to 255, %%HH for what is not plain' 0)" \
	imgrement pattern add taken "$(printf %065d 0)"
says 1 'imgrement: there is no device other
  To list the devices: imgrement list' imgrement mark other text
says 2 'imgrement: mark empty; allowed: 1 to 128 bytes, %HH for what is not plain' imgrement mark taken ''

# No permission.
for words in 'list' 'status' 'attach /dev/sda' 'set taken log=off' 'pattern add taken x' 'reset taken' 'mark taken text' 'detach taken'; do
	# shellcheck disable=SC2086 # several words
	says 1 'imgrement: no permission to use device-mapper
  Run it as root: sudo imgrement ...' setpriv --reuid 1000 --clear-groups imgrement $words
done

# In use: it stays.
mkfs.ext2 -q /dev/mapper/taken
mount /dev/mapper/taken /mnt
says 1 'imgrement: cannot detach taken: dm-0 is mounted at /mnt
  Unmount it first: umount "/mnt"' imgrement detach taken
umount /mnt

# Nobody reads what is printed: that is no failure. A full disk is one. There are no colours without a terminal.
python3 - << 'PYTHON'
import os
import subprocess

for words in (["list"], ["status", "--json"], ["--help"], ["attach", "--help"]):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(["imgrement", *words], stdout=writer, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b""), (words, done)
    os.close(writer)
    done = subprocess.run(["imgrement", *words], capture_output=True)
    assert done.returncode == 0 and done.stdout and b"\x1b" not in done.stdout + done.stderr, (words, done)
PYTHON
# shellcheck disable=SC2016 # expanded in there
says 1 'imgrement: cannot write the output: No space left on device (os error 28)' bash -c 'imgrement status > /dev/full'

# The disk is pulled out: the device is still there, and can be removed.
echo 1 > /sys/block/sdb/device/delete
expect_match 'without its disk' $'\ntaken +8:16 +4 MiB +active' "$(imgrement list)"
expect_match 'without its disk' '^taken: 4 MiB of 8:16, active' "$(imgrement status taken)"
imgrement detach taken
expect 'devices' 'No devices found' "$(dmsetup ls)"
