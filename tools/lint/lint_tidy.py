#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""clang-tidy 19 over every header, by way of the few files that include them all (build/debug/include_all). .clang-tidy says what is on."""
import concurrent.futures
import os
import re
import shutil
import subprocess

import common

TOOL = "clang-tidy-19"


def problems(root):
    build = root / "build" / "debug"
    units = sorted((build / "include_all").glob("*.cpp"))
    flags = ["-p", build]
    if not (build / "compile_commands.json").exists():  # a tree of the self-test
        units, flags = sorted(root.glob("*.cpp")), []
    if not units:
        return ["nothing to look at: configure build/debug first (./dev lint does)."]
    if not shutil.which(TOOL):
        return [f"{TOOL} is missing: ./dev lint installs it."]

    def look(unit):
        after = [] if flags else ["--", "-std=c++20"]
        command = [TOOL, "--quiet", f"--config-file={common.ROOT / '.clang-tidy'}", *flags, unit, *after]
        return subprocess.run(command, capture_output=True, text=True, cwd=root)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(look, units))
    found = {plain(line) for done in results for line in re.findall(r"^.*(?:error|warning): .*\[.*\]$", done.stdout, re.MULTILINE)}
    found |= {f"{TOOL} failed: {done.stdout}{done.stderr}" for done in results if done.returncode and not found}
    return sorted(line.replace(f"{root}/", "") for line in found)


def plain(line):
    """A finding with its path cleaned of `x/../`, so that a header that several files include is named once."""
    path, _, rest = line.partition(":")
    return f"{os.path.normpath(path)}:{rest}"


CLEAN = {"a.cpp": "int main() { return 0; }\n"}
FAULTS = [
    {"a.cpp": "#include <utility>\n#include <string>\nnamespace a {\nauto f(std::string s) { auto t = std::move(s); return t + s; }\n}\n"},
    {"a.cpp": "namespace a {\nint f(int x) { if (x = 1) return 2; return x; }\n}\n"},
    {},
]

if __name__ == "__main__":
    common.run(problems)
