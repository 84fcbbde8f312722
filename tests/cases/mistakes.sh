# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Each mistake has its errno, our line with device, word and what is allowed, and device-mapper's line.
# memory: 256

declare -A text=([EINVAL]='Invalid argument' [EBUSY]='Device or resource busy' [ENOENT]='No such file or directory'
	[ENOTBLK]='Block device required' [ENXIO]='No such device or address' [ENOMEM]='Cannot allocate memory')
text+=([ENOKEY]='Required key not available' [EKEYREVOKED]='Key has been revoked'
	[EMSGSIZE]='Message too long')
text+=([EOPNOTSUPP]='Operation not supported')
text+=([EROFS]='Read-only file system' [EACCES]='Permission denied' [ENOTDIR]='Not a directory'
	[ENAMETOOLONG]='File name too long' [EOVERFLOW]='Value too large for defined data type')
length=8192
kind=imgrement
module=imgrement

# note OURS DEVICE-MAPPER ERRNO: record that this was printed, for the tables in docs/mistakes.md.
note() { (IFS=$'\t'; echo "$*") >> /tmp/said; }

# mistake ERRNO SENTENCE LINE WORDS...: a table with these words is refused like this, and leaves nothing behind. The
# expected lines are collected for `told`.
wanted=
mistake() {
	local errno=$1 status=0
	wanted+="${module}: 253:0: $3
device-mapper: table: 253:0: $kind: $2 (-$errno)
device-mapper: ioctl: error adding target to table
"
	note "$3" "$2" "$errno"
	shift 3
	said=$(dmsetup create wrong --table "0 $length $kind $*" 2>&1) || status=$?
	expect "$*: status" 1 $status
	expect "$*: what dmsetup says" "device-mapper: reload ioctl on wrong (253:0) failed: ${text[$errno]}
Command failed." "$said"
	[ ! -e /dev/mapper/wrong ] || fail "$*: there is a device"
}

# told WHAT: dmesg has the expected lines since the last call, and no others.
told() {
	expect_text "$1: dmesg" "$wanted" "$(dmesg -t)"$'\n'
	dmesg -C
	wanted=
}

modprobe dm-imgrement
dmesg -C

# DEVICE
lookup='Device lookup failed'
free='DEVICE is the path or major:minor of a free block device'
none="is not a block device that is there; $free"
used="is in use: mounted, or claimed by another driver or program; $free"
mistake ENOENT "$lookup" "'/dev/nope': $none" /dev/nope 0
mistake ENOENT "$lookup" "'/dev/a%20b\\c%01%FF': $none" "$(printf '/dev/a%%20b\\c\001\377')" 0
mistake ENOTBLK "$lookup" "'/dev/null': $none" /dev/null 0
mistake ENXIO "$lookup" "'250:0': $none" 250:0 0
opened="cannot be opened; $free"
mistake ENOTDIR "$lookup" "'/dev/null/sdb': $opened" /dev/null/sdb 0
mistake EOVERFLOW "$lookup" "'4096:0': $opened" 4096:0 0
long=$(printf 'x%.0s' {1..300})
mistake ENAMETOOLONG "$lookup" "'/dev/${long:0:123}...': $opened" "/dev/$long" 0
protected="may not be opened for writing; $free"
mount -t tmpfs -o nodev tmp /mnt
mknod /mnt/sdb b 8 16
mistake EACCES "$lookup" "'/mnt/sdb': $protected" /mnt/sdb 0
umount /mnt
told DEVICE
modprobe scsi_debug wp=1 dev_size_mb=8
until [ -b /dev/sdc ]; do sleep 0.1; done
dmesg -C
mistake EROFS "$lookup" "'/dev/sdc': $protected" /dev/sdc 0
told 'write-protected DEVICE'
mkfs.ext2 -q /dev/sdb
mount /dev/sdb /mnt
dmesg -C
mistake EBUSY "$lookup" "'/dev/sdb': $used" /dev/sdb 0
told 'mounted DEVICE'
umount /mnt
mkswap -q /dev/sdb
swapon /dev/sdb
dmesg -C
mistake EBUSY "$lookup" "'8:16': $used" 8:16 0
told 'DEVICE as swap'
swapoff /dev/sdb
dmesg -C

