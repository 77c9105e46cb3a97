#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Writes into gates.txt of each group what is accepted of the budgets that a run missed: a quarter more than was measured, so that what
comes out worse is a failure. A budget that is met meanwhile loses what was accepted.

  accept.py [results.json]     build/bench/results.json when none is named
"""
import json
import pathlib
import re
import sys

import measure

ROOT = pathlib.Path(__file__).resolve().parent.parent
MARGIN = 1.25


def accepted_line(line: str, row: dict) -> str:
    """The line of a gate, as the run has it."""
    words = line.split("#")[0].split()
    gate = next((g for g in row["gates"] if g["whom"] == words[1] and "ratio" in g), None)
    if gate is None:
        return line
    line = re.sub(r" +accepted [\d.]+", "", line)
    if gate["ratio"] - gate["noise"] <= gate["budget"]:
        return line
    return re.sub(r"^(\S+\s+\S+\s+[\d.]+)", rf"\1 accepted {(gate['ratio'] + gate['noise']) * MARGIN:.2f}", line)


def accepted(text: str, result: dict) -> str:
    rows = {row["form"]: row for row in result["rows"]}
    kept = [line for line in text.splitlines() if not line.startswith("size ")]
    kept = [accepted_line(line, rows[line.split()[0]]) if line.split() and line.split()[0] in rows else line for line in kept]
    beyond = [f"size {size['bytes']} {size['name']}" for size in result["sizes"] if size["at_most"] and size["bytes"] > size["at_most"]]
    return "\n".join(kept + beyond) + "\n"


def main() -> int:
    results = json.loads(pathlib.Path(sys.argv[1] if sys.argv[1:] else ROOT / "build" / "bench" / "results.json").read_text())
    for group, result in results["groups"].items():
        path = measure.HERE / group / "gates.txt"
        path.write_text(accepted(path.read_text(), result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
