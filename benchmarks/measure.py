# SPDX-License-Identifier: BSL-1.0
"""Runs the programs of a group of benchmarks and judges what they say by the group's gates.

Everything of a group runs in one process, in random order, again and again, each time for a few milliseconds. Whatever disturbs
makes slower, so what counts is the fast end: the first decile of the repetitions. The noise of a ratio is how much it differs from
the one of the first quartiles. A gate is missed when the ratio is above it by more than the noise. A group that measures other
processes has `drive.py`, which says what the programs of the other groups say.

`gates.txt` of a group has lines, and comments behind a #:

  rounds <full> <quick>                       how often each case is repeated
  seconds <n>                                 how long each of them takes at least
  part <n>                                    what counts is the end of the first of so many parts: 10 the decile, 2 the median
  <form> <whom> <ratio>                       ours takes at most so many times what the other one takes
"""
import dataclasses
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MANUAL = "/manual_time"  # what the library adds to the name of a case that takes its time itself


@dataclasses.dataclass
class Gates:
    rounds: tuple[int, int] = (80, 20)
    seconds: float = 0.004
    part: int = 10
    ratios: list[tuple[str, str, float]] = dataclasses.field(default_factory=list)


def read_gates(text: str) -> Gates:
    gates = Gates()
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "rounds":
            gates.rounds = int(words[1]), int(words[2])
        elif words[0] == "seconds":
            gates.seconds = float(words[1])
        elif words[0] == "part":
            gates.part = int(words[1])
        else:
            gates.ratios.append((words[0], words[1], float(words[2])))
    return gates


def groups() -> list[str]:
    """Core first, for it is what the others are made of."""
    return sorted((path.parent.name for path in HERE.glob("*/gates.txt")), key=lambda group: (group != "core", group))


def series_of(report: dict) -> dict[str, list[float]]:
    """By case its nanoseconds for each item, in each repetition."""
    by_case: dict[str, dict[int, float]] = {}
    for run in report["benchmarks"]:
        if run["run_type"] == "iteration":
            manual = run["run_name"].endswith(MANUAL)
            name = run["run_name"].removesuffix(MANUAL)
            by_case.setdefault(name, {})[run["repetition_index"]] = run["real_time" if manual else "cpu_time"]
    return {name: [by_index[i] for i in sorted(by_index)] for name, by_index in by_case.items()}


def machine(context: dict) -> dict:
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as info:
            model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), model)
    except OSError:
        pass
    return {"cpu": model, "cpus": context["num_cpus"], "mhz": context["mhz_per_cpu"], "load": context["load_avg"],
            "system": system(), "kernel": f"{platform.system()} {platform.release()}", "compiler": context.get("compiler", "?"),
            "date": context["date"]}


def system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def fast(series: list[float], part: int) -> float:
    """The end of the first of so many parts; of few repetitions the fastest one."""
    return statistics.quantiles(series, n=part, method="inclusive")[0] if len(series) > 1 else series[0]


def judge(ours: list[float], theirs: list[float], budget: float, part: int = 10) -> dict:
    ratio = fast(ours, part) / fast(theirs, part)
    noise = abs(ratio - fast(ours, 4) / fast(theirs, 4))
    verdict = "pass" if ratio <= budget else "noise" if ratio - noise <= budget else "MISS"
    return {"budget": budget, "ratio": ratio, "noise": noise, "verdict": verdict}


def rows_of(series: dict, gates: Gates, allocations: dict) -> list[dict]:
    rows = []
    for name in sorted(n[:-len("/ours")] for n in series if n.endswith("/ours")):
        def of(found: dict) -> dict:
            return {n[len(name) + 1:]: v for n, v in found.items() if n.startswith(name + "/")}

        who = {whom: fast(v, gates.part) for whom, v in of(series).items()}
        row = {"form": name, "ours": who.pop("ours"), "bound": who.pop("bound", None), "peers": dict(sorted(who.items())), "gates": [],
               "allocations": of(allocations)}
        for _, whom, budget in (g for g in gates.ratios if g[0] == name):
            theirs = series.get(f"{name}/{whom}")
            verdict = {"budget": budget, "verdict": "not there"} if theirs is None else judge(series[f"{name}/ours"], theirs, budget, gates.part)
            row["gates"].append({"whom": whom} | verdict)
        rows.append(row)
    return rows


def judged_sizes(sizes: list[dict]) -> list[dict]:
    def verdict(size: dict) -> str:
        if size["at_most"] == 0:
            return ""
        return "pass" if size["bytes"] <= size["at_most"] else "MISS"

    return [size | {"verdict": verdict(size)} for size in sizes]


def programs(group: str, build: pathlib.Path) -> tuple[list, list]:
    """What takes the time, and what counts."""
    if (HERE / group / "drive.py").exists():
        drive = [sys.executable, HERE / group / "drive.py", build]
        return drive, [*drive, "--count"]
    return [build / f"bench_{group}"], [build / f"bench_{group}_allocations"]


def run_group(group: str, build: pathlib.Path, quick: bool, rounds: int, only: str) -> tuple[dict, dict]:
    """The machine, and {rows, sizes}. Ends the program when the group's own programs do not run."""
    gates = read_gates((HERE / group / "gates.txt").read_text())
    takes_time, counts = programs(group, build)
    command = [*takes_time, "--benchmark_format=json", "--benchmark_enable_random_interleaving=true",
               f"--benchmark_repetitions={rounds or gates.rounds[quick]}", f"--benchmark_min_time={gates.seconds}"]
    if only:
        command.append(f"--benchmark_filter={only}")
    timed = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    counted = subprocess.run(counts, stdout=subprocess.PIPE, text=True)
    if timed.returncode or counted.returncode:
        print(timed.stderr, f"the benchmarks of {group} ended with {timed.returncode} and {counted.returncode}", sep="\n", file=sys.stderr)
        sys.exit(2)
    report, more = json.loads(timed.stdout), json.loads(counted.stdout)
    about = machine(report["context"])
    about["load"] = [round(os.getloadavg()[0], 2)]
    return about, {"rows": rows_of(series_of(report), gates, more["allocations"]), "sizes": judged_sizes(more["sizes"])}


def verdicts(result: dict) -> list[str]:
    return [gate["verdict"] for row in result["rows"] for gate in row["gates"]] + [size["verdict"] for size in result["sizes"]]
