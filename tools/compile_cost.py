#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What `#include <settle/settle.hpp>` costs to compile, against one unit that includes the same standard headers. Both are compiled in turn,
several times, and the medians of their processor times are compared."""
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

import amalgamate

LIMIT = 1.3
RUNS = 9
COMPILER = os.environ.get("CXX", "g++")


def cost(source: pathlib.Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([COMPILER, "-std=c++20", "-I", amalgamate.INCLUDE, "-c", "-o", os.devnull, source], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    whole = amalgamate.Amalgam()
    whole.inlined(amalgamate.INCLUDE / "settle" / "settle.hpp")
    with tempfile.TemporaryDirectory() as folder:
        ours, standard = pathlib.Path(folder) / "ours.cpp", pathlib.Path(folder) / "standard.cpp"
        ours.write_text("#include <settle/settle.hpp>\n")
        standard.write_text("".join(f"#include <{header}>\n" for header in sorted(whole.standard)))
        pairs = [(cost(ours), cost(standard)) for _ in range(RUNS + 1)][1:]  # the first pair only warms the file cache
    with_settle, without = (statistics.median(column) for column in zip(*pairs))
    ratio = with_settle / without
    print(f"settle.hpp {with_settle * 1000:.0f} ms, its {len(whole.standard)} standard headers {without * 1000:.0f} ms, "
          f"ratio {ratio:.2f}, at most {LIMIT} (medians of {RUNS} pairs, {COMPILER})")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
