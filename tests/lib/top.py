# SPDX-License-Identifier: GPL-2.0
"""imgrement top in a terminal. Arguments: fio and its options, for a load on all devices."""

import os
import re
import signal
import subprocess
import sys
import time

from terminal import Terminal

DEVICES = len(os.listdir("/dev/mapper")) - 1
YELLOW = "\x1b[38;5;3;"
INSTANCES = "/sys/kernel/tracing/instances"


def pids():
    return [int(pid) for pid in subprocess.run(["pgrep", "-x", "imgrement"], capture_output=True).stdout.split()]


def state(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def start(terminal, options=""):
    terminal.clear()
    terminal.type(f"imgrement top {options}\n")
    terminal.until("the other screen", lambda: terminal.other)
    terminal.wait(r"^[0-9.kM]+ requests/s")
    (pid,) = pids()
    return pid


def ended(terminal):
    """The shell has its terminal again."""
    terminal.wait(r"ready\$")
    assert not terminal.other and not terminal.hidden, "the screen was not left"
    assert pids() == [], pids()
    assert os.listdir(INSTANCES) == [], os.listdir(INSTANCES)


load = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
terminal = Terminal()
before = terminal.modes()

# Keys, sizes, and figures under load.
pid = start(terminal)
terminal.wait(rf"^(?!0 )[0-9.kM]+ requests/s  .*{DEVICES} devices")
terminal.wait(r"\nOP +REQ/s +BYTES/s(.|\n)*\nread +[0-9]")
terminal.wait(r"\nCOMMAND +REQ/s(.|\n)*\nfio +[0-9]")
terminal.wait(r"\nq quit  \? help  space pause  s sort: requests")
took = []
for _ in range(3):
    terminal.type("?")
    took.append(terminal.wait("any key: back"))
    terminal.type("x")
    took.append(terminal.wait("q quit"))
terminal.type("ss")
terminal.wait("s sort: latency")
terminal.type("o")
terminal.wait(r"requests/s  only read  ")
terminal.type("/nothing\r")
terminal.wait(r"^0 requests/s  only read  devices with nothing  .*0 devices")
terminal.type("\x1b")
terminal.wait(rf"^[0-9.kM]+ requests/s  .*{DEVICES} devices")
terminal.type(" ")
terminal.wait("PAUSED")
assert YELLOW in terminal.raw
terminal.type(" ")
terminal.until("going on", lambda: "PAUSED" not in terminal.screen())
terminal.resize(20, 10)
terminal.wait(r"^[0-9.kM]+ requests/s\nOP +REQ/s\n(.|\n)*\nq quit  \? help$")
terminal.resize(20, 5)
terminal.wait(r"^[0-9.kM]+ requests/s\nOP +REQ/s\n(read|write) +[0-9.kM]+\n")
terminal.resize(200, 60)
terminal.wait(r"COMMAND +REQ/s .* RANGE FROM +REQ/s ")
terminal.resize(80, 24)
terminal.wait("q quit")

# To the shell and back.
terminal.type("\x1a")
terminal.wait(r"Stopped")
assert state(pid) == "T" and not terminal.other and not terminal.hidden
assert terminal.modes() == before
terminal.type("fg\n")
terminal.until("the other screen", lambda: terminal.other)
terminal.wait(r"q quit")
with open(f"/proc/{pid}/stat") as file:
    ticks = sum(int(word) for word in file.read().rsplit(")", 1)[1].split()[11:13])
print(f"keys took {max(took) * 1000:.0f} ms at most, {sorted(took)[3] * 1000:.0f} ms mostly; {ticks / 100} s of CPU")
terminal.type("q")
ended(terminal)
assert terminal.modes() == before
load.terminate()
load.wait()

# Each way out leaves the terminal as it was.
for how in "\x03", signal.SIGTERM, signal.SIGHUP:
    pid = start(terminal)
    if isinstance(how, str):
        terminal.type(how)
    else:
        os.kill(pid, how)
    ended(terminal)
    assert terminal.modes() == before, how
start(terminal, "--count 1")
ended(terminal)
assert terminal.modes() == before

# The device is removed. The message is on the shell's screen.
subprocess.run("dmsetup create gone --table '0 8 imgrement /dev/sdb 0'", shell=True, check=True)
start(terminal, "gone")
subprocess.run(["dmsetup", "remove", "--retry", "gone"], check=True)
terminal.wait(r"imgrement: gone was removed\n  To list the devices: imgrement list\n")
ended(terminal)
assert terminal.modes() == before

# No colours.
terminal.raw = ""
terminal.run("export NO_COLOR=1")
start(terminal)
terminal.type(" ")
terminal.wait("PAUSED")
assert not re.search(r"\x1b\[[34]8;5;", terminal.raw), repr(terminal.raw)
terminal.type("q")
ended(terminal)

# The terminal goes away.
pid = start(terminal)
terminal.close()
began = time.monotonic()
while os.path.exists(f"/proc/{pid}"):
    assert time.monotonic() < began + 60, "it goes on without its terminal"
    time.sleep(0.05)
assert os.listdir(INSTANCES) == [], os.listdir(INSTANCES)