# OFFSET and LENGTH
sector='Invalid device sector'
mistake EINVAL "$sector" "'1': OFFSET is a whole number from 0 to 0" /dev/sdb 1
length=4096
for word in 4097 18446744073709551616 -1 +1 1.5 0x10 8s; do
	mistake EINVAL "$sector" "'$word': OFFSET is a whole number from 0 to 4096" /dev/sdb $word
done
length=8193
mistake EINVAL 'Device too small' "'/dev/sdb': has 8192 sectors; LENGTH, here 8193, may not be more" /dev/sdb 0
length=8192
told 'OFFSET and LENGTH'

# Too few words, and a count that does not match.
mistake EINVAL 'Too few arguments' 'DEVICE is missing'
mistake EINVAL 'Too few arguments' 'OFFSET is missing' /dev/sdb
count='Argument count does not match' is='#ARGS is the number of words that follow it, here'
mistake EINVAL "$count" "'2': $is 0" /dev/sdb 0 2
mistake EINVAL "$count" "'1': $is 2" /dev/sdb 0 1 data on
mistake EINVAL "$count" "'3': $is 2" /dev/sdb 0 3 data on
mistake EINVAL "$count" "'-2': $is 2" /dev/sdb 0 -2 data on
mistake EINVAL "$count" "'data': $is 1" /dev/sdb 0 data on
mistake EINVAL "$count" "'4294967298': $is 2" /dev/sdb 0 4294967298 data on

told count

# Arguments. An empty pattern cannot be typed: device-mapper passes no empty words.
arguments=$(python3 lib/reference.py arguments)
pattern='1 to 255 bytes, %HH for what is not plain; or none'
for word in bogus Pattern mark reset; do
	mistake EINVAL 'Unknown argument' "$word: unknown argument; allowed: $arguments" /dev/sdb 0 2 $word x
done
mistake EINVAL 'Unknown argument' "%%01: unknown argument; allowed: $arguments" /dev/sdb 0 2 "%$(printf '\001')" x
mistake EINVAL 'Argument given twice' 'data: given twice; allowed: each argument once' /dev/sdb 0 4 data on data on
alone='given twice; allowed: pattern none alone, or patterns'
mistake EINVAL 'Argument given twice' "pattern_key: $alone" /dev/sdb 0 4 pattern none pattern_key a:b
mistake EINVAL 'Argument given twice' "pattern: $alone" /dev/sdb 0 4 pattern x pattern none
mistake EINVAL 'Argument given twice' "pattern: $alone" /dev/sdb 0 4 pattern none pattern none
before='no pattern before it that has none; allowed: after pattern TEXT or pattern_key NAME, name NAME and nocase once each'
mistake EINVAL 'No pattern before it' "name: $before" /dev/sdb 0 4 name x pattern y
mistake EINVAL 'No pattern before it' "name: $before" /dev/sdb 0 6 pattern x name y name z
mistake EINVAL 'No pattern before it' "name: $before" /dev/sdb 0 4 pattern none name x
mistake EINVAL 'No pattern before it' "nocase: $before" /dev/sdb 0 1 nocase
mistake EINVAL 'No pattern before it' "nocase: $before" /dev/sdb 0 4 pattern x nocase nocase
once='another pattern has this name; allowed: each name once; of a pattern without one, its text'
mistake EINVAL 'Invalid pattern' "pattern x: $once" /dev/sdb 0 4 pattern x pattern x
mistake EINVAL 'Invalid pattern' "pattern x%2520: $once" /dev/sdb 0 6 pattern x%2520 pattern y name x%2520
mistake EINVAL 'Invalid pattern_key' "pattern_key x:y: $once" /dev/sdb 0 4 pattern x:y pattern_key x:y
same='another pattern has the same text; allowed: each text once'
mistake EINVAL 'Invalid pattern' "pattern other: $same" /dev/sdb 0 6 pattern x pattern x name other
mistake EINVAL 'Invalid pattern' "pattern X: $same" /dev/sdb 0 6 pattern x nocase pattern X nocase
words=$(printf 'pattern %s ' {1000..1256})
mistake EINVAL 'Invalid pattern' 'pattern 1256: one pattern too many; allowed: 256 patterns at most' /dev/sdb 0 514 "$words"
missing='its value is missing; allowed:'
mistake EINVAL 'Missing value' "pattern: $missing $pattern" /dev/sdb 0 1 pattern
mistake EINVAL 'Missing value' "log: $missing on or off" /dev/sdb 0 3 data on log
a64=$(printf 'a%.0s' {1..64})
a255=$(printf 'a%.0s' {1..255})
cut="${a255:0:128}..."
mistake EINVAL 'Invalid pattern' "pattern $cut: too long; allowed: $pattern" /dev/sdb 0 2 pattern "a$a255"
mistake EINVAL 'Invalid pattern' "pattern %61${a255:0:125}...: too long; allowed: $pattern" /dev/sdb 0 2 pattern "%61$a255"
for word in % %4 a%4g %%; do
	mistake EINVAL 'Invalid pattern' "pattern $word: bad escape; allowed: $pattern" /dev/sdb 0 2 pattern $word
