#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Defects planted into a copy of the headers, and whether a test notices.

mutate.py list <folder>                       what there is to do: `run <control>` or `clean <control>`, one a line
mutate.py run <folder> <control> [option]...  plants it, compiles, runs; 0: the tests noticed as the row says; 1: they did not
mutate.py clean <folder> <control> [option]...  the same without the defect: everything must pass

<folder> holds one TOML file for each guarantee, named as its test file in tests/core; each table in it is one control:

  [observers_run_backwards]
  breaks = "done observers run in the order opposite to registration"
  file = "detail/registry.hpp"     # under include/settle
  at = "static void add_observer(" # once in that file: the function (or line) that is meant; left out: the whole file
  old = "push_back"                # once in there
  new = "push_front"

or `edits = [{file = ..., at = ..., old = ..., new = ...}, ...]` for more than one. Optional: `source` (another file of tests/core), `filter`
(GoogleTest's; the tests named after the guarantee), `ends` (how the tests notice: "failed" unless it says "signal", "sanitizer" or "hang"),
`options` (for the compiler), `limit` (seconds)."""
import argparse
import dataclasses
import fcntl
import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tomllib

import planted

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENDS = ("failed", "signal", "sanitizer", "hang")


class DoesNotFit(Exception):
    """A row that no longer says what to change. Its text is a sentence."""


@dataclasses.dataclass(frozen=True)
class Edit:
    file: str
    old: str
    new: str
    at: str = ""

    def span(self, text: str) -> tuple[int, int]:
        if not self.at:
            return 0, len(text)
        if text.count(self.at) != 1:
            raise DoesNotFit(f"{self.file} has `{self.at}` {text.count(self.at)} times instead of once")
        return span(text, text.index(self.at))

    def apply(self, text: str) -> str:
        begin, end = self.span(text)
        part = text[begin:end]
        if part.count(self.old) != 1:
            where = f"`{self.at}` of {self.file}" if self.at else self.file
            raise DoesNotFit(f"{where} has `{self.old}` {part.count(self.old)} times instead of once")
        return text[:begin] + part.replace(self.old, self.new) + text[end:]


def span(text: str, at: int) -> tuple[int, int]:
    """From the line of `at` to the end of what begins there: the line itself, or up to the brace that closes it (clang-format puts that one
    under the beginning)."""
    begin = text.rfind("\n", 0, at) + 1
    indent = re.match(r" *", text[begin:])[0]
    line_end = text.index("\n", at)
    line = text[begin:line_end]
    if line.rstrip().endswith((";", "}")) and line.count("{") == line.count("}"):
        return begin, line_end
    closing = re.compile(rf"^{indent}\}}", re.MULTILINE).search(text, line_end)
    return begin, closing.end() if closing else len(text)


@dataclasses.dataclass(frozen=True)
class Control:
    group: str  # the TOML file's name, and the test file's
    name: str
    breaks: str
    edits: tuple[Edit, ...]
    source: str
    filter: str
    ends: str = "failed"
    options: tuple[str, ...] = ()
    limit: int = 120

    def full_name(self) -> str:
        return f"{self.group}/{self.name}"

    def way(self) -> tuple:
        """What it is compiled from, and how."""
        return self.source, self.options


def control_of(group: str, name: str, row: dict) -> Control:
    row = dict(row)
    try:
        edits = row.pop("edits", None) or [{key: row.pop(key) for key in ("file", "at", "old", "new") if key in row}]
        row["edits"] = tuple(Edit(**edit) for edit in edits)
        row["options"] = tuple(row.get("options", ()))
        row.setdefault("source", group + ".cpp")
        row.setdefault("filter", group.split("_")[0].upper() + "_*")
        control = Control(group, name, **row)
    except TypeError as wrong:
        raise DoesNotFit(f"the row is not complete: {wrong}") from None
    if control.ends not in ENDS:
        raise DoesNotFit(f"`ends` is one of {', '.join(ENDS)}")
    return control


def controls(folder: pathlib.Path) -> list[Control]:
    found = []
    for path in sorted(folder.glob("*.toml")):
        for name, row in tomllib.loads(path.read_text()).items():
            try:
                found.append(control_of(path.stem, name, row))
            except DoesNotFit as why:
                raise DoesNotFit(f"{path.name}: mend [{name}]: {why}") from None
    return found


def mutated(edits: tuple[Edit, ...], include: pathlib.Path) -> dict[str, str]:
    """The headers that change, with their new text."""
    texts: dict[str, str] = {}
    for edit in edits:
        path = include / "settle" / edit.file
        if not path.is_file():
            raise DoesNotFit(f"there is no {edit.file}")
        texts[edit.file] = edit.apply(texts.get(edit.file) or path.read_text())
    return texts


def copy_headers(include: pathlib.Path, to: pathlib.Path, changed: dict[str, str]) -> None:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(include, to)
    for name, text in changed.items():
        (to / "settle" / name).write_text(text)


# What the tests include beside settle's own headers, which change: read once for all controls.
READ_ONCE = ("algorithm", "array", "atomic", "bit", "chrono", "concepts", "condition_variable", "coroutine", "deque", "functional", "gtest/gtest.h",
             "limits", "map", "memory", "memory_resource", "mutex", "optional", "random", "ranges", "set", "source_location", "span", "stdexcept",
             "stop_token", "string", "string_view", "system_error", "thread", "tuple", "type_traits", "unordered_map", "utility", "variant", "vector")


@dataclasses.dataclass(frozen=True)
class Toolchain:
    compiler: tuple[str, ...]
    links: tuple[str, ...]
    root: pathlib.Path = ROOT

    def build(self, source: pathlib.Path, headers: pathlib.Path, program: pathlib.Path, options: tuple[str, ...], common: pathlib.Path) -> str:
        """Empty, or what the compiler said. What every control needs is made in `common`, by the first that comes."""
        shared = common / ("_".join(re.sub(r"\W", "", word) for word in options) or "plain")
        flags = ["-std=c++20", "-O0", "-DSETTLE_TEST_A_TENTH", *options]
        said = self.prepare(shared, flags)
        if said:
            return said
        made = str(program) + ".o"
        first = ["-include", str(shared / "read_once.hpp"), "-include", str(shared / "planted.hpp")]
        said = self.run([*self.compiler, *flags, *first, f"-I{headers}", f"-I{self.root / 'tests' / 'support'}", "-c", str(source),
                         "-o", made])
        link = [word for word in self.compiler if pathlib.Path(word).name != "ccache"]
        return said or self.run([*link, *flags, made, str(shared / "allocations.o"), *self.links, "-pthread", "-o", str(program)])

    def prepare(self, folder: pathlib.Path, flags: list[str]) -> str:
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (folder / "allocations.o").exists():
                return ""
            header = folder / "read_once.hpp"
            header.write_text("".join(f"#include <{name}>\n" for name in READ_ONCE))
            (folder / "planted.hpp").write_text(planted.HEADER)
            support = self.root / "tests" / "support"
            return self.run([*self.compiler, *flags, "-x", "c++-header", str(header), "-o", f"{header}.gch"]) or \
                self.run([*self.compiler, *flags, f"-I{support}", "-c", str(support / "allocations.cpp"), "-o", str(folder / "allocations.o")])

    @staticmethod
    def run(command: list[str]) -> str:
        done = subprocess.run(command, capture_output=True, text=True)
        return done.stderr or "without a word" if done.returncode != 0 else ""


@dataclasses.dataclass(frozen=True)
class Ending:
    how: str   # one of ENDS, or "passed", or "no test"
    test: str  # the one that ran last
    said: str


def run(program: pathlib.Path, tests: str, limit: float, number: int = 0) -> Ending:
    """Runs until the first failure: what a broken library does after that is of no interest."""
    environment = os.environ | {planted.VARIABLE: str(number), "ASAN_OPTIONS": "exitcode=99", "TSAN_OPTIONS": "exitcode=99:halt_on_error=1", "UBSAN_OPTIONS": "halt_on_error=1"}
    process = subprocess.Popen([program, f"--gtest_filter={tests}", "--gtest_break_on_failure"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, errors="replace", env=environment, start_new_session=True)
    in_time = True
    try:
        said, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        in_time = False
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
    ran = re.findall(r"^\[ RUN      \] (\S+)$", said, re.MULTILINE)
    if not ran:
        how = "no test"
    elif re.search(r": Failure$", said, re.MULTILINE):
        how = "failed"
    elif re.search(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:", said):
        how = "sanitizer"
    elif not in_time:
        how = "hang"
    elif process.returncode == 0:
        how = "passed"
    else:
        how = "signal" if process.returncode < 0 else "failed"
    return Ending(how, ran[-1] if ran else "", said)


def entries(all_of_them: list[Control]) -> list[str]:
    """`run <control>` for each, and `clean <control>` once for everything that is compiled in the same way. Compiled without options
    it is what `./dev test` and the preset coverage run whole. Neighbours have different ways: one does not wait for the other's compiler."""
    ways: dict[tuple, list[str]] = {}
    for c in all_of_them:
        if c.way() not in ways:
            ways[c.way()] = [f"clean {c.full_name()}"] if c.options else []
        ways[c.way()].append(f"run {c.full_name()}")
    return [entry for turn in itertools.zip_longest(*ways.values()) for entry in turn if entry]


def without_defect(control: Control, all_of_them: list[Control]) -> Control:
    """What all controls that are compiled like this one run."""
    filters = dict.fromkeys(c.filter for c in all_of_them if c.way() == control.way())
    return dataclasses.replace(control, filter=":".join(filters), limit=max(c.limit for c in all_of_them if c.way() == control.way()))


def tail(text: str, lines: int = 40) -> str:
    return "\n".join(text.rstrip().split("\n")[-lines:])


def newest(*folders: pathlib.Path) -> float:
    return max((p.stat().st_mtime for folder in folders for p in folder.rglob("*.*")), default=0)


def program_of_all(control: Control, all_of_them: list[Control], common: pathlib.Path, toolchain: Toolchain,
                   include: pathlib.Path) -> tuple[pathlib.Path, dict[str, int]]:
    """The program with all defects that are compiled like this one, and their numbers: none when the compiler takes them one by one only."""
    way = [c for c in all_of_them if c.way() == control.way()]
    folder = common / "together" / re.sub(r"\W+", "_", " ".join((control.source, *control.options)))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        together = planted.Together(way, include)
    except DoesNotFit:
        return folder / "program", {}
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = folder / "said"
        if not said.exists() or said.stat().st_mtime < newest(include, toolchain.root / "tests", toolchain.root / "tools"):
            copy_headers(include, folder / "include", together.texts)
            source = toolchain.root / "tests" / "core" / control.source
            said.write_text(toolchain.build(source, folder / "include", folder / "program", control.options, common))
            if said.read_text():
                print(tail(said.read_text()))
    return folder / "program", {} if said.read_text() else together.numbers


def work(control: Control, all_of_them: list[Control], is_planted: bool, folder: pathlib.Path, common: pathlib.Path, toolchain: Toolchain,
         include: pathlib.Path) -> str:
    """Empty when all is well, else a sentence and what was seen."""
    program, numbers = program_of_all(control, all_of_them, common, toolchain, include)
    if is_planted and control.full_name() not in numbers or not numbers:
        try:
            changed = mutated(control.edits, include) if is_planted else {}
        except DoesNotFit as why:
            return f"mend the row [{control.name}] of {control.group}.toml: {why}"
        copy_headers(include, folder / "include", changed)
        program = folder / "program"
        wrong = toolchain.build(toolchain.root / "tests" / "core" / control.source, folder / "include", program, control.options, common)
        if wrong:
            return f"mend the row [{control.name}] of {control.group}.toml: it does not compile\n{tail(wrong)}"
    ending = run(program, control.filter, control.limit, numbers.get(control.full_name(), 0) if is_planted else 0)
    expected = control.ends if is_planted else "passed"
    if ending.how != expected:
        return f"`{control.filter}` of {control.source}: expected {expected}, but {ending.how} ({ending.test or 'nothing ran'})\n{tail(ending.said)}"
    print(f"{control.full_name()}: {control.breaks if is_planted else 'without a defect'}: {ending.how}, {ending.test}")
    shutil.rmtree(folder, ignore_errors=True)
    return ""


def main() -> int:
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("what", choices=("list", "run", "clean"))
    options.add_argument("folder", type=pathlib.Path)
    options.add_argument("control", nargs="?")
    options.add_argument("--compiler", action="append", help="and its arguments, one option each", default=[])
    options.add_argument("--link", action="append", default=[])
    options.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "mutate")
    options.add_argument("--include", type=pathlib.Path, default=ROOT / "include")
    given = options.parse_args()
    try:
        all_of_them = controls(given.folder)
    except DoesNotFit as why:
        print(why)
        return 1
    if given.what == "list":
        print("\n".join(entries(all_of_them)))
        return 0
    chosen = [c for c in all_of_them if c.full_name() == given.control]
    if not chosen:
        print(f"there is no control {given.control}")
        return 1
    toolchain = Toolchain(tuple(given.compiler) or ("c++",), tuple(given.link) or ("-lgtest_main", "-lgtest"))
    folder = given.work / given.what / given.control
    folder.mkdir(parents=True, exist_ok=True)
    is_planted = given.what == "run"
    control = chosen[0] if is_planted else without_defect(chosen[0], all_of_them)
    problem = work(control, all_of_them, is_planted, folder, given.work / "common", toolchain, given.include.resolve())
    print(problem, end="\n" if problem else "")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
