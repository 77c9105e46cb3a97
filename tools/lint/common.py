# SPDX-License-Identifier: BSL-1.0
"""What the lints share. A lint is a file lint_<name>.py with `problems(root)`, one sentence for each problem, and its own proof:
FAULTS, small trees that must each give a problem, and CLEAN, a tree that must give none. A tree is {path: text}."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SOURCE_SUFFIXES = {".hpp", ".cpp", ".py", ".sh", ".cmake", ".h", ".c"}


def headers(root: pathlib.Path) -> list[pathlib.Path]:
    return sorted((root / "include" / "settle").rglob("*.hpp"))


def files(root: pathlib.Path) -> list[pathlib.Path]:
    """Every file of the project: what git tracks or would track; in a tree without git, all of it."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True, text=True)
    if listed.returncode == 0 and (root / ".git").exists():
        return sorted(root / name for name in set(listed.stdout.split("\0")) if name and (root / name).is_file())
    return sorted(p for p in root.rglob("*") if p.is_file())


def name(root: pathlib.Path, path: pathlib.Path) -> str:
    return path.relative_to(root).as_posix()


def without_comments(text: str) -> str:
    """C++ with comments and the contents of literals blanked; lines stay where they are."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-zA-Z_])\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)

    def blank(match: re.Match) -> str:
        kept = '""' if match[0][0] in "\"R" else ""
        return kept + "\n" * match[0].count("\n")

    lines = [(line, re.match(r"\s*#\s*include", line)) for line in text.split("\n")]
    text = "\n".join("" if include else line for line, include in lines)
    return pattern.sub(blank, text)


def run(problems) -> None:
    found = problems(ROOT)
    for problem in found:
        print(problem)
    sys.exit(1 if found else 0)