done
key='the name, 1 to 64 bytes, of a logon key that you can search and that holds 1 to 255 bytes'
name='1 to 64 bytes, %HH for what is not plain'
mistake EINVAL 'Invalid name' "name a$a64: too long; allowed: $name" /dev/sdb 0 4 pattern x name "a$a64"
mistake EINVAL 'Invalid name' "name %: bad escape; allowed: $name" /dev/sdb 0 4 pattern x name %
mistake EINVAL 'Missing value' "name: $missing $name" /dev/sdb 0 3 pattern x name
mistake EINVAL 'Invalid pattern_key' "pattern_key a:$a64: too long; allowed: $key" /dev/sdb 0 2 pattern_key "a:$a64"
mistake EINVAL 'Invalid pattern_key' "pattern_key a:%: bad escape; allowed: $key" /dev/sdb 0 2 pattern_key a:%
mistake ENOKEY 'Invalid pattern_key' "pattern_key no:key: no such key; allowed: $key" /dev/sdb 0 2 pattern_key no:key
for kind_of_key in revoked old; do
	printf x | keyctl padd logon a:$kind_of_key @u > /tmp/key-$kind_of_key
done
keyctl revoke "$(cat /tmp/key-revoked)"
keyctl timeout "$(cat /tmp/key-old)" 1
sleep 2
mistake EKEYREVOKED 'Invalid pattern_key' "pattern_key a:revoked: no such key; allowed: $key" /dev/sdb 0 2 pattern_key a:revoked
mistake ENOKEY 'Invalid pattern_key' "pattern_key a:old: no such key; allowed: $key" /dev/sdb 0 2 pattern_key a:old
printf %s "x$a255" | keyctl padd logon a:long @u > /dev/null
printf x | keyctl padd logon a:x @u > /dev/null
mistake EINVAL 'Invalid pattern_key' "pattern_key a:x: $same" /dev/sdb 0 4 pattern x pattern_key a:x
words=$(printf 'pattern %s ' {1000..1255})
mistake EINVAL 'Invalid pattern_key' 'pattern_key a:x: one pattern too many; allowed: 256 patterns at most' \
	/dev/sdb 0 514 "$words" pattern_key a:x
