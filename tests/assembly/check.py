#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Looks at what the compiler makes of settle's functions.

  check.py plain  <file> <compiler> <flag>...            no atomic instruction in them
  check.py atomic <file> <compiler> <flag>...            at least one: proves that `plain` can fail
  check.py same   <file> <compiler> <flag>... -- <file>  the same functions with the same instructions in both files
  check.py differ <file> <compiler> <flag>... -- <file>  not the same: proves that `same` can fail
"""
import re
import subprocess
import sys

ATOMIC = re.compile(
    r"^\s*(lock\b|lock;|xchg\w*\s.*\(|mfence|cmpxchg"  # x86: a prefix, or an exchange with memory, which implies it
    r"|ldaxr|ldxr|stxr|stlxr|cas[abhlp]*\b|swp[abhl]*\b|ldadd\w*|ldclr\w*|ldset\w*|dmb"  # AArch64
    r"|lr\.[wd]|sc\.[wd]|amo\w+)"  # RISC-V
    r"|__aarch64_(cas|swp|ld)|__atomic_|__sync_", re.MULTILINE)


def functions(source: str, command: list[str]) -> dict[str, str]:
    """The instructions of settle's functions, and of the file's own, by mangled name."""
    flags = ["-O2", "-S", "-fno-asynchronous-unwind-tables", "-fno-verbose-asm", "-g0", "-DNDEBUG", "-o", "-"]
    done = subprocess.run([*command, *flags, source], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{source}: does not compile.\n{done.stderr}")
    found, name = {}, ""
    for line in done.stdout.splitlines():
        label = re.match(r"(_?_Z\w+)(\.\w+)*:", line)  # a part that the compiler moved away belongs to its function
        if label:
            name = label[1]
        elif re.match(r"\s+[a-z]", line) and name and ("settle" in name or "look_here" in name):
            found[name] = found.get(name, "") + line + "\n"
    if len(found) < 2:
        sys.exit(f"{source}: no function of settle's in the assembly: the check looks at nothing.")
    return found


def shape(text: str) -> str:
    """Without what differs between any two files: numbers of labels, names."""
    return re.sub(r"\.L\w+|_Z\w+", "*", text)


def problem(what: str, source: str, command: list[str], other: str) -> str:
    mine = functions(source, command)
    if what in ("plain", "atomic"):
        hits = [f"{name}: {match[0].strip()}" for name, text in mine.items() for match in ATOMIC.finditer(text)]
        if what == "plain" and hits:
            return f"{source}: atomic instructions in\n  " + "\n  ".join(hits)
        return "" if hits or what == "plain" else f"{source}: no atomic instruction: the check would never fail."
    first, second = (sorted(shape(t) for t in f.values()) for f in (mine, functions(other, command)))
    lines = [sum(t.count("\n") for t in f) for f in (first, second)]
    if what == "same":
        return "" if first == second else f"{source} and {other} differ: {lines[0]} and {lines[1]} instructions."
    return "" if first != second else f"{source} and {other} are the same: the check would never fail."


if __name__ == "__main__":
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    said = problem(sys.argv[1], sys.argv[2], sys.argv[3:end], "".join(sys.argv[end + 1:]))
    if said:
        print(said)
    sys.exit(1 if said else 0)
