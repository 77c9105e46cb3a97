#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""C++ looks as clang-format 19 writes it. To mend: clang-format-19 -i <file>."""
import shutil
import subprocess

import common

TOOL = "clang-format-19"


def problems(root):
    paths = [p for p in common.files(root) if p.suffix in {".hpp", ".cpp"} and not common.name(root, p).startswith(("single_include/", "build/"))]
    if not paths:
        return ["there is no C++ to look at."]
    style = f"--style=file:{common.ROOT / '.clang-format'}"
    if not shutil.which(TOOL):
        return [f"{TOOL} is missing: ./dev lint installs it."]
    done = subprocess.run([TOOL, style, "--dry-run", *paths], capture_output=True, text=True)
    names = sorted({line.split(":")[0] for line in done.stderr.split("\n") if "[-Wclang-format-violations]" in line})
    return [f"{common.name(root, common.pathlib.Path(n))}: run {TOOL} -i on it." for n in names] or ([done.stderr] if done.returncode else [])


CLEAN = {"a.hpp": "template <class T>\nvoid f(T const& x) {}\n"}
FAULTS = [{"a.hpp": "void f( int x ) {}\n"}, {"b.cpp": "int *x;\n"}, {}]

if __name__ == "__main__":
    common.run(problems)