mistake EMSGSIZE 'Invalid pattern_key' "pattern_key a:long: the key is too long; allowed: $key" /dev/sdb 0 2 pattern_key a:long
label='1 to 32 bytes, %HH for what is not plain'
mistake EINVAL 'Invalid label' "label ${a64:31}: too long; allowed: $label" /dev/sdb 0 2 label "${a64:31}"
mistake EINVAL 'Invalid label' "label %: bad escape; allowed: $label" /dev/sdb 0 2 label %
mistake EINVAL 'Invalid data' 'data yes: neither on nor off; allowed: on or off' /dev/sdb 0 2 data yes
mistake EINVAL 'Invalid log' 'log 1: neither on nor off; allowed: on or off' /dev/sdb 0 2 log 1
mistake EINVAL 'Invalid places' 'places 1: neither on nor off; allowed: on or off' /dev/sdb 0 2 places 1
mistake EINVAL 'Invalid ops' 'ops all: no such ops; allowed: read, write or read,write' /dev/sdb 0 2 ops all
edges='a whole number from 0 to 65536, 0 for none'
mistake EINVAL 'Invalid edges' "edges 65537: out of range; allowed: $edges" /dev/sdb 0 2 edges 65537
mistake EINVAL 'Invalid edges' "edges all: not a whole number; allowed: $edges" /dev/sdb 0 2 edges all
rate='a whole number from 0 to 4294967295, 0 for no limit'
mistake EINVAL 'Invalid log_rate' "log_rate 4294967296: out of range; allowed: $rate" /dev/sdb 0 2 log_rate 4294967296
mistake EINVAL 'Invalid log_rate' "log_rate -1: not a whole number; allowed: $rate" /dev/sdb 0 2 log_rate -1
mistake EINVAL 'Invalid log_lines' "log_lines 4294967296: out of range; allowed: $rate" /dev/sdb 0 2 log_lines 4294967296
mistake EINVAL 'Invalid log_lines' "log_lines -1: not a whole number; allowed: $rate" /dev/sdb 0 2 log_lines -1
records='a whole number from 1 to 65536'
mistake EINVAL 'Invalid records' "records 0: out of range; allowed: $records" /dev/sdb 0 2 records 0
mistake EINVAL 'Invalid records' "records 65537: out of range; allowed: $records" /dev/sdb 0 2 records 65537
mistake EINVAL 'Invalid records' "records 2k: not a whole number; allowed: $records" /dev/sdb 0 2 records 2k

# A history.
device='the path or major:minor of a block device, 1 to 128 bytes, %HH for what is not plain'
without='there is no history; allowed: with history DEVICE in the table'
mistake EINVAL 'No history' "base: $without" /dev/sdb 0 4 base on history_new on
mistake EINVAL 'No history' "history_buffer: $without" /dev/sdb 0 2 history_buffer 256
mistake EINVAL 'Invalid history' "history %: bad escape; allowed: $device" /dev/sdb 0 2 history %
mistake EINVAL 'Invalid history' "history ${long:0:128}...: too long; allowed: $device" /dev/sdb 0 2 history "$long"
mistake EINVAL 'Invalid base' 'base maybe: no such word; allowed: on, off or durable' /dev/sdb 0 2 base maybe
mistake EINVAL 'Invalid history_slow' 'history_slow on: no such word; allowed: wait or gap' /dev/sdb 0 2 history_slow on
mistake EINVAL 'Invalid history_timeout' 'history_timeout 0: out of range; allowed: a whole number from 1 to 3600' \
	/dev/sdb 0 2 history_timeout 0
mistake EINVAL 'Invalid history_new' 'history_new 1: neither on nor off; allowed: on or off' /dev/sdb 0 2 history_new 1
told 'a history'

# The log device: sda has 64 MiB.
history=(/dev/sdb 0 4 history /dev/sda base)
other='allowed: another device, or another partition'
mistake EINVAL 'Invalid history' "'/dev/sdb': is the disk itself, or above or below it; $other" \
	/dev/sdb 0 2 history /dev/sdb
over='or history_new on, which overwrites it'
echo text > /dev/sda
sync
mistake EINVAL 'Invalid history' \
	"history 8:0: holds something that is no log of a history; allowed: a device whose first 4096 bytes are zero, $over" \
	"${history[@]}" off
told 'a log device'
dd if=/dev/zero of=/dev/sda bs=4096 count=1 conv=notrunc,fsync status=none
dmsetup create log --table "0 8192 imgrement ${history[*]} on"
dmesg -C
expect_fail dmsetup create wrong --table "0 8192 imgrement ${history[*]} off"
line="'/dev/sda': is used by dm-0; allowed: a device that nothing else uses"
expect 'a log device in use: dmesg' "imgrement: 253:1: $line" "$(dmesg -t | grep '^imgrement: 253:1: ')"
note "$line" 'Invalid history' EINVAL
modprobe -r scsi_debug
modprobe scsi_debug dev_size_mb=16
until [ -b /dev/sdc ]; do sleep 0.1; done
dd if=/dev/sda of=/dev/sdc bs=4096 count=1 conv=fsync status=none
dmesg -C
expect_fail dmsetup message log 0 history next /dev/sdc
line="'/dev/sdc': history next: holds a log already; allowed: a device whose first 4096 bytes are zero"
expect 'history next: dmesg' "imgrement: 253:0: $line" "$(dmesg -t | grep '^imgrement: 253:0: ')"
note "$line" '' EINVAL
# wrong_devices LINE TABLE: the device refuses to load it.
wrong_devices() {
	dmesg -C
	expect_fail dmsetup load log --table "$2"
	expect "$1: dmesg" "imgrement: 253:0: history $1" "$(dmesg -t | grep '^imgrement: 253:0: ')"
	note "history $1" 'Invalid history' EINVAL
}
nothing='allowed: a device that nothing else uses'
wrong_devices "8:16: is a disk with a history; $nothing" '0 8192 imgrement /dev/sda 0 2 history /dev/sdb'
wrong_devices '8:32: is for a disk that is the log of a history; allowed: another disk' \
	'0 8192 imgrement /dev/sda 0 2 history /dev/sdc'
