#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""interrupt.py PROGRAM: sends it one signal, or two, at many moments of its life, and expects it to end balanced each time."""
import concurrent.futures
import os
import signal
import subprocess
import sys
import time


def is_caught(pid):
    with open(f"/proc/{pid}/status") as f:
        caught = next(int(line.split()[1], 16) for line in f if line.startswith("SigCgt:"))
    return caught >> (signal.SIGINT - 1) & 1


def wait_for(p, lines):
    """Its n-th line; the 0-th is when a signal no longer ends it as it ends every program."""
    for _ in range(lines):
        p.stdout.readline()
    while lines == 0 and p.poll() is None and not is_caught(p.pid):
        time.sleep(0.001)


def interrupt(p, twice):
    """Two signals reach it together: a second one that comes when it is all over would end it as it ends every program."""
    if twice:
        p.send_signal(signal.SIGSTOP)
        os.waitpid(p.pid, os.WUNTRACED)
        p.send_signal(signal.SIGTERM)
    p.send_signal(signal.SIGINT)
    if twice:
        p.send_signal(signal.SIGCONT)


def problem_of(program, lines, pause, twice):
    p = subprocess.Popen([program, "20"], stdout=subprocess.PIPE, text=True)
    try:
        wait_for(p, lines)
        time.sleep(pause)
        interrupt(p, twice)
        printed = p.communicate(timeout=20)[0]
    finally:
        p.kill()
    if p.returncode == 0 and "signal" in printed and printed.endswith("balance: 0 links, 0 tasks\n"):
        return ""
    return f"{2 if twice else 1} signals {pause} s after line {lines}: exit code {p.returncode}\n{printed}"


first = 0 if os.path.exists("/proc/self/status") else 1
moments = [(lines, 0, twice) for lines in range(first, 8) for twice in (False, True)]
moments += [(1, n / 100, twice) for n in range(1, 20) for twice in (False, True)]  # between two lines
with concurrent.futures.ThreadPoolExecutor(8) as several:
    problems = [p for p in several.map(lambda m: problem_of(sys.argv[1], *m), moments) if p]
print("\n".join(problems) or f"balanced after each of {len(moments)} moments")
sys.exit(1 if problems else 0)
