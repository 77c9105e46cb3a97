#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""coverage.py <build>: line and branch coverage of the core's headers, as the tests of that build left it.

Every line must have run. A branch that no test takes must be argued in tests/uncovered.md: a table row `| header | source line | why |`.
A row whose branch is taken meanwhile is an error too, unless its reason begins with `timing:` (threads take that branch in some runs only).
A branch is one of the source: the instantiations of a template are added up, and the copies of an inline function in many units are one.
Branches that only an exception of the compiler's making takes do not count."""
import collections
import concurrent.futures
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


def notes_of(counts: pathlib.Path) -> list[dict]:
    done = subprocess.run(["gcov", "--branch-probabilities", "--json-format", "--stdout", counts], capture_output=True, text=True, check=True)
    return [file for unit in done.stdout.splitlines() for file in json.loads(unit)["files"]]


def header_of(file: dict) -> str | None:
    path = pathlib.Path(file["file"])
    name = path.relative_to(INCLUDE).as_posix() if path.is_relative_to(INCLUDE) else None
    return name if name and name.split("/")[0] not in ADAPTERS else None


def end_of(function: dict, source: list[str]) -> int:
    """The line of its closing brace. For a generic lambda g++ 12 says that it ends where it begins."""
    begin, end = function["start_line"], function["end_line"]
    if end > begin or not source[begin - 1].endswith("{"):
        return end
    indent = re.match(" *", source[begin - 1])[0]
    return next(n for n in range(begin + 1, len(source) + 1) if source[n - 1].startswith(indent + "}"))


class Measured:
    """Counts of runs by line, and by branch. The place of a function's first character tells which instantiations belong together."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, int], int] = collections.Counter()
        self.branches: dict[tuple, int] = collections.Counter()

    def add(self, files: list[dict]) -> None:
        places = {f["name"]: (f["start_line"], f["start_column"]) for file in files for f in file["functions"]}
        for file in files:
            if (header := header_of(file)) is None:
                continue
            source = (INCLUDE / header).read_text().split("\n")
            functions = collections.Counter((f["start_line"], f["start_column"], end_of(f, source)) for f in file["functions"])
            for line in file["lines"]:
                number, counted = line["line_number"], [b["count"] for b in line["branches"] if not b["throw"]]
                if source[number - 1].strip(" };)") == "" or "LCOV_EXCL_LINE" in source[number - 1]:
                    continue  # the end of a scope, or what is over before it can be noted down
                self.lines[header, number] += line["count"]
                place, several = places.get(line.get("function_name")), len(counted)
                inner = max((f for f in functions if f[0] <= number <= f[2]), default=None)
                if inner and (place is None or inner[0] < number) and place != inner[:2] and several % functions[inner] == 0:  # one instantiation after the other
                    place, several = inner[:2], several // functions[inner]
                for i, count in enumerate(counted if several > 1 else ()):  # one alone: a call that returns or throws
                    self.branches[header, number, place, several, i % several] += count


def measured(build: pathlib.Path) -> Measured:
    all_of_it = Measured()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for files in pool.map(notes_of, sorted(build.resolve().rglob("*.gcda"))):
            all_of_it.add(files)
    return all_of_it


def core_headers() -> set[str]:
    names = {p.relative_to(INCLUDE).as_posix() for p in INCLUDE.rglob("*.hpp")}
    return {name for name in names if name.split("/")[0] not in ADAPTERS}


def argued() -> dict[tuple[str, str], str]:
    rows = re.findall(r"^\| `(.+?)` \| `(.+)` \| (.+?) \|$", ARGUED.read_text(), re.MULTILINE)
    return {(header, " ".join(line.split())): why for header, line, why in rows}


def main() -> int:
    found = measured(pathlib.Path(sys.argv[1]))
    if not found.lines:
        print("no line of the core was measured: build and run the coverage preset first.")
        return 1
    sources = {header: (INCLUDE / header).read_text().split("\n") for header, _ in found.lines}
    missed = [f"{header}:{number}: {sources[header][number - 1].strip()}" for (header, number), runs in sorted(found.lines.items()) if runs == 0]
    branches = {key: count for key, count in found.branches.items() if found.lines[key[0], key[1]]}
    untaken = {(key[0], " ".join(sources[key[0]][key[1] - 1].split())): key[1] for key, count in branches.items() if count == 0}

    allowed = argued()
    unargued = [f"{header}:{number}: {text}" for (header, text), number in sorted(untaken.items()) if (header, text) not in allowed]
    stale = [f"{header}: {text}" for header, text in sorted(allowed.keys() - untaken.keys())
             if not allowed[header, text].startswith("timing:")]
    line_percent = 100 * (len(found.lines) - len(missed)) / len(found.lines)
    branch_percent = 100 * sum(count > 0 for count in branches.values()) / max(len(branches), 1)
    for title, rows in (("lines that never ran", missed), ("branches never taken and not argued in tests/uncovered.md", unargued),
                        ("rows of tests/uncovered.md without such a branch", stale)):
        if rows:
            print(f"{title}:", *rows, sep="\n  ")
    silent = sorted(core_headers() - sources.keys())
    if silent:
        print("headers without a line of code in any test (only declarations, or never used): " + ", ".join(silent))
    (pathlib.Path(sys.argv[1]) / "coverage.json").write_text(json.dumps({
        "headers": len(sources), "lines": len(found.lines), "lines_run": len(found.lines) - len(missed),
        "branches": len(branches), "branches_taken": sum(count > 0 for count in branches.values())}) + "\n")
    print(f"{len(sources)} headers, lines {line_percent:.1f} % of {len(found.lines)} (at least {LINES_AT_LEAST} %), "
          f"branches {branch_percent:.1f} % of {len(branches)} (at least {BRANCHES_AT_LEAST} %)")
    return 1 if missed or line_percent < LINES_AT_LEAST or branch_percent < BRANCHES_AT_LEAST or unargued or stale else 0


if __name__ == "__main__":
    sys.exit(main())
