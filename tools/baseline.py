# SPDX-License-Identifier: BSL-1.0
"""Counts that are compared with recorded ones. A file of them is {environment: {what: count}}: they depend on the compiler and its
libraries, so each environment has its own. More than SLACK above what is recorded is a failure; an environment that is not recorded
is one on the reference machine, which is what counts are recorded on, and elsewhere only said."""
import json
import pathlib
import platform

SLACK = 0.03
REFERENCE_SYSTEM = "Debian GNU/Linux 12 (bookworm)"


def environment(compiler: str) -> str:
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = platform.system()
    return f"{compiler}, {system}, {platform.machine()}"


def is_reference(where: str) -> bool:
    """Debian 12 with one of its own compilers that we measure with."""
    return where.startswith(("g++ 12.2.", "clang 19.")) and where.endswith(f"{REFERENCE_SYSTEM}, x86_64")


def compare(counts: dict[str, float], recorded: dict[str, float]) -> tuple[list[str], list[str]]:
    """What is wrong, and what is worth saying."""
    problems = [f"{what}: recorded, but not measured any more" for what in recorded if what not in counts]
    notes = []
    for what, count in counts.items():
        if what not in recorded:
            problems.append(f"{what}: {count:g}, not recorded")
        elif count > recorded[what] * (1 + SLACK):
            problems.append(f"{what}: {count:g}, recorded {recorded[what]:g}: {count / recorded[what] - 1:+.1%}, at most {SLACK:+.0%}")
        elif count < recorded[what] * (1 - SLACK):
            notes.append(f"{what}: {count:g}, recorded {recorded[what]:g}: {count / recorded[what] - 1:+.1%}; record it")
    return problems, notes


def load(path: pathlib.Path) -> dict[str, dict[str, float]]:
    return json.loads(path.read_text()) if path.exists() else {}


def record(path: pathlib.Path, where: str, counts: dict[str, float]) -> None:
    path.write_text(json.dumps(load(path) | {where: counts}, indent=1, sort_keys=True) + "\n")


def judge(path: pathlib.Path, where: str, counts: dict[str, float]) -> int:
    """Prints everything; the exit status."""
    recorded = load(path).get(where)
    for what, count in counts.items():
        print(f"{what:24} {count:10g}")
    if recorded is None:
        print(f"not recorded for {where}: ./dev counts --record does it")
        return 1 if is_reference(where) else 0
    problems, notes = compare(counts, recorded)
    for line in problems + notes:
        print(line)
    if problems:
        print(f"If that is meant: ./dev counts --record, and say why in the commit ({path.name}).")
    return 1 if problems else 0
