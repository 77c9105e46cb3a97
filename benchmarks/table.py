#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs a group of benchmarks, judges it by its gates, prints one table and writes JSON.

  table.py <time program> <allocation program> --gates <file> --json <file> [--repetitions N] [--min-time SECONDS]

Everything runs in one process, in random order, again and again, each time for a few milliseconds. Whatever disturbs makes slower,
so what counts is the fast end: the first decile of the repetitions. The noise of a ratio is how much it differs from the one of the
first quartiles. A gate is missed when the ratio is above it by more than the noise. Exit status 1: a gate is missed; 2: nothing to judge.
"""
import argparse
import json
import platform
import statistics
import subprocess
import sys


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("time")
    parser.add_argument("allocations")
    parser.add_argument("--gates", required=True)
    parser.add_argument("--json", required=True)
    parser.add_argument("--repetitions", type=int, default=80)
    parser.add_argument("--min-time", type=float, default=0.004)
    parser.add_argument("--filter", default="")
    return parser.parse_args()


def measure(args: argparse.Namespace) -> tuple[dict, dict]:
    """The context, and by case its nanoseconds in each repetition."""
    command = [args.time, "--benchmark_format=json", "--benchmark_enable_random_interleaving=true",
               f"--benchmark_repetitions={args.repetitions}", f"--benchmark_min_time={args.min_time}"]
    if args.filter:
        command.append(f"--benchmark_filter={args.filter}")
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(2)
    report, series = json.loads(done.stdout), {}
    for run in report["benchmarks"]:
        if run["run_type"] == "iteration":
            series.setdefault(run["run_name"], {})[run["repetition_index"]] = run["cpu_time"]
    return report["context"], {name: [by_index[i] for i in sorted(by_index)] for name, by_index in series.items()}


def machine(context: dict) -> dict:
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as info:
            model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), model)
    except OSError:
        pass
    return {"cpu": model, "cpus": context["num_cpus"], "mhz": context["mhz_per_cpu"], "load": context["load_avg"],
            "system": f"{platform.system()} {platform.release()}", "compiler": context.get("compiler", "?"), "date": context["date"]}


def read_gates(path: str) -> list[tuple[str, str, float]]:
    """Lines `<workload>/<policy>/<form> <whom> <ratio>`; what follows a # is a comment."""
    gates = []
    with open(path) as lines:
        for line in lines:
            words = line.split("#")[0].split()
            if words:
                gates.append((words[0], words[1], float(words[2])))
    return gates


def fast(series: list[float], part: int = 10) -> float:
    return statistics.quantiles(series, n=part)[0]


def judge(ours: list[float], theirs: list[float], gate: float) -> tuple[float, float, str]:
    """The ratio, its noise, and a verdict."""
    ratio = fast(ours) / fast(theirs)
    noise = abs(ratio - fast(ours, 4) / fast(theirs, 4))
    return ratio, noise, "pass" if ratio <= gate else "noise" if ratio - noise <= gate else "MISS"


def rows_of(series: dict, gates: list, allocations: dict) -> list[dict]:
    rows = []
    for name in sorted(n[:-len("/ours")] for n in series if n.endswith("/ours")):
        who = {n[len(name) + 1:]: fast(v) for n, v in series.items() if n.startswith(name + "/")}
        row = {"form": name, "ours": who.pop("ours"), "bound": who.pop("bound", None), "peers": who, "gates": [],
               "allocations": {n[len(name) + 1:]: a for n, a in allocations.items() if n.startswith(name + "/")}}
        for _, whom, gate in (g for g in gates if g[0] == name):
            theirs = series.get(f"{name}/{whom}")
            if theirs is None:
                row["gates"].append({"whom": whom, "gate": gate, "verdict": "not packaged"})
                continue
            ratio, noise, verdict = judge(series[f"{name}/ours"], theirs, gate)
            row["gates"].append({"whom": whom, "gate": gate, "ratio": ratio, "noise": noise, "verdict": verdict})
        rows.append(row)
    return rows


def print_table(rows: list[dict], about: dict) -> None:
    print(f"{about['cpu']}, {about['cpus']} CPUs at {about['mhz']} MHz, load {about['load'][0]:.1f}, {about['system']}, compiler {about['compiler']}")
    print("nanoseconds of CPU time (first decile); (n): allocations from the system, once warm\n")
    head = f"{'form':14} {'ours':>10} {'bound':>10}  {'ratio':>13} {'gate':>5}  {'verdict':12} peers"
    print(head + "\n" + "-" * (len(head) + 40))
    for row in rows:
        counts = row["allocations"]

        def cell(who: str, ns: float | None) -> str:
            return "-" if ns is None else f"{ns:.1f} ({counts.get(who, 0):.3g})"

        peers = ", ".join(f"{who} {cell(who, ns)}" for who, ns in row["peers"].items())
        line = f"{row['form']:14} {cell('ours', row['ours']):>10} {cell('bound', row['bound']):>10}  "
        for gate in row["gates"] or [{"whom": "bound", "verdict": ""}]:
            ratio = f"{gate['ratio']:.2f} +- {gate['noise']:.2f}" if "ratio" in gate else "-"
            limit = f"{gate['gate']:.2f}" if "gate" in gate else "-"
            of = "" if gate["whom"] == "bound" else f" (of {gate['whom']})"
            print(f"{line}{ratio:>13} {limit:>5}  {gate['verdict'] + of:12} {peers}".rstrip())
            line, peers = " " * 38, ""
    print()


def main() -> int:
    args = arguments()
    context, series = measure(args)
    counted = subprocess.run([args.allocations], stdout=subprocess.PIPE, text=True, check=True)
    rows, about = rows_of(series, read_gates(args.gates), json.loads(counted.stdout)), machine(context)
    print_table(rows, about)
    with open(args.json, "w") as out:
        json.dump({"machine": about, "rows": rows, "nanoseconds": series}, out, indent=1)
    gates = [gate for row in rows for gate in row["gates"] if "ratio" in gate]
    missed = [gate for gate in gates if gate["verdict"] == "MISS"]
    print(f"{len(gates) - len(missed)} gates met, {len(missed)} missed; {args.json}")
    if not gates:
        return 2
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
