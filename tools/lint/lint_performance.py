#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The performance page and its picture are what the generator makes of the committed results: no number on it is typed."""
import json
import sys

import common

sys.path += [str(common.ROOT / "benchmarks"), str(common.ROOT / "tools")]
import document  # noqa: E402
import generated_page  # noqa: E402


def problems(root):
    return generated_page.problems(root, document.made, "benchmarks/results.json", "benchmarks/document.py")


RESULTS = {"machine": {"cpu": "c", "cpus": 2, "mhz": 1, "system": "s", "compiler": "x", "date": "2026-01-01T00"},
           "groups": {"g": {"rows": [{"form": "W/a", "ours": 2.0, "bound": 1.0, "peers": {"std": 4.0}, "allocations": {},
                                      "gates": [{"whom": "bound", "budget": 1.5, "ratio": 2.0, "verdict": "MISS"}]}],
                            "sizes": [{"name": "a thing", "bytes": 9, "at_most": 8, "verdict": "MISS"}]}}}
SOURCES = {"benchmarks/results.json": json.dumps(RESULTS),
           "benchmarks/performance.md.in": "<!-- template -->\n{{machine}}\n\n{{table g}}\n\n{{sizes g}}\n\n{{missed}}\n\n{{ours W/a}} {{ratio W/a std}}\n"}
CLEAN = generated_page.tree(SOURCES, document.made)
PROSE = "benchmarks/performance.md.in"
FAULTS = [
    {},
    CLEAN | {"docs/performance.md": CLEAN["docs/performance.md"].replace("2.0", "1.9")},
    CLEAN | {"docs/performance.svg": ""},
    CLEAN | {"benchmarks/results.json": CLEAN["benchmarks/results.json"].replace("4.0", "5.0")},
    CLEAN | {PROSE: CLEAN[PROSE] + "and 5 ns more\n"},
    CLEAN | {PROSE: CLEAN[PROSE] + "{{ours W/b}}\n"},
]

if __name__ == "__main__":
    common.run(problems)
