#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Every small defect of the core's headers and of the pool's, one after the other, and whether a test of the core notices.

mutants.py [--header detail/engine.hpp]... [--only <number>,...] [--kind <words>] [--unexplored | --orders] [--resume] [--patience <seconds>] [--json <file>] [--jobs <n>]

All defects are compiled in at once, each behind a switch that is read when the program starts, so that one build serves for all headers, and
--header says whose defects are shown:
statements are left out, neighbours swapped, conditions negated, bits dropped, results turned round, memory orders weakened by one step.
Each test says once which defects it comes across; a defect is then shown to these tests only. One that no test notices must stand, with
the reason why it changes nothing, in tests/mutants.md; a line there that is not needed is a failure too.
--kind: only defects whose name begins so, as "relaxed".
--patience: tests that take longer are not asked.
--unexplored asks the tests alone, not the explorer, and leaves the memory orders out, which only it can judge: an hour or two instead of many.
--orders is the rest: the memory orders alone, shown to the explorer alone.
--resume: what a test noticed in an earlier run, in a header that has not changed since, is not shown again. The report has these too."""
import argparse
import concurrent.futures
import dataclasses
import hashlib
import json
import math
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
ARGUED = ROOT / "tests" / "mutants.md"

# The core's own mechanism. What is a thin face of it (initiate, start_on, coroutine awaiters) has its tests and its coverage.
HEADERS = ("detail/look.hpp", "detail/state.hpp", "detail/registry.hpp", "detail/engine.hpp", "detail/sequence.hpp", "detail/releaser.hpp", "detail/walker.hpp",
           "detail/direct.hpp", "detail/producer.hpp", "detail/ownership.hpp", "detail/dispatcher.hpp", "detail/cleanups.hpp", "detail/cleanup_list.hpp", "detail/link.hpp",
           "detail/embedded.hpp", "detail/hook.hpp", "detail/lineage.hpp", "detail/ancestry.hpp", "detail/lost_value.hpp", "detail/frame.hpp",
           "detail/work.hpp", "resolver.hpp", "handle.hpp", "watcher.hpp", "pin.hpp", "shared_resolver.hpp", "registration.hpp",
           "lockfree/arena_pool.hpp", "lockfree/arena_lease.hpp")
# Memory orders are weakened in all of the library that the explorer can play; in the policy for one thread they mean nothing.
UNPLAYED = ("asio/", "http2/", "uv/", "testing/", "policy/single_thread_sync.hpp")

# Combinators and scopes use what nothing else does: inputs, links that are spared.
SUITES = tuple(map(pathlib.Path, ("core/test_core_a", "core/test_core_b", "combine/test_combine", "scope/test_scope", "lockfree/test_lockfree")))
EXPLORERS = tuple(map(pathlib.Path, ("explore/test_explore", "explore/lockfree/test_explore_lockfree")))

UNNOTICED = ("survived", "not met")
WEAKER = {"acquire": ("relaxed",), "release": ("relaxed",), "acq_rel": ("acquire", "release"), "seq_cst": ("acq_rel",)}
NOT_EXECUTED = re.compile(r"\b(constexpr|static_assert|concept|requires|using|typedef|template|enum|friend|operator)\b|\[\[|^\s*(//|#|\*)|= (default|delete);")
CALL = re.compile(r"^(\s*(?:else )?)((?:[\w:]+(?:<[\w:, *]+>)?(?:\(\))?(?:\.|->|::))*[a-z_]\w*(?:<[\w:, *]+>)?\([^;]*\));(\s*(?://.*)?)$")
ASSIGNMENT = re.compile(r"^(\s*(?:else )?)([\w.>()\[\]:*-]+ (?:=|\|=|&=|\+=|-=) [^;]+|(?:\+\+|--)[\w.>-]+|[\w.>-]+(?:\+\+|--));(\s*(?://.*)?)$")
GOES_ON = re.compile(r"(&&|\|\||[=(?])$")  # in the next line, which is no statement then
RESULT = re.compile(r"\breturn (true|false);")
BIT = re.compile(r"(?<=\| )(word::\w+)")
ORDER = re.compile(r"std::memory_order_(acquire|release|acq_rel|seq_cst)\b")


def of_orders_only() -> list[str]:
    """The headers, beside those above, that say a memory order."""
    include = ROOT / "include/settle"
    names = {f.relative_to(include).as_posix(): f for f in include.rglob("*.hpp")}
    return sorted(n for n, f in names.items() if n not in HEADERS and not n.startswith(UNPLAYED) and ORDER.search(f.read_text()))


@dataclasses.dataclass
class Mutant:
    number: int
    header: str
    line: int
    what: str
    text: str

    def name(self) -> str:
        return f"{self.header}:{self.line}: {self.what}"

    def row(self) -> tuple[str, str, str]:
        """How tests/mutants.md names it: without a line number, which moves."""
        return self.header, self.what, self.text


class Planter:
    """Rewrites headers; numbers what it plants."""

    def __init__(self) -> None:
        self.mutants: list[Mutant] = []
        self.alike: dict[tuple[str, str, str], list[int]] = {}
        self.refused: set[tuple[str, int]] = set()  # lines that the compiler does not take
        self.swaps: dict[int, tuple[int, str]] = {}  # of a line, with the one before: the defect, and what stands there

    def new(self, header: str, line: int, what: str, text: str) -> int:
        like = self.alike.setdefault((header, what, text.strip()), [])
        like.append(line)
        nth = f" #{len(like)}" if len(like) > 1 else ""  # the same may stand in several places, and one argument is for one of them
        self.mutants.append(Mutant(len(self.mutants) + 1, header, line, what + nth, text.strip()))
        return len(self.mutants)

    def plant(self, header: str, text: str) -> str:
        lines = text.split("\n")
        out = list(lines)
        self.swaps.clear()
        for i, line in enumerate(lines):
            if NOT_EXECUTED.search(line) or (header, i + 1) in self.refused:
                continue
            goes_on = i and GOES_ON.search(lines[i - 1])
            out[i] = weakened(line, lambda what: self.new(header, i + 1, what, line)) if goes_on or header not in HEADERS else self.line(header, i, lines)
        return "\n".join(out)

    def line(self, header: str, i: int, lines: list[str]) -> str:
        line = lines[i]
        number = i + 1

        def mutant(what: str) -> int:
            return self.new(header, number, what, line)

        statement = CALL.match(line) or ASSIGNMENT.match(line)
        is_whole = line.count("{") == line.count("}") and not lines[i - 1].endswith(",")
        if statement and is_whole and not statement[2].startswith(("return", "if ", "for ", "while ", "sizeof")):
            return self.statement(header, i, lines, statement)
        return self.parts(line, mutant)

    def statement(self, header: str, i: int, lines: list[str], found: re.Match) -> str:
        line = lines[i]

        def mutant(what: str) -> int:
            return self.new(header, i + 1, what, line)

        gone = mutant("left out")
        ways = f"settle_mutants::is({gone}) ? void() : "
        if i in self.swaps:
            number, before = self.swaps[i]
            ways += f"settle_mutants::is({number}) ? void({before}) : "
        after = CALL.match(lines[i + 1]) or ASSIGNMENT.match(lines[i + 1])
        alone = not re.search(r"(\)|else)$", lines[i - 1]) and "else" not in line
        if alone and after and after[1] == found[1] and (header, i + 2) not in self.refused and not NOT_EXECUTED.search(lines[i + 1]):
            number = mutant("swapped with the next")
            self.swaps[i + 1] = number, found[2]
            ways += f"settle_mutants::is({number}) ? void({after[2]}) : "
        return f"{found[1]}({ways}void({self.parts(found[2], mutant)}));{found[3]}"

    def parts(self, text: str, mutant) -> str:
        """Conditions, results, bits and orders in what else a line says."""
        text = RESULT.sub(lambda m: f"return settle_mutants::is({mutant('returns the opposite')}) != {m[1]};", text)
        text = negate(text, mutant)
        text = BIT.sub(lambda m: f"settle_mutants::bit({mutant('without ' + m[1])}, {m[1]})", text)
        return weakened(text, mutant)


def weakened(text: str, mutant) -> str:
    def weaken(m: re.Match) -> str:
        steps = ", ".join(f"{mutant('relaxed to ' + w if w != 'relaxed' else 'relaxed')}, std::memory_order_{w}" for w in WEAKER[m[1]])
        return f"settle_mutants::order(std::memory_order_{m[1]}, {steps})"

    return ORDER.sub(weaken, text)


def negate(text: str, mutant) -> str:
    found = re.search(r"\b(if|while) \(", text)
    if not found:
        return text
    begin = found.end()
    depth, end = 1, begin
    while end < len(text) and depth:
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    if depth:
        return text  # goes on in the next line
    condition = text[begin:end - 1]
    declares, _, last = condition.rpartition("; ")
    if re.search(r"[^=!<>]=[^=]", last):
        return text
    number = mutant("condition negated")
    declares = declares + "; " if declares else ""
    return f"{text[:begin]}{declares}settle_mutants::is({number}) != static_cast<bool>({last}){text[end - 1:]}"


def switches(count: int) -> str:
    return f"""#ifndef SETTLE_MUTANTS_HPP
