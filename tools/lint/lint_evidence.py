#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The verification page is what the generator makes of the committed reports: no number on it is typed."""
import json
import sys

import common

sys.path.append(str(common.ROOT / "tools"))
import evidence  # noqa: E402
import generated_page  # noqa: E402


def problems(root):
    return generated_page.problems(root, evidence.made, "tests/evidence.json", "tools/evidence.py")


def tests(acts):
    return {"passed": 7, "acts": acts, "scenes": {"2 threads": {"scenes": 3, "executions": 40}}, "counted": {"sequences of 2 acts": 5}}


FOUND = {"debug": tests({"2 acts": {"scenarios": 2, "exhausted": 1, "executions": 50}}), "cxx23": tests({}), 
         "mutants": {"of": 4, "others": {"headers": 3, "planted": 9, "noticed": 7, "argued": 2}, "orders": {"headers": 1, "planted": 2, "noticed": 1, "argued": 1}},
         "prove": {"stages": [{"title": "t", "bound": "b", "parts": 2, "explored": 1, "scenarios": 3, "exhausted": 2, "bounded": 1, "executions": 10, "redundant": 1, "seconds": 1.5}]}}
PROSE = "tests/verification.md.in"
SOURCES = {"tests/evidence.json": json.dumps(FOUND),
           PROSE: "<!-- template -->\n{{number debug/passed}} {{percent mutants/others/noticed of mutants/others/planted}}\n{{scenes}}\n{{counted}}\n{{stages}}\n{{mutants}}\n"}
CLEAN = generated_page.tree(SOURCES, evidence.made)
PAGE = "docs/verification.md"
FAULTS = [
    {},
    CLEAN | {PAGE: CLEAN[PAGE].replace("40", "41")},
    CLEAN | {"tests/evidence.json": CLEAN["tests/evidence.json"].replace("50", "51")},
    CLEAN | {PROSE: CLEAN[PROSE] + "and 5 states more\n"},
    CLEAN | {PROSE: CLEAN[PROSE] + "{{number debug/failed}}\n"},
]

if __name__ == "__main__":
    common.run(problems)
