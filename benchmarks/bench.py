#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs groups of benchmarks, prints a table for each, and writes all of it as JSON and as a chart.

  bench.py --build <folder of the programs> --json <file> --chart <file> [--quick] [--rounds N] [--only REGEX] [group...]

Exit status 1: a gate is missed; 2: nothing to judge, or a program of a group did not run. How it is measured and judged: measure.py.
"""
import argparse
import json
import pathlib
import sys

import chart
import measure


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", help="all when none is named")
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path, required=True)
    parser.add_argument("--chart", type=pathlib.Path, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--only", default="")
    return parser.parse_args()


def rounded(x):
    """Three digits behind the point: nobody measures more."""
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    if isinstance(x, list):
        return [rounded(v) for v in x]
    return round(x, 3) if isinstance(x, float) else x


def print_machine(about: dict) -> None:
    print(f"{about['cpu']}, {about['cpus']} CPUs at {about['mhz']} MHz, load {about['load'][0]}, {about['system']}, {about['kernel']}, "
          f"compiler {about['compiler']}")
    print("nanoseconds (first decile; http2: median); (n): allocations from the system, once warm\n")


def print_rows(group: str, rows: list[dict]) -> None:
    head = f"{group:20} {'ours':>14} {'bound':>14}  {'ratio':>14} {'budget':>6}  verdict"
    print(head + "\n" + "-" * 110)
    for row in rows:
        def cell(who: str, ns: float | None) -> str:
            if ns is None:
                return "-"
            return f"{ns:.1f} ({row['allocations'][who]:.3g})" if who in row["allocations"] else f"{ns:.1f}    "

        line = f"{row['form']:20} {cell('ours', row['ours']):>14} {cell('bound', row['bound']):>14}  "
        for gate in row["gates"] or [{"whom": "bound", "verdict": ""}]:
            ratio = f"{gate['ratio']:.2f} +- {gate['noise']:.2f}" if "ratio" in gate else "-"
            budget = f"{gate['budget']:.2f}" if "budget" in gate else "-"
            of = "" if gate["whom"] == "bound" else f" (of {gate['whom']})"
            print(f"{line}{ratio:>14} {budget:>6}  {gate['verdict']}{of}".rstrip())
            line = " " * 52
        for who, ns in row["peers"].items():
            print(f"{'':20} {cell(who, ns):>29}  {row['ours'] / ns:14.2f}         {who}")
    print()


def print_sizes(sizes: list[dict]) -> None:
    for size in sizes:
        budget = f"at most {size['at_most']}" if size["at_most"] else ""
        print(f"{size['name']:45} {size['bytes']:6} bytes  {budget:14} {size['verdict']}".rstrip())
    if sizes:
        print()


def main() -> int:
    args = arguments()
    whole: dict = {"machine": {}, "quick": args.quick, "groups": {}}
    for group in args.groups or measure.groups():
        about, result = measure.run_group(group, args.build, args.quick, args.rounds, args.only)
        if not whole["machine"]:
            whole["machine"] = about
            print_machine(about)
        whole["groups"][group] = result
        print_rows(group, result["rows"])
        print_sizes(result["sizes"])
    args.json.write_text(json.dumps(rounded(whole), indent=1) + "\n")
    args.chart.write_text(chart.svg(whole))
    said = [verdict for result in whole["groups"].values() for verdict in measure.verdicts(result)]
    print(f"{sum(said.count(v) for v in ('pass', 'noise'))} budgets met, {said.count('MISS')} missed; {args.json}, {args.chart}")
    if not any(verdict in ("pass", "noise", "MISS") for verdict in said):
        return 2
    return 1 if "MISS" in said else 0


if __name__ == "__main__":
    sys.exit(main())
