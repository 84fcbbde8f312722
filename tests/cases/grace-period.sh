# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A long search does not delay RCU grace periods. Only a message that changes what is searched for waits for it.
# cpus: 2

# In a run of one letter, each byte ends a match of each of these patterns: the slowest search there is.
arguments=(log off data off)
for ((length = 1; length <= 128; length++)); do
	arguments+=(pattern "$(printf "%${length}s" | tr ' ' a)" name "a$length")
done
# A request of huge pages may be as large as a fast machine needs it.
null_disk nullb0 size=64
echo 32 > /proc/sys/vm/nr_hugepages
make_target imgrement /dev/nullb0 "${arguments[@]}"

python3 - <<'END'
import ctypes, mmap, os, subprocess, threading, time

libc = ctypes.CDLL(None, use_errno=True)
SYS_MEMBARRIER, GLOBAL = 324, 1


def grace_period():
    """Seconds that synchronize_rcu() takes, which is what this call of membarrier() is."""
    begin = time.monotonic()
    if libc.syscall(SYS_MEMBARRIER, GLOBAL, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "membarrier")
    return time.monotonic() - begin


def write(length):
    """Seconds that one write of this many bytes takes."""
    begin = time.monotonic()
    if os.pwrite(disk, memoryview(buffer)[:length], 0) != length:
        raise OSError("a short write")
    return time.monotonic() - begin


class Aside(threading.Thread):
    """Does something on another CPU, and keeps how long it took."""

    def __init__(self, what):
        super().__init__()
        self.what = what
        self.start()

    def run(self):
        self.took = self.what()


def message():
    begin = time.monotonic()
    subprocess.run(["dmsetup", "message", "imgrement", "0", "places", "off"], check=True)
    return time.monotonic() - begin


disk = os.open("/dev/mapper/imgrement", os.O_RDWR | os.O_DIRECT)
# MAP_HUGETLB
buffer = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)
buffer.write(b"a" * len(buffer))


def hold_up(length, ask):
    """Whether a search of this many bytes, and a message that waits for it, delay nothing else; None if too fast."""
    writer = Aside(lambda: write(length))
    asker = None
    if ask:
        time.sleep(0.2)
        asker = Aside(message)
    waited = []
    while writer.is_alive():
        waited.append(grace_period())
    print(f"a search of {length} bytes took {writer.took:.2f} s, a grace period meanwhile {max(waited, default=0):.2f} s", end="")
    if asker:
        asker.join()
        print(f", a message {asker.took:.2f} s", end="")
    print()
    if writer.took < 1:
        return None
    return max(waited) < writer.took / 3


# As much as takes two seconds, in one request.
length = 4096
while write(length) < 2 and length < len(buffer):
    length *= 2
for ask in False, True:
    # Whatever waits for a search takes as long as the search. A longer search shows whether it was only a pause of the
    # machine itself.
    tries = 0
    while not (free := hold_up(length, ask)):
        tries += free is False
        length *= 2
        assert length <= len(buffer), "64 MiB were searched too fast to tell" if free is None else "a grace period waited"
        assert tries < 3, "a grace period waits for a search"
END
remove_target imgrement
