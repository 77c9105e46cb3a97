#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""interrupt.py PROGRAM: lets it run, sends it SIGINT at its n-th line of output, and expects it to end balanced."""
import signal
import subprocess
import sys


def end_of(program, lines):
    p = subprocess.Popen([program, "20"], stdout=subprocess.PIPE, text=True)
    try:
        for _ in range(lines):
            p.stdout.readline()
        p.send_signal(signal.SIGINT)
        printed = p.communicate(timeout=20)[0]
    finally:
        p.kill()
    return p.returncode, printed


for lines in (1, 3):
    code, printed = end_of(sys.argv[1], lines)
    print(printed)
    if code != 0 or "signal" not in printed or not printed.endswith("balance: 0 links, 0 tasks\n"):
        sys.exit(f"after line {lines}: exit code {code}")
