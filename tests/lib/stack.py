#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""stack.py MODULE.ko: computes how much stack the functions of a module use, from its disassembly.

A frame is what a function pushes and subtracts, plus its return address. Only the module is examined: a function of
the kernel uses no stack here, but it may call back.

An indirect call may reach any function whose address was taken on the way to it (closures, methods in vtables). A call
into the kernel may do so, too (the arguments of a format). So such calls are followed to all of these functions. There
are two limits: the kernel calls none of our closures, and a function formats values only by way of the kernel.
"""

import re
import subprocess
import sys

# The limits: for a function that a bio reaches, for any other, and for a table or message with everything that it
# calls.
FRAME_OF_BIO = 1024
FRAME = 1536
CHAIN = 4096

# The entry points: for bios, and for what a person typed.
OF_BIO = re.compile(r"dm::callbacks::Callbacks<.*>>::(map|end_io|end_late)$")
OF_WORDS = re.compile(r"dm::callbacks::Callbacks<.*>>::(ctr|message)$")
# Creating a work item or registering a callback does not run it. It runs later, on its own stack.
RUNS_ELSEWHERE = re.compile(r"::WorkItemPointer<.*>>::run$|dm::callbacks::Callbacks<.*>>::\w+$")
CLOSURE = re.compile(r"\{closure#\d+\}|::call_once|::call_mut")
FORMATS = re.compile(r"fmt::\w+>::fmt$|^<core::fmt::Formatter>::")
# Functions that the compiler calls by itself. They call nothing back.
PLAIN = re.compile(r"__x86_return_thunk|__fentry__|__stack_chk_fail|mem(cpy|move|set|cmp)|bcmp|strlen")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def demangled(names):
    """Names without the hashes, which change from build to build."""
    done = subprocess.run(["c++filt"], input="\n".join(names), check=True, capture_output=True, text=True)
    return dict(zip(names, re.sub(r"\[[0-9a-f]+\]", "", done.stdout).splitlines()))


class Module:
    def __init__(self, path):
        self.frames = {}
        # For each function: the functions it calls, and those whose address it takes. Also which functions call the
        # kernel, or through a pointer.
        self.calls, self.takes, self.outside, self.indirect = {}, {}, set(), set()
        self.at = {}
        self.pointers = self.read_pointers(path)
        self.read_code(path)
        self.names = demangled(sorted(self.frames))
        self.memo = {}

    @staticmethod
    def read_pointers(path):
        """The relocations of constants, by section and offset: in vtables, pointers to functions."""
        pointers, section = {}, None
        for line in output("objdump", "-r", path).splitlines():
            if line.startswith("RELOCATION RECORDS FOR"):
                section = line.split("[")[1].split("]")[0]
            elif m := re.match(r"([0-9a-f]+) R_X86_64_64 +(\S+)", line):
                pointers[section, int(m[1], 16)] = m[2]
        return pointers

    def read_code(self, path):
        listing = output("objdump", "-dr", "--no-show-raw-insn", path).splitlines()
        function, section = None, None
        for line in listing:
            if line.startswith("Disassembly of section"):
                section = line.split()[3].rstrip(":")
            elif m := re.match(r"([0-9a-f]+) <(.*)>:$", line):
                self.at[section, int(m[1], 16)] = m[2]
        branch = None
        for line in listing:
            if m := re.match(r"[0-9a-f]+ <(.*)>:$", line):
                function, branch = m[1], None
                self.frames[function] = 8
                self.calls[function], self.takes[function] = set(), set()
                pushed, room = set(), 0
            elif m := re.match(r"\s*[0-9a-f]+: R_X86_64_(\S+)\s+(\S+)", line):
                self.refer(function, branch, m[1], m[2])
                branch = None
            elif m := re.match(r"\s*[0-9a-f]+:\s+(\S+)\s*(.*?)(\s+#.*)?$", line):
                self.end_branch(function, branch)
                branch = None
                mnemonic, operands = m[1], m[2].strip()
                if mnemonic == "call" or mnemonic.startswith("j"):
                    branch = mnemonic, operands
                elif mnemonic == "push":
                    pushed.add(operands)
                elif m := re.match(r"sub \$0x([0-9a-f]+),%rsp$", f"{mnemonic} {operands}"):
                    room = max(room, int(m[1], 16))
                elif m := re.match(r"(add|and) \$0x(f{8,}[0-9a-f]+),%rsp$", f"{mnemonic} {operands}"):
                    room = room + (1 << 64) - int(m[2], 16)
                self.frames[function] = 8 + 8 * len(pushed) + room
        self.end_branch(function, branch)

    def end_branch(self, function, branch):
        """A branch without a relocation: within the section, or through a register."""
        if branch is None:
            return
        mnemonic, operands = branch
        if m := re.match(r"[0-9a-f]+ <([^+>]*)(\+0x[0-9a-f]+)?>", operands):
            if m[1] != function:
                self.calls[function].add(m[1])
        elif mnemonic == "call" or operands.startswith("*"):
            self.indirect.add(function)

    def refer(self, function, branch, kind, symbol):
        """What a relocation within a function refers to."""
        m = re.match(r"(.*?)([+-]0x[0-9a-f]+)?$", symbol)
        name, offset = m[1], int(m[2] or "0", 16)
        if kind in ("PLT32", "PC32"):
            offset += 4
        target = name if name in self.frames or name in self.at.values() else self.at.get((name, offset))
        if branch is not None:
            if target == function:
                return
            if target:
                self.calls[function].add(target)
            elif name.startswith("__x86_indirect_thunk"):
                self.indirect.add(function)
            elif not PLAIN.fullmatch(name):
                self.outside.add(function)
        elif target:
            self.takes[function].add(target)
        else:
            # A vtable: its drop function, size, alignment, and methods.
            for slot in (0, *range(3, 64)):
                method = self.pointer(name, offset + 8 * slot)
                if method:
                    self.takes[function].add(method)
                elif slot:
                    break

    def pointer(self, section, offset):
        symbol = self.pointers.get((section, offset))
        if symbol is None:
            return None
        m = re.match(r"(.*?)(\+0x[0-9a-f]+)?$", symbol)
        name, offset = m[1], int(m[2] or "0", 16)
        return name if name in self.at.values() else self.at.get((name, offset))

    def next(self, function, taken):
        """What a function may call if `taken` were taken before, and what is taken afterwards."""
        taken = taken | {name for name in self.takes[function] if not RUNS_ELSEWHERE.search(self.names[name])}
        calls = set(self.calls[function])
        for name in taken:
            formats, closure = FORMATS.search(self.names[name]), CLOSURE.search(self.names[name])
            if function in self.outside and not closure or function in self.indirect and not formats:
                calls.add(name)
        return calls, taken

    def reached(self, functions):
        """Everything that these reach."""
        seen, todo = set(), [(function, frozenset()) for function in functions]
        while todo:
            function, taken = todo.pop()
            if (function, taken) in seen:
                continue
            seen.add((function, taken))
            calls, taken = self.next(function, taken)
            todo += [(called, taken) for called in calls]
        return {function for function, _ in seen}

    def deepest(self, function, taken=frozenset(), above=()):
        """The chain of calls that uses the most stack: its bytes, and its functions."""
        key = function, taken
        if key in self.memo:
            return self.memo[key]
        best = 0, ()
        calls, now = self.next(function, taken)
        for called in sorted(calls):
            # A format within a format prints another value, of a type that is nested less deeply.
            if called not in above and called != function:
                best = max(best, self.deepest(called, now, above + (function,)))
        result = self.frames[function] + best[0], (function, *best[1])
        self.memo[key] = result
        return result


def main(path):
    module = Module(path)
    names = module.names
    named = lambda regex: sorted(function for function in names if regex.search(names[function]))
    of_bio, of_words = named(OF_BIO), named(OF_WORDS)
    if len(of_bio) < 1 or len(of_words) < 1:
        sys.exit(f"{path}: where are its callbacks?")
    bad = 0

    reached = module.reached(of_bio)
    for what, functions, limit in (
        ("reached by a bio", reached, FRAME_OF_BIO),
        ("others", set(names) - reached, FRAME),
    ):
        print(f"{what}: {len(functions)} functions, {limit} bytes each at most; the largest:")
        for function in sorted(functions, key=lambda function: -module.frames[function])[:8]:
            over = module.frames[function] > limit
            bad += over
            print(f"  {module.frames[function]:6} {names[function]}{'  TOO MUCH' if over else ''}")
    for entry in of_words + of_bio:
        bytes_, chain = module.deepest(entry)
        over = entry in of_words and bytes_ >= CHAIN
        bad += over
        print(f"from {names[entry]}: {bytes_} bytes{'  TOO MUCH' if over else ''}")
        for function in chain:
            print(f"  {module.frames[function]:6} {names[function]}")
    if bad:
        sys.exit(f"{path}: {bad} take too much stack")


main(sys.argv[1])
