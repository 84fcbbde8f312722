# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A long search does not delay RCU grace periods. Only a message that changes what is searched for waits for it.
# cpus: 2

# In a run of one letter, each byte ends a match of each of these patterns: the slowest search there is.
arguments=(log off data off)
for ((length = 1; length <= 128; length++)); do
	arguments+=(pattern "$(printf "%${length}s" | tr ' ' a)" name "a$length")
done
make_target imgrement /dev/sdb "${arguments[@]}"

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
buffer = mmap.mmap(-1, 1 << 20)
buffer.write(b"a" * (1 << 20))

# As much as takes two seconds, in one request. 1 MiB is 256 pages, the maximum of a bio.
length = 4096
while write(length) < 2:
    length *= 2
    assert length <= 1 << 20, "the search is too fast to tell"

writer = Aside(lambda: write(length))
waited = []
while writer.is_alive():
    waited.append(grace_period())
print(f"a search of {length} bytes took {writer.took:.2f} s, a grace period meanwhile {max(waited):.2f} s at most")
assert writer.took > 1, "the search was too fast to tell"
assert max(waited) < writer.took / 3, "the search held up a grace period"

# A grace period does not wait for the search either, while a message does.
writer = Aside(lambda: write(length))
time.sleep(0.2)
asker = Aside(message)
waited = []
while writer.is_alive():
    waited.append(grace_period())
asker.join()
print(f"a search took {writer.took:.2f} s, the message {asker.took:.2f} s, a grace period {max(waited):.2f} s at most")
assert max(waited) < writer.took / 3, "the search and a message held up a grace period"
END
remove_target imgrement
