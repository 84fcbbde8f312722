# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Searched reads delay only reads of their own mapped device: a read of another one completes while many wait.
# cpus: 1

# In a run of one letter, each byte ends a match of each of these patterns: the slowest search there is.
arguments=(ops read log off)
for ((length = 1; length <= 64; length++)); do
	arguments+=(pattern "$(printf "%${length}s" | tr ' ' a)" name "a$length")
done
head -c 1M /dev/zero | tr '\0' a | dd of=/dev/sda bs=1M oflag=direct iflag=fullblock status=none
make_target slow /dev/sda "${arguments[@]}"
make_target quick /dev/sdb pattern DAMN ops read log off

python3 - <<'END'
import mmap, os, threading, time

slow = os.open("/dev/mapper/slow", os.O_RDONLY | os.O_DIRECT)
quick = os.open("/dev/mapper/quick", os.O_RDONLY | os.O_DIRECT)


def read(file, length):
    """Seconds that one read takes."""
    buffer = mmap.mmap(-1, length)
    begin = time.monotonic()
    if os.preadv(file, [buffer], 0) != length:
        raise OSError("a short read")
    return time.monotonic() - begin


# Enough reads at a time, and large enough, to take three seconds one after another.
length = 8192
while (one := read(slow, length)) < 0.03 and length < 1 << 20:
    length *= 2
count = min(max(int(3 / one), 8), 100)
while True:
    begin = time.monotonic()
    readers = [threading.Thread(target=read, args=(slow, length)) for _ in range(count)]
    for reader in readers:
        reader.start()
    # The disk has completed all of them, and they wait for the search.
    time.sleep(one)
    waited = []
    while any(reader.is_alive() for reader in readers):
        waited.append(read(quick, 512))
        time.sleep(0.05)
    took = time.monotonic() - begin
    # The machine may be faster than it was for the first read.
    if took > 1.5:
        break
    count *= 2
    assert count <= 400, "400 reads of 1 MiB are too fast to tell"
# The median, because the machine itself may pause.
half = sorted(waited)[len(waited) // 2]
print(f"{count} reads of {length} bytes took {took:.2f} s, half of {len(waited)} of another device's {half:.3f} s at most")
assert half < took / 20, "another device's reads waited for them"
END
remove_target slow
remove_target quick
