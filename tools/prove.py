#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Explores operations further than the tests do, for as long as it is given, and says what was exhausted and what was not.

prove.py <folder of the explorer's programs> [--minutes 30 | --long] [--only <words of a title>] [--jobs <n>] [--json <file>]

Every multiset of K acts on one operation, a thread each, and the scenes of several operations: in stages that go deeper. A stage is dealt
out in parts; parts start as long as the stage has time left, so the whole ends in time on any machine, and the report says how many parts
there was time for; what must be whole is, in any case. `--long` has no end in time: each of its stages goes on until it is exhausted. Fails
when a schedule breaks the contract (it is printed, to be replayed) or a stage that must be whole is not.
The report keeps what an earlier run said of other stages."""
import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import time

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
    Stage("three acts, within two preemptions", ("--k", "3", "--preemptions", "2", "--old-values", "2"), 400, 1, whole=True),
    Stage("four acts, within one preemption", ("--k", "4", "--preemptions", "1", "--old-values", "1"), 1000, 1, whole=True),
    Stage("three acts, everything", ("--k", "3"), 2000, 1, whole=True),
)


def explore(programs: pathlib.Path, stage: Stage, part: int, folder: pathlib.Path) -> dict:
    if stage.program == SCENES:
        return explore_scenes(programs / SCENES, stage, part)
    report = folder / f"{'_'.join(stage.arguments).replace('-', '').replace(' ', '_')}_{part}.json"
    report.unlink(missing_ok=True)
    done = subprocess.run([programs / ACTS, *stage.arguments, "--shard", f"{part}/{stage.parts}", "--json", report], capture_output=True, text=True)
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


def run(programs: pathlib.Path, stage: Stage, end: float, jobs: int, folder: pathlib.Path) -> dict:
    """Parts that are spread over the stage, so that those that there is time for are a fair sample."""
    began = time.monotonic()
    order = sorted(range(stage.parts), key=lambda part: part * 7919 % stage.parts)
    sums = {"title": stage.title, "parts": stage.parts, "explored": 0, "whole": stage.whole} | {key: 0 for key in SUMS}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        def part(number: int) -> dict | None:
            return explore(programs, stage, number, folder) if stage.whole or time.monotonic() < end else None

        for found in pool.map(part, order):
            if found is None:
                continue
            sums["explored"] += 1
            sums["bound"] = found.get("bound") or sums.get("bound", "")
            for key in SUMS:
                sums[key] += found[key]
    sums["seconds"] = round(time.monotonic() - began, 1)
    return sums


def line(s: dict) -> str:
    share = "all" if s["explored"] == s["parts"] else f"{100 * s['explored'] / s['parts']:.0f} % of all"
    rest = f", {s['bounded']:,} more within 1 preemption and 1 old value" if s["bounded"] else ""
    return (f"{s['title']} ({s.get('bound', '')}): {s['scenarios']:,} scenarios, {share}; {s['exhausted']:,} exhausted{rest}; "
            f"{s['executions']:,} executions, {s['failed']} failed; {s['seconds']} s")


def main() -> int:
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("programs", type=pathlib.Path)
    options.add_argument("--minutes", type=float, default=30)
    options.add_argument("--long", action="store_true")
    options.add_argument("--only", default="")
    options.add_argument("--jobs", type=int, default=os.cpu_count())
    options.add_argument("--json", type=pathlib.Path, default=ROOT / "build/prove/prove.json")
    given = options.parse_args()
    folder = given.json.resolve().parent
    folder.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + (float("inf") if given.long else given.minutes * 60 * 0.97)  # the parts that run then still end
    stages = []
    for stage in (s for s in (LONG if given.long else QUICK) if given.only in s.title):
        now = time.monotonic()
        stages.append(run(given.programs.resolve(), stage, now + (end - now) * stage.share, given.jobs, folder))
        print(line(stages[-1]), flush=True)
    before = json.loads(given.json.read_text())["stages"] if given.json.exists() else []
    now_known = {s["title"] for s in stages}
    given.json.write_text(json.dumps({"stages": [s for s in before if s["title"] not in now_known] + stages}, indent=1) + "\n")
    short = [s["title"] for s in stages if s["explored"] == 0 or (s["whole"] and s["explored"] < s["parts"])]
    for title in short:
        print(f"there was no time for: {title}")
    print(f"{sum(s['executions'] for s in stages):,} executions")
    return 1 if short or any(s["failed"] for s in stages) else 0


if __name__ == "__main__":
    sys.exit(main())
