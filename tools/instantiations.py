#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""How many templates clang instantiates for each unit of benchmarks/compile (`include` whole, the others beyond it): what decides how
long a user's program compiles, and the same on every run, where time is not. Compared with benchmarks/instantiations.json (tools/baseline.py says how).

  instantiations.py [--record] [--jobs N]      CLANG names the compiler, clang++-19 when it does not
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import baseline

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORDED = ROOT / "benchmarks" / "instantiations.json"
COMPILER = os.environ.get("CLANG", "clang++-19")
BASE = "include"
COUNTED = ("InstantiateClass", "InstantiateFunction")


def count(unit: pathlib.Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / f"{unit.stem}.o"
        subprocess.run([COMPILER, "-std=c++20", "-I", ROOT / "include", "-ftime-trace", "-ftime-trace-granularity=0", "-c", "-o", out, unit],
                       check=True)
        trace = json.loads(out.with_suffix(".json").read_text())
    return sum(event.get("name") in COUNTED for event in trace["traceEvents"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--recorded", type=pathlib.Path, default=RECORDED)
    args = parser.parse_args()
    version = re.search(r"version ([\d.]+)", subprocess.run([COMPILER, "--version"], capture_output=True, text=True, check=True).stdout)
    where = baseline.environment(f"clang {version[1] if version else '?'}")
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        found = {unit.stem: pool.submit(count, unit) for unit in sorted((ROOT / "benchmarks" / "compile").glob("*.cpp"))}
    counts = {unit: each.result() for unit, each in found.items()}
    # What including costs is paid once; the others are what using costs beyond it.
    counts = {unit: n if unit == BASE else n - counts[BASE] for unit, n in counts.items()}
    if args.record:
        baseline.record(args.recorded, where, counts)
    return baseline.judge(args.recorded, where, counts)


if __name__ == "__main__":
    sys.exit(main())
