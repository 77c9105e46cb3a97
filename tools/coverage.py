#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""coverage.py <build>: line and branch coverage of the core's headers, as the tests of that build left it.

Every line must have run. A branch that no test takes must be argued in tests/uncovered.md: a table row `| header | source line | why |`.
A row whose branch is taken meanwhile is an error too, unless its reason begins with `timing:` (threads take that branch in some runs only).
Branches that only an exception of the compiler's making takes do not count."""
import json
import pathlib
import re
import subprocess
import sys

LINES_AT_LEAST = 100.0  # percent
BRANCHES_AT_LEAST = 95.0
ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = ROOT / "include" / "settle"
ARGUED = ROOT / "tests" / "uncovered.md"
ADAPTERS = ("lockfree", "asio", "uv", "http2", "testing")


def measured(build: str) -> dict[str, list[dict]]:
    command = ["gcovr", "--json", "-", "--root", ROOT, "--filter", f"{re.escape(str(INCLUDE))}/", build]
    command += [word for folder in ADAPTERS for word in ("--exclude", f"{re.escape(str(INCLUDE))}/{folder}/")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    files = json.loads(done.stdout)["files"]
    return {f["file"].removeprefix("include/settle/"): [line for line in f["lines"] if not line.get("gcovr/noncode")] for f in files}


def core_headers() -> set[str]:
    names = {p.relative_to(INCLUDE).as_posix() for p in INCLUDE.rglob("*.hpp")}
    return {name for name in names if name.split("/")[0] not in ADAPTERS}


def argued() -> dict[tuple[str, str], str]:
    rows = re.findall(r"^\| `(.+?)` \| `(.+)` \| (.+?) \|$", ARGUED.read_text(), re.MULTILINE)
    return {(header, " ".join(line.split())): why for header, line, why in rows}


def main() -> int:
    files = measured(sys.argv[1])
    lines = lines_run = branches = branches_taken = 0
    missed, untaken = [], {}
    for header, measured_lines in sorted(files.items()):
        source = (INCLUDE / header).read_text().split("\n")
        for line in measured_lines:
            number = line["line_number"]
            lines += 1
            lines_run += line["count"] > 0
            if line["count"] == 0:
                missed.append(f"{header}:{number}: {source[number - 1].strip()}")
            counted = [b for b in line["branches"] if not b["throw"]] if line["count"] else []
            branches += len(counted)
            branches_taken += sum(b["count"] > 0 for b in counted)
            if any(b["count"] == 0 for b in counted):
                untaken[(header, " ".join(source[number - 1].split()))] = number
    if not lines:
        print("no line of the core was measured: build and run the coverage preset first.")
        return 1

    allowed = argued()
    unargued = [f"{header}:{number}: {text}" for (header, text), number in sorted(untaken.items()) if (header, text) not in allowed]
    stale = [f"{header}: {text}" for header, text in sorted(allowed.keys() - untaken.keys())
             if not allowed[header, text].startswith("timing:")]
    line_percent, branch_percent = 100 * lines_run / lines, 100 * branches_taken / max(branches, 1)
    for title, found in (("lines that never ran", missed), ("branches never taken and not argued in tests/uncovered.md", unargued),
                         ("rows of tests/uncovered.md without such a branch", stale)):
        if found:
            print(f"{title}:", *found, sep="\n  ")
    silent = sorted(h for h in core_headers() - files.keys())
    if silent:
        print("headers without a line of code in any test (only declarations, or never used): " + ", ".join(silent))
    print(f"{len(files)} headers, lines {line_percent:.1f} % of {lines} (at least {LINES_AT_LEAST} %), "
          f"branches {branch_percent:.1f} % of {branches} (at least {BRANCHES_AT_LEAST} %)")
    return 1 if line_percent < LINES_AT_LEAST or branch_percent < BRANCHES_AT_LEAST or unargued or stale else 0


if __name__ == "__main__":
    sys.exit(main())