dmsetup remove log
dd if=/dev/zero of=/dev/sda bs=4096 count=1 conv=notrunc,fsync status=none
dmsetup create log --notable
wrong_devices "8:0: is the log of another target; $nothing" '0 4096 imgrement /dev/sdb 0 2 history /dev/sda
4096 4096 imgrement /dev/sdb 4096 2 history /dev/sda'
dmsetup remove log
dmsetup create log --table "0 8192 imgrement ${history[*]} on"
dmsetup remove log
dmesg -C
length=8184
mistake EINVAL 'Invalid history' \
	"history 8:0: holds the log of a target of 8192 sectors at sector 0; allowed: that target, $over" "${history[@]}" off
length=8192
printf 'x' | dd of=/dev/sda bs=1 seek=100 conv=notrunc,fsync status=none
damaged="holds a log whose superblock is damaged; allowed: ${over#or }"
mistake EINVAL 'Invalid history' "history 8:0: $damaged" "${history[@]}" off
told 'a damaged log'
dmsetup create log --table "0 8192 imgrement /dev/sdb 0 4 history /dev/sda history_new on"
dmsetup remove log
dmesg -C
python3 lib/history.py version /dev/sda 7
mistake EINVAL 'Invalid history' "history 8:0: holds a log of version 7; allowed: version 1, $over" "${history[@]}" off
small="is too small for the history's buffers; allowed: a larger device, or less history_buffer"
mistake EINVAL 'Invalid history' "history 8:0: $small" /dev/sdb 0 4 history /dev/sda history_buffer 69632
told 'what a log device holds'
dd if=/dev/zero of=/dev/sda bs=4096 count=1 conv=notrunc,fsync status=none

# A very long word is cut, so that what is allowed still fits into the line.
long=$(printf 'x%.0s' {1..200})
mistake EINVAL 'Unknown argument' "${long:0:128}...: unknown argument; allowed: $arguments" /dev/sdb 0 2 "$long" x
told arguments

# The sample has no arguments.
modprobe dm-rust-linear
dmesg -C
kind=rust_linear module=dm_rust_linear
mistake EINVAL 'Too many arguments' "'x': nothing may stand here" /dev/sdb 0 x
told 'words after all arguments'

# The tests' target with two devices has none either.
modprobe dm_test_pair
rmmod scsi_debug
modprobe scsi_debug dif=1 dix=1 dev_size_mb=8
until [ -b /dev/sdc ]; do sleep 0.1; done
kind=test_pair module=dm_test_pair
dmesg -C
mistake EINVAL 'Integrity profiles differ' \
	"'8:32': has another integrity profile than 8:16; all devices of this target share one" /dev/sdb 0 /dev/sdc 0
kind=imgrement module=imgrement
told 'integrity profiles'

# A mistake in a second line or in a reload leaves the current table unchanged.
make_target imgrement
table=$(dmsetup table imgrement)
expect_fail dmsetup reload imgrement --table '0 4096 imgrement /dev/sdb 0
4096 4096 imgrement /dev/sdb 0 2 data maybe'
expect 'reload' "$table" "$(dmsetup table imgrement)"
expect 'reload: inactive' '' "$(dmsetup table --inactive imgrement)"