#define SETTLE_MUTANTS_HPP
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <type_traits>
namespace settle_mutants {{
inline unsigned char met[{count + 1}];
struct chosen {{
  unsigned number = std::getenv("SETTLE_MUTANT") ? static_cast<unsigned>(std::atoi(std::getenv("SETTLE_MUTANT"))) : 0;
  char const* record = std::getenv("SETTLE_MUTANTS_MET");
  ~chosen() {{
    if (record == nullptr) return;
    std::FILE* const f = std::fopen(record, "ab");
    std::fwrite(met, 1, sizeof met, f);
    std::fclose(f);
  }}
}};
inline chosen choice;
inline bool on(unsigned n) noexcept {{
  __atomic_store_n(&met[n], 1, __ATOMIC_RELAXED);
  return choice.number == n;
}}
constexpr bool is(unsigned n) noexcept {{ return std::is_constant_evaluated() ? false : on(n); }}
constexpr std::uint32_t bit(unsigned n, std::uint32_t b) noexcept {{ return is(n) ? 0u : b; }}
constexpr std::memory_order order(std::memory_order given, unsigned n, std::memory_order weaker) noexcept {{ return is(n) ? weaker : given; }}
constexpr std::memory_order order(std::memory_order given, unsigned n, std::memory_order w, unsigned m, std::memory_order v) noexcept {{
  return is(n) ? w : is(m) ? v : given;
}}
}}
#endif
"""


@dataclasses.dataclass
class Suite:
    """A program of the tests, and how one of its tests is run."""
    program: pathlib.Path

    def tests(self) -> list[str]:
        said = subprocess.run([self.program, "--gtest_list_tests"], capture_output=True, text=True, check=True).stdout
        names, suite = [], ""
        for line in said.split("\n"):
            if line and not line.startswith(" "):
                suite = line.split("#")[0].strip()
            elif line.strip() and not suite.endswith("DeathTest."):
                names.append(suite + line.split("#")[0].strip())
        return [name for name in names if not name.startswith("Running")]

    def run(self, names: list[str], mutant: int, longest: float, record: pathlib.Path | None = None) -> tuple[str, str]:
        """How it ended, and the test that was run last: passed, failed, signal, or hang, when that test takes so much longer than `longest`
        seconds, by the clock or of processor time, that a busy machine is no excuse, or all of it is asleep."""
        environment = os.environ | {"SETTLE_MUTANT": str(mutant)}
        if record:
            environment["SETTLE_MUTANTS_MET"] = str(record)
        said = tempfile.TemporaryFile("w+")
        process = subprocess.Popen([self.program, "--gtest_filter=" + ":".join(names), "--gtest_fail_fast"], stdout=said, stderr=subprocess.DEVNULL,
                                   env=environment, start_new_session=True, preexec_fn=within_bounds)

        def ended(how: str) -> tuple[str, str]:
            said.seek(0)
            return how, (["", *re.findall(r"^\[ RUN +\] (\S+)", said.read(), re.MULTILINE)])[-1]

        length, since, used, asleep = -1, Spent(), Spent(), 0
        while asleep < 12 and used.clock - since.clock < 8 + 30 * longest and used.processor - since.processor < 2 + 6 * longest:
            try:
                code = process.wait(0.25)
                return ended("passed" if code == 0 else "signal" if code < 0 else "failed")
            except subprocess.TimeoutExpired:
                before, used = used, spent(process.pid)
                asleep = 0 if used.ready or used.processor != before.processor else asleep + 1
                if length != (length := os.fstat(said.fileno()).st_size):
                    since = used  # it is at another test
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return ended("hang")


@dataclasses.dataclass
class Spent:
    clock: float = 0
    processor: float = 0
    ready: bool = True  # at least one thread would go on


def spent(pid: int) -> Spent:
    """On a busy machine one that yields in vain gets next to no processor time: where there is no other thread of its own to yield to, it is
    charged for the turns that it gave away. Where there are, they wait for each other, and the clock must do."""
    all_of_it = Spent(time.monotonic(), 0, False)
    tasks = list(pathlib.Path(f"/proc/{pid}/task").glob("*"))
    for task in tasks:
        try:
            stat = (task / "stat").read_text().rpartition(")")[2].split()
            gave_away = re.search(r"nonvoluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text())
        except OSError:
            continue  # it has just ended
        all_of_it.ready = all_of_it.ready or stat[0] in "RD"
        if len(tasks) == 1:
            all_of_it.processor += (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK") + 3e-3 * int(gave_away[1] if gave_away else 0)
    return all_of_it


def within_bounds() -> None:
    """A loop that never ends may ask for memory all the while; and nobody reads the cores."""
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def mirror(source: pathlib.Path, copy: pathlib.Path, planted: set[pathlib.Path]) -> None:
    """What has not changed is not written, so that it is not compiled again; `planted` is left to the planter."""
    files = {f.relative_to(source) for f in source.rglob("*") if f.is_file()}
    for gone in [f for f in copy.rglob("*") if f.is_file() and f.relative_to(copy) not in files]:
        gone.unlink()
    for name in files - planted:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        write(copy / name, (source / name).read_bytes())


def build(work: pathlib.Path, suites: tuple[pathlib.Path, ...], jobs: int) -> tuple[list[Mutant], list[Suite]]:
    tree, headers = work / "tree", (*HEADERS, *of_orders_only())
    for name in ("include", "tests", "cmake"):
        mirror(ROOT / name, tree / name, {pathlib.Path("settle", header) for header in headers} if name == "include" else set())
    write(tree / "CMakeLists.txt", (ROOT / "CMakeLists.txt").read_bytes())
    planter = Planter()
    known = work / "refused.json"  # of the same headers, so that the next run builds once
    digests = {header: Report.digest(header) for header in headers}
    if known.exists():
        planter.refused = {(h, n) for h, n, digest in json.loads(known.read_text()) if digests.get(h) == digest}
    for attempt in range(12):
        planter.mutants.clear()
        planter.alike.clear()
        for header in headers:
            write(tree / "include/settle" / header, planter.plant(header, (ROOT / "include/settle" / header).read_text()).encode())
        write(tree / "mutants.hpp", switches(len(planter.mutants)).encode())
        flags = f"-std=c++20 -include {tree / 'mutants.hpp'} -w -DSETTLE_TEST_A_TENTH"
        launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        configured = subprocess.run(["cmake", "-G", "Ninja", "-S", tree, "-B", tree / "build", "-DCMAKE_BUILD_TYPE=Debug", f"-DCMAKE_CXX_FLAGS={flags}",
                                     f"-DSETTLE_TEST_ONLY={';'.join(dict.fromkeys(s.parts[0] for s in suites))}", "-DSETTLE_TEST_TOGETHER=7", "-DSETTLE_BUILD_EXAMPLES=OFF", "-DSETTLE_WITH_LOCKFREE=ON", *launcher,
                                     *(f"-DSETTLE_WITH_{c}=OFF" for c in ("ASIO", "UV", "HTTP2"))], capture_output=True, text=True)
        if configured.returncode:
            sys.exit(configured.stdout + configured.stderr)
        done = subprocess.run(["cmake", "--build", tree / "build", "--parallel", str(jobs), "--target", *(s.name for s in suites),
                               "--", "-k", "0" if attempt == 0 else "1"], capture_output=True, text=True)
        if done.returncode == 0:
            return planter.mutants, [Suite(tree / "build/tests" / s) for s in suites]
        refused = {(m[1], int(m[2])) for m in re.finditer(r"include/settle/([\w/.]+):(\d+):\d+: error", done.stdout)} - planter.refused
        if not refused:
            sys.exit(done.stdout[-6000:] + done.stderr)
        print("the compiler does not take what was planted in", ", ".join(f"{h}:{n}" for h, n in sorted(refused)), flush=True)
        planter.refused |= refused
        known.write_text(json.dumps([(h, n, digests.get(h)) for h, n in sorted(planter.refused)]))
    sys.exit("too many lines that the compiler does not take")


def write(path: pathlib.Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)


def meetings(suite: Suite, count: int, work: pathlib.Path, jobs: int) -> list[tuple[str, float, bytes]]:
    """Each test, how long it takes, and the mutants that it comes across. Known already while the program is the same."""
    folder = work / "met" / suite.program.name
    folder.mkdir(parents=True, exist_ok=True)
    known = folder / "times.json"
    built = suite.program.stat().st_mtime_ns

    def look(item: tuple[int, str]) -> tuple[str, float]:
        record = folder / str(item[0])
        record.unlink(missing_ok=True)
        began = time.monotonic()
        how, _ = suite.run([item[1]], 0, 300, record)
        if how != "passed":
            sys.exit(f"{item[1]} does not pass without a defect: {how}")
        return item[1], time.monotonic() - began

    if not known.exists() or json.loads(known.read_text())["built"] != built:
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            known.write_text(json.dumps({"built": built, "tests": list(pool.map(look, enumerate(suite.tests())))}))
    tests = json.loads(known.read_text())["tests"]
    return [(name, took, (folder / str(i)).read_bytes()[:count + 1] if (folder / str(i)).exists() else bytes(count + 1)) for i, (name, took) in enumerate(tests)]


class Hunter:
    """Shows a defect to the tests that come across it: first those that noticed its like, then the quick ones of all suites."""

    def __init__(self, suites: list[Suite], meetings_of: list[list[tuple[str, float, bytes]]], patience: float) -> None:
        self.tests = [(suite, *test) for suite, tests in zip(suites, meetings_of) for test in tests if test[1] <= patience]
        self.luck: dict[str, int] = {}

    def hunt(self, mutant: Mutant) -> tuple[str, str]:
        """How it was noticed, and by which test; "survived" or "not met" when it was not."""
        touched = [(suite, name, took) for suite, name, took, marks in self.tests if marks[mutant.number]]
        touched.sort(key=lambda t: t[2])
        lucky = sorted((t for t in touched if t[1] in self.luck and t[2] < 0.1), key=lambda t: -self.luck[t[1]])[:10]
        for some in [*packs(lucky), *packs([t for t in touched if t[2] < 0.1 and t not in lucky]), *packs([t for t in touched if t[2] >= 0.1])]:
            how, name = self.show(some, mutant.number)
            if how == "hang":  # a busy machine lets threads wait: the same passes without a defect, and hangs again with it
                how, name = self.show(some, mutant.number) if self.show(some, 0)[0] == "passed" else ("passed", "")
            if how != "passed":
                self.luck[name] = mutant.number
                return how, name
        return ("survived" if touched else "not met"), ""

    @staticmethod
    def show(some: list[tuple[Suite, str, float]], number: int) -> tuple[str, str]:
        return some[0][0].run([name for _, name, _ in some], number, max(took for *_, took in some))


def packs(tests: list[tuple[Suite, str, float]]) -> list[list[tuple[Suite, str, float]]]:
    """A few of one program at a time: what hangs shall not wait for all of them."""
    found: list[list[tuple[Suite, str, float]]] = []
    for suite in dict.fromkeys(suite.program for suite, *_ in tests):
        took = 0.0
        for test in (t for t in tests if t[0].program == suite):
            if not found or found[-1][0][0].program != suite or len(found[-1]) == 25 or took > 0.3:
                found.append([])
                took = 0.0
            found[-1].append(test)
            took += test[2]
    return found


def suites_for(given: argparse.Namespace) -> tuple[pathlib.Path, ...]:
    """Of the pool alone, the pool's."""
    of_pool = given.header and all(h.startswith("lockfree/") for h in given.header)
    asked = (*(() if given.orders else SUITES), *(() if given.unexplored else EXPLORERS))
    return tuple(s for s in asked if not of_pool or "lockfree" in s.parts)


