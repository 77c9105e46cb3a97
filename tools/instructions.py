#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""How many instructions each case of bench_instructions takes, counted by valgrind: the same on every run, where time is not.
Compared with benchmarks/instructions.json (tools/baseline.py says how).

  instructions.py <bench_instructions> [--record] [--jobs N]
"""
import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys

import baseline

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORDED = ROOT / "benchmarks" / "instructions.json"
WARM, MORE = 10_000, 30_000  # items; the difference of two runs leaves out what is done once


def collected(program: pathlib.Path, case: str, times: int) -> int:
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, case, str(times)],
                          capture_output=True, text=True)
    said = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not said:
        raise SystemExit(f"{case} did not run under valgrind:\n{done.stderr}")
    return int(said[1])


def count(program: pathlib.Path, case: str, items: int) -> float:
    few, many = max(2, WARM // items), max(4, MORE // items)
    return round((collected(program, case, many) - collected(program, case, few)) / ((many - few) * items), 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--recorded", type=pathlib.Path, default=RECORDED)
    args = parser.parse_args()
    first, *cases = subprocess.run([args.program], capture_output=True, text=True, check=True).stdout.splitlines()
    where = baseline.environment(first.removeprefix("compiler "))
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        found = {case: pool.submit(count, args.program, case, int(items)) for case, items in (line.split() for line in cases)}
    counts = {case: each.result() for case, each in found.items()}
    if args.record:
        baseline.record(args.recorded, where, counts)
    return baseline.judge(args.recorded, where, counts)


if __name__ == "__main__":
    sys.exit(main())
