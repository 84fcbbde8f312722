# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A message that lifts the limits opens the log, even if the next thing to print is an error of a request that
# began before. What a limit has left out by then is still attributed to that limit.
# cpus: 2

dmsetup create err --table '0 8192 error'
dmsetup create slow --table '0 8192 delay /dev/mapper/err 0 0 /dev/mapper/err 0 1000'
make_target imgrement /dev/mapper/slow pattern none data off log_rate 1
python3 - <<'END'
import mmap, os, subprocess, threading, time

disk = os.open("/dev/mapper/imgrement", os.O_WRONLY | os.O_DIRECT)


def write(sector):
    try:
        os.pwritev(disk, [mmap.mmap(-1, 512)], sector * 512)
    except OSError:
        pass


def threads(count):
    started = [threading.Thread(target=write, args=(number,)) for number in range(count)]
    for thread in started:
        thread.start()
    return started


first = threads(5)
time.sleep(0.3)
for words in (["log_rate", "0"], ["reset"]):
    subprocess.run(["dmsetup", "message", "imgrement", "0", *words], check=True)
for thread in first:
    thread.join()
time.sleep(0.05)
for thread in threads(20):
    thread.join()
END
drain
expect 'left out without a limit' 0 "$(counter left_out)"
remove_target imgrement

# A message waits for the searches that are under way. Meanwhile requests are left out, although the log already
# has the new limits, for the line of a request that was recorded before.
# Each byte of a run of one letter ends an occurrence of each of these: nothing takes longer to search.
arguments=(data off log_rate 1)
for ((length = 1; length <= 128; length++)); do
	arguments+=(pattern "$(printf "%${length}s" | tr ' ' a)" name "a$length")
done
make_target imgrement /dev/sdb "${arguments[@]}"
drain
dmesg -C
dmsetup message imgrement 0 reset
python3 - <<'END'
import mmap, os, subprocess, sys, threading, time

sys.path.insert(0, "lib")
import dm

disk = os.open("/dev/mapper/imgrement", os.O_RDWR | os.O_DIRECT)
worst = mmap.mmap(-1, 1 << 20)
worst.write(b"a" * len(worst))
usual = mmap.mmap(-1, 512)


def write(buffer, length):
    """Seconds that a write takes."""
    begin = time.monotonic()
    assert os.pwrite(disk, memoryview(buffer)[:length], 0) == length
    return time.monotonic() - begin


def aside(function, *arguments):
    thread = threading.Thread(target=function, args=arguments)
    thread.start()
    return thread


def left_out():
    """How many requests were left out of the log."""
    words = subprocess.check_output(["dmsetup", "status", "imgrement"], text=True).split()
    return int(words[words.index("left_out") + 1])


def lift():
    """Lifts the limit. Each line takes 10 ms from then on."""
    with open("/proc/sys/kernel/printk_delay", "w") as file:
        file.write("10")
    dm.message(b"imgrement", b"log_rate 0")


# About 0.3 s, at most 256 KiB, and four times that.
short = min(max(int(0.3 / write(worst, 4096)), 1), 64) * 4096
for _ in range(20):
    dm.message(b"imgrement", b"log_rate 1")
    # The window is over.
    time.sleep(1.1)
    # It is recorded, for the log is open. These use up the limit, so that the next one is not.
    first = aside(write, worst, short)
    time.sleep(0.05)
    for _ in range(3):
        write(usual, 512)
    time.sleep(0.05)
    second = aside(write, worst, 4 * short)
    time.sleep(0.05)
    message = aside(lift)
    # The first one ends, and is printed.
    while second.is_alive():
        write(usual, 512)
        time.sleep(0.01)
    for thread in (first, second, message):
        thread.join()
    with open("/proc/sys/kernel/printk_delay", "w") as file:
        file.write("0")
    # On a slow machine, the limit may not be used up in time.
    if left_out():
        break
END
drain
lines | sed '/^mark: /d' > /tmp/lines
# It takes a limit of 0 for an error.
told=$(python3 lib/log.py < /tmp/lines)
expect_match 'lifted' "^[0-9]+ whole, $(counter left_out) left out, " "$told"
[ "$(counter left_out)" -gt 0 ] || fail 'the limit was never used up'
remove_target imgrement