def argued_rows() -> dict[tuple[str, str, str], str]:
    """`| header | what | source line | why it changes nothing |`; `timing:` in front: threads notice it in some runs only."""
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \| `(.+)` \| (.+?) \|$", ARGUED.read_text(), re.MULTILINE)
    return {(header, what, text): why for header, what, text, why in rows}


class Report:
    """What runs have shown so far, in a file. A header that has changed since is shown as a whole again."""

    def __init__(self, file: pathlib.Path) -> None:
        self.file = file
        self.headers = json.loads(file.read_text()) if file.exists() else {}
        known = {*HEADERS, *of_orders_only()}
        for header in [h for h, of_it in self.headers.items() if h not in known or of_it["text"] != self.digest(h)]:
            del self.headers[header]

    @staticmethod
    def digest(header: str) -> str:
        return hashlib.sha256((ROOT / "include/settle" / header).read_bytes()).hexdigest()

    def results(self, header: str) -> list[dict]:
        return self.headers.get(header, {}).get("results", [])

    def noticed(self, mutant: Mutant) -> dict | None:
        return next((r for r in self.results(mutant.header) if (r["what"], r["text"]) == (mutant.what, mutant.text) and r["how"] not in UNNOTICED), None)

    def add(self, header: str, results: list[dict]) -> None:
        shown = {(r["what"], r["text"]) for r in results}
        kept = [r for r in self.results(header) if (r["what"], r["text"]) not in shown]
        self.headers[header] = {"text": self.digest(header), "results": kept + results}
        self.file.write_text(json.dumps(self.headers, indent=1))


