#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Explores operations further than the tests do, for as long as it is given, and says what was exhausted and what was not.

prove.py <folder of the explorer's programs> [--minutes 30 | --long] [--resume] [--only <words of a title>] [--jobs <n>] [--json <file>]

Every multiset of K acts on one operation, a thread each, and the scenes of several operations: in stages that go deeper. A stage is dealt
out in parts; parts start as long as the stage has time left, so the whole ends in time on any machine, and the report says how many parts
there was time for; what must be whole is, in any case. `--long` has no end in time: each of its stages goes on until it is exhausted. Fails
when a schedule breaks the contract (it is printed, to be replayed) or a stage that must be whole is not.
`--resume`: parts that an earlier run came to the end of, with the very same program, are not explored again. The report is written after
each part, so that a run that is stopped has said what it did; it keeps what an earlier run said of other stages."""
import argparse
import concurrent.futures
import dataclasses
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parent.parent
ACTS = pathlib.Path("generated/test_explore_acts")
SCENES = pathlib.Path("test_explore")
SUMS = ("scenarios", "exhausted", "bounded", "executions", "redundant", "failed")


@dataclasses.dataclass(frozen=True)
class Stage:
    title: str
    arguments: tuple[str, ...]
    parts: int
    share: float  # of the time that is left when it begins
    whole: bool = False  # less than all of it is a failure
    program: pathlib.Path = ACTS


QUICK = (
    Stage("one act, everything", ("--k", "1"), 1, 1, whole=True),
    Stage("two acts, everything", ("--k", "2"), 60, 1, whole=True),
    Stage("three acts, within one preemption", ("--k", "3", "--preemptions", "1", "--old-values", "1"), 40, 1, whole=True),
    Stage("three acts, within two preemptions", ("--k", "3", "--preemptions", "2", "--old-values", "1", "--cap", "100000", "--fallback"), 100, 0.7),
    Stage("four acts, within one preemption", ("--k", "4", "--preemptions", "1", "--old-values", "1"), 1000, 1),
)
LONG = (
    Stage("one act, everything", ("--k", "1"), 1, 1, whole=True),
    Stage("two acts, everything", ("--k", "2"), 60, 1, whole=True),
    Stage("scenes of three threads, within two preemptions", ("2",), 200, 1, whole=True, program=SCENES),
    Stage("three acts, within two preemptions and two old values", ("--k", "3", "--preemptions", "2", "--old-values", "2"), 400, 1, whole=True),
    Stage("four acts, all of them, within one preemption", ("--k", "4", "--preemptions", "1", "--old-values", "1"), 1000, 1, whole=True),
    Stage("three acts, everything", ("--k", "3"), 2000, 1, whole=True),
)


class Parts:
    """What becomes of each part of a stage, kept under the digest of the program that explored it."""

    def __init__(self, programs: pathlib.Path, stage: Stage, folder: pathlib.Path, resume: bool) -> None:
        self.programs, self.stage, self.resume = programs, stage, resume
        digest = hashlib.sha256((programs / stage.program).read_bytes()).hexdigest()[:16]
        self.folder = folder / "parts" / digest / "_".join(["of", str(stage.parts), *stage.arguments]).replace("-", "")
        self.folder.mkdir(parents=True, exist_ok=True)

    def known(self, part: int) -> dict | None:
        kept = self.folder / f"{part}.json"
        return json.loads(kept.read_text()) if self.resume and kept.exists() else None

    def explore(self, part: int) -> dict:
        began = time.monotonic()
        if self.stage.program == SCENES:
            found = explore_scenes(self.programs / SCENES, self.stage, part)
        else:
            found = explore_acts(self.programs / ACTS, self.stage, part, self.folder / f"{part}.said.json")
        found["seconds"] = round(time.monotonic() - began, 1)
        if not found["failed"]:
            written = self.folder / f"{part}.new"
            written.write_text(json.dumps(found) + "\n")
            written.replace(self.folder / f"{part}.json")  # all of it, or nothing
        return found


def explore_acts(program: pathlib.Path, stage: Stage, part: int, report: pathlib.Path) -> dict:
    report.unlink(missing_ok=True)
    done = subprocess.run([program, *stage.arguments, "--shard", f"{part}/{stage.parts}", "--json", report], capture_output=True, text=True)
    if done.returncode not in (0, 2):  # 2: no scenario falls to this part
        print(done.stdout, done.stderr, sep="\n", flush=True)
    if not report.exists():
        return {key: 0 for key in SUMS} | {"failed": 1}
    return {key: value for key, value in json.loads(report.read_text()).items() if key in (*SUMS, "bound")}


def explore_scenes(program: pathlib.Path, stage: Stage, part: int) -> dict:
    environment = os.environ | {"GTEST_TOTAL_SHARDS": str(stage.parts), "GTEST_SHARD_INDEX": str(part), "SETTLE_PREEMPTIONS": stage.arguments[0]}
    done = subprocess.run([program, "--gtest_filter=-explore_acts.*"], capture_output=True, text=True, env=environment)
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", flush=True)
    found = re.findall(r"^3 threads, exhausted within (.*): (\d+) scenes, (\d+) executions$", done.stdout, re.MULTILINE)
    scenes = sum(int(n) for _, n, _ in found)
    return {key: 0 for key in SUMS} | {"scenarios": scenes, "exhausted": scenes, "executions": sum(int(n) for _, _, n in found),
                                       "failed": int(done.returncode != 0), "bound": found[0][0] if found else ""}


def run(parts: Parts, end: float, jobs: int, told: Callable[[dict], None]) -> None:
    """Parts that are spread over the stage, so that those that there is time for are a fair sample. `told` hears of the stage after each."""
    stage = parts.stage
    order = sorted(range(stage.parts), key=lambda part: part * 7919 % stage.parts)
    sums = {"title": stage.title, "parts": stage.parts, "explored": 0, "whole": stage.whole} | {key: 0 for key in SUMS} | {"seconds": 0}
    busy = 0.0  # seconds of all jobs together
    told(sums)

    def part(number: int) -> dict | None:
        known = parts.known(number)
        if known is None and (stage.whole or time.monotonic() < end):
            known = parts.explore(number)
        return known

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        try:
            for done in concurrent.futures.as_completed([pool.submit(part, number) for number in order]):
                if (found := done.result()) is None:
                    continue
                busy += found["seconds"]
                sums |= {key: sums[key] + found[key] for key in SUMS}
                sums |= {"explored": sums["explored"] + 1, "bound": found.get("bound") or sums.get("bound", ""), "seconds": round(busy / jobs, 1)}
                told(sums)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise


def line(s: dict) -> str:
    share = "all" if s["explored"] == s["parts"] else f"{100 * s['explored'] / s['parts']:.0f} % of all"
    rest = f", {s['bounded']:,} more within 1 preemption and 1 old value" if s["bounded"] else ""
    return (f"{s['title']} ({s.get('bound', '')}): {s['scenarios']:,} scenarios, {share}; {s['exhausted']:,} exhausted{rest}; "
            f"{s['executions']:,} executions, {s['failed']} failed; {s['seconds']} s")


class Report:
    """Of this run's stages, with what an earlier one said of others."""

    def __init__(self, file: pathlib.Path) -> None:
        self.file = file
        self.stages: dict[str, dict] = {}
        self.before = json.loads(file.read_text())["stages"] if file.exists() else []

    def tell(self, sums: dict) -> None:
        self.stages[sums["title"]] = dict(sums)
        others = [s for s in self.before if s["title"] not in self.stages]
        self.file.write_text(json.dumps({"stages": [*others, *self.stages.values()]}, indent=1) + "\n")