# wrong_message LINE WORDS...: a message with these words is refused like this, and changes nothing.
errno=EINVAL
wrong_message() {
	local status=0
	wanted+="imgrement: 253:0: $1"$'\n'
	note "$1" '' $errno
	shift
	said=$(dmsetup message imgrement 0 "$@" 2>&1) || status=$?
	expect "message $*: status" 1 $status
	expect "message $*: what dmsetup says" 'device-mapper: message ioctl on imgrement  failed: '"${text[$errno]}
Command failed." "$said"
}

dmesg -C
messages=$(python3 lib/reference.py messages)
wrong_message "bogus: unknown message; allowed: $messages" bogus
wrong_message "a%20b: unknown message; allowed: $messages" a%20b x
wrong_message "records: set by the table only; allowed: $messages" records 1
wrong_message "label: set by the table only; allowed: $messages" label x
wrong_message "edges: set by the table only; allowed: $messages" edges 1
wrong_message "history_buffer: set by the table only; allowed: $messages" history_buffer 256
wrong_message "name: unknown message; allowed: $messages" name x
wrong_message "nocase: unknown message; allowed: $messages" nocase
added='a name of 1 to 64 bytes and a text of 1 to 255, %HH for what is not plain'
wrong_message "add: $missing $added" pattern add
wrong_message "add: $missing $added" pattern add x
wrong_message "add: $missing $key" pattern_key add
wrong_message "del: $missing a name as pattern list prints it" pattern del
wrong_message "add a$a64: too long; allowed: $added" pattern add "a$a64" x
wrong_message "add $cut: too long; allowed: $added" pattern add x "a$a255"
wrong_message "add %: bad escape; allowed: $added" pattern add % x
wrong_message "add x%: bad escape; allowed: $added" pattern add x x%
wrong_message "del %: bad escape; allowed: a name as pattern list prints it" pattern del %
wrong_message "del $cut: too long; allowed: a name as pattern list prints it" pattern del "a$a255"
words='one word too many; allowed: one text, %20 for a space, and nocase'
wrong_message "pattern y: $words" pattern x y
wrong_message "pattern x: $words" pattern none x
wrong_message "pattern z: $words" pattern x nocase z
wrong_message "add z: $words" pattern add x y z
wrong_message "pattern_key x: $words" pattern_key a:b x
wrong_message "add x: $words" pattern_key add a:b x
wrong_message 'del y: one word too many; allowed: one value, %20 for a space' pattern del x y
wrong_message 'ops write,read: no such ops; allowed: read, write or read,write' ops write,read
wrong_message 'places 0: neither on nor off; allowed: on or off' places 0
wrong_message "pattern DAMN: $once" pattern add DAMN x
wrong_message "pattern x: $same" pattern add x DAMN
errno=ENOKEY
wrong_message "pattern_key no:key: no such key; allowed: $key" pattern_key add no:key
errno=ENOENT
wrong_message 'del x: no such pattern; allowed: a name as pattern list prints it' pattern del x
errno=EINVAL
wrong_message "pattern: $missing $pattern" pattern
wrong_message "mark: $missing 1 to 128 bytes, %HH for what is not plain" mark
wrong_message 'reset now: one word too many; allowed: reset alone' reset now
wrong_message 'data off: one word too many; allowed: one value, %20 for a space' data on off
wrong_message 'data 0: neither on nor off; allowed: on or off' data 0
wrong_message "log_rate many: not a whole number; allowed: $rate" log_rate many
wrong_message "pattern %: bad escape; allowed: $pattern" pattern %
wrong_message 'mark %: bad escape; allowed: 1 to 128 bytes, %HH for what is not plain' mark %
wrong_message "mark ${long:0:128}...: too long; allowed: 1 to 128 bytes, %HH for what is not plain" mark "$long"
wrong_message "history: $missing stop, or next DEVICE" history
wrong_message 'history on: no such word; allowed: stop, or next DEVICE' history on
wrong_message 'stop now: one word too many; allowed: stop alone' history stop now
wrong_message "next: $missing $device" history next
wrong_message "next %: bad escape; allowed: $device" history next %
wrong_message "next ${long:0:128}...: too long; allowed: $device" history next "$long"
wrong_message 'next y: one word too many; allowed: one value, %20 for a space' history next x y
wrong_message "history: $without" history stop
wrong_message "history: $without" history next /dev/sda
wrong_message "history_slow: $without" history_slow gap
told messages
expect 'table after all messages' "$table" "$(dmsetup table imgrement)"