def main() -> int:
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("--header", action="append", default=[])
    options.add_argument("--only", default="")
    options.add_argument("--kind", default="")
    options.add_argument("--patience", type=float, default=math.inf)
    either = options.add_mutually_exclusive_group()
    either.add_argument("--unexplored", action="store_true")
    either.add_argument("--orders", action="store_true")
    options.add_argument("--resume", action="store_true")
    options.add_argument("--json", type=pathlib.Path, default=ROOT / "build/mutants/mutants.json")
    options.add_argument("--work", type=pathlib.Path, default=ROOT / "build/mutants")
    options.add_argument("--jobs", type=int, default=os.cpu_count())
    given = options.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    mutants, suites = build(given.work, suites_for(given), given.jobs)
    print(f"{len(mutants)} defects are planted", flush=True)
    hunter = Hunter(suites, [meetings(suite, len(mutants), given.work, given.jobs) for suite in suites], given.patience)
    wanted = {int(n) for n in given.only.split(",") if n}
    report, argued, needed, shown, unargued = Report(given.json), argued_rows(), set(), [], 0
    headers = given.header or [*HEADERS, *(of_orders_only() if not given.unexplored else ())]

    def look(mutant: Mutant) -> tuple[str, str]:
        before = report.noticed(mutant) if given.resume else None
        return (before["how"], before["by"]) if before else hunter.hunt(mutant)

    for header in headers:
        of_it = [m for m in mutants if m.header == header and (not wanted or m.number in wanted) and m.what.startswith(given.kind)
                 and not (given.orders if not m.what.startswith("relaxed") else given.unexplored)]
        results = []
        with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
            for mutant, (how, by) in zip(of_it, pool.map(look, of_it)):
                why = argued.get(mutant.row(), "") if how in UNNOTICED else ""
                results.append(dataclasses.asdict(mutant) | {"how": how, "by": by, "why": why})
                if why:
                    needed.add(mutant.row())
                elif how in UNNOTICED:
                    unargued += 1
                    print(f"{how}: {mutant.number} {mutant.name()}: {mutant.text}", flush=True)
        report.add(header, results)  # after each, so that a run that is cut off has shown something
        shown += results
        print(said(header, results), flush=True)
    judged, planted = {(r["header"], r["what"], r["text"]) for r in shown}, {m.row() for m in mutants}
    stale = sorted(row for row, why in argued.items()
                   if row[0] in headers and not why.startswith("timing:") and (row not in planted or row in judged - needed))
    for row in stale:
        print("tests/mutants.md argues for what a test notices, or what is not there:", *row)
    print(said("all", shown))
    return 1 if unargued or stale else 0


def said(of_what: str, results: list[dict]) -> str:
    lost = [r for r in results if r["how"] in UNNOTICED]
    argued = sum(bool(r["why"]) for r in lost)
    hung = sum(r["how"] == "hang" for r in results)
    return f"{of_what}: {len(results) - len(lost)} of {len(results)} noticed ({hung} by a test that did not end), {argued} argued, {len(lost) - argued} neither"


if __name__ == "__main__":
    sys.exit(main())
