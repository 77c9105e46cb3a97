#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What `#include <settle/settle.hpp>` costs to compile, against one unit that includes the same standard headers: instructions of the whole
compiler, counted by valgrind, since times of the same unit differ by more than what there is to see."""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import amalgamate

LIMIT = 1.3
COMPILER = os.environ.get("CXX", "g++")
COUNT = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", "--trace-children=yes"]


def cost(source: pathlib.Path) -> int:
    command = [*COUNT, COMPILER, "-std=c++20", "-I", amalgamate.INCLUDE, "-c", "-o", os.devnull, source]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    return sum(int(n.replace(",", "")) for n in re.findall(r"I\s+refs:\s+([\d,]+)", said))


def main() -> int:
    whole = amalgamate.Amalgam()
    whole.inlined(amalgamate.INCLUDE / "settle" / "settle.hpp")
    with tempfile.TemporaryDirectory() as folder:
        ours, standard = pathlib.Path(folder) / "ours.cpp", pathlib.Path(folder) / "standard.cpp"
        ours.write_text("#include <settle/settle.hpp>\n")
        standard.write_text("".join(f"#include <{header}>\n" for header in sorted(whole.standard)))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            with_settle, without = pool.map(cost, (ours, standard))
    ratio = with_settle / without
    print(f"settle.hpp {with_settle / 1e6:.0f} million instructions, its {len(whole.standard)} standard headers {without / 1e6:.0f}, "
          f"ratio {ratio:.3f}, at most {LIMIT} ({COMPILER})")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