# The first `ops read` of a device makes a thread.
dmsetup suspend imgrement
errno=EBUSY
wrong_message 'ops read: the device is suspended; allowed: when it has been resumed, or in a table' ops read,write
errno=EINVAL
dmsetup resume imgrement
told 'a suspended device'
expect 'table of the suspended device' "$table" "$(dmsetup table imgrement)"

# One pattern more than allowed.
dmsetup reload imgrement --table "0 $length imgrement /dev/sdb 0 512 $(printf 'pattern %s ' {1000..1255})"
dmsetup resume imgrement
dmesg -C
table=$(dmsetup table imgrement)
wrong_message 'pattern x: one pattern too many; allowed: 256 patterns at most' pattern add x y
told 'one pattern too many'
expect 'table of 256 patterns' "$table" "$(dmsetup table imgrement)"

# dm_alone ERRNO SAID COMMAND...: device-mapper refuses this by itself, and only it prints a line.
dm_alone() {
	dmesg -C
	expect_fail "${@:3}"
	expect_match "${*:3}: error" ": ${text[$1]}"$'\n' "$said"
	expect "${*:3}: dmesg" "device-mapper: $2" "$(dmesg -t | head -n 1)"
	note '' "${2% (-"$1")}" "$1"
}
dm_alone EINVAL 'ioctl: Target message sector outside device.' dmsetup message imgrement 8192 reset
dm_alone EINVAL 'ioctl: Empty message received.' dmsetup message imgrement 0 ' '
mistake_own="'/dev/mapper/imgrement': cannot be opened; $free"
dmesg -C
expect_fail dmsetup reload imgrement --table '0 8192 imgrement /dev/mapper/imgrement 0'
expect 'its own device' "imgrement: 253:0: $mistake_own" "$(dmesg -t | head -n 1)"
note "$mistake_own" "$lookup" EINVAL
dmsetup remove imgrement

dm_alone EINVAL 'table: 253:0: imgremen: unknown target type' dmsetup create wrong --table '0 8 imgremen /dev/sdb 0'
dm_alone EINVAL 'table: 253:0: imgrement: Gap in table (-EINVAL)' dmsetup create wrong --table '8 8 imgrement /dev/sdb 0'
dmsetup create empty --notable
dm_alone EINVAL 'ioctl: The device has no table.' dmsetup message empty 0 reset
dmsetup remove empty

# A pool that is too large for the machine is refused with the figures, and without a kernel warning.
dmesg -C
expect_fail dmsetup create wrong --table '0 8192 imgrement /dev/sdb 0 2 records 65536'
line=$(dmesg -t | sed -n '1s/^imgrement: 253:0: //p')
expect_text 'no memory: dmesg' "device-mapper: table: 253:0: imgrement: Not enough memory (-ENOMEM)
device-mapper: ioctl: error adding target to table" "$(dmesg -t | tail -n +2)"
note "$line" 'Not enough memory' ENOMEM

# No thread is left for the queue of reads. The kernel may say more then.
dmsetup create wrong --notable
without_threads() (
	echo 20 > /proc/sys/kernel/threads-max
	exec "$@"
)
most=$(< /proc/sys/kernel/threads-max)
dmesg -C
expect_fail without_threads dmsetup load wrong --table '0 8192 imgrement /dev/sdb 0 2 ops read'
echo "$most" > /proc/sys/kernel/threads-max
expect_match 'no thread' ": ${text[ENOMEM]}"$'\n' "$said"
no_thread='ops: no memory, or no thread, for the queue of reads that are searched'
expect_text 'no thread: dmesg' "imgrement: 253:0: $no_thread
device-mapper: table: 253:0: imgrement: Cannot make a queue (-ENOMEM)
device-mapper: ioctl: error adding target to table" "$(dmesg -t | grep -E '^(imgrement|device-mapper): ')"
note "$no_thread" 'Cannot make a queue' ENOMEM
dmsetup remove wrong

# Without the module.
mkdir -p "/tmp/empty/lib/modules/$(uname -r)"
expect_fail modprobe -d /tmp/empty dm-imgrement
note "$said" modprobe ''

python3 lib/mistakes.py /imgrement/docs/mistakes.md < /tmp/said