def main() -> int:
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("programs", type=pathlib.Path)
    options.add_argument("--minutes", type=float, default=30)
    options.add_argument("--long", action="store_true")
    options.add_argument("--resume", action="store_true")
    options.add_argument("--only", default="")
    options.add_argument("--jobs", type=int, default=os.cpu_count())
    options.add_argument("--json", type=pathlib.Path, default=ROOT / "build/prove/prove.json")
    given = options.parse_args()
    folder = given.json.resolve().parent
    folder.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + (float("inf") if given.long else given.minutes * 60 * 0.97)  # the parts that run then still end
    report = Report(given.json)
    try:
        for stage in (s for s in (LONG if given.long else QUICK) if given.only in s.title):
            now = time.monotonic()
            parts = Parts(given.programs.resolve(), stage, folder, given.resume)
            run(parts, now + (end - now) * stage.share, given.jobs, report.tell)
            print(line(report.stages[stage.title]), flush=True)
    except KeyboardInterrupt:
        print("stopped: with --resume the next run goes on from here")
        return 130
    stages = list(report.stages.values())
    short = [s["title"] for s in stages if s["explored"] == 0 or (s["whole"] and s["explored"] < s["parts"])]
    for title in short:
        print(f"there was no time for: {title}")
    print(f"{sum(s['executions'] for s in stages):,} executions")
    return 1 if short or any(s["failed"] for s in stages) else 0


if __name__ == "__main__":
    sys.exit(main())
