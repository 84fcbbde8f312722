# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A message that lifts the limits opens the log, even if the next thing to print is an error of a request that
# began before.

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
