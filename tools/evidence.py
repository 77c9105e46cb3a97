#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Makes docs/verification.md of tests/evidence.json, which holds what the last runs reported, and the prose in tests/verification.md.in.

  evidence.py take     takes what there is in build/ into tests/evidence.json, then writes the page
  evidence.py          writes the page
  evidence.py --check  says whether it differs, with status 1

What is taken: the test reports of the presets debug, cxx23 and controls (./dev test, ./dev check), build/coverage/coverage.json (./dev check),
build/logs/model.log (./dev check), build/prove/prove.json (./dev prove), build/mutants/mutants.json (./dev mutants). No number on the page is typed."""
import collections
import json
import pathlib
import re
import sys
import xml.etree.ElementTree

import generated_page
import mutants
from generated_page import GeneratedPage

ROOT = pathlib.Path(__file__).resolve().parent.parent


def cases(root: pathlib.Path, preset: str) -> list[tuple[str, bool, str]]:
    """Of a test report: name, passed, what it printed."""
    report = root / "build" / preset / "results.xml"
    if not report.exists():
        return []
    return [(c.get("name", ""), c.get("status") == "run", c.findtext("system-out") or "") for c in xml.etree.ElementTree.parse(report).getroot().iter("testcase")]


def taken_from_tests(root: pathlib.Path, preset: str) -> dict | None:
    """Totals, and what explorations, models and sweeps say of themselves."""
    all_of_them = cases(root, preset)
    if not all_of_them or not all(passed for _, passed, _ in all_of_them):
        return None
    scenes: dict[str, collections.Counter] = {}
    acts: dict[str, collections.Counter] = {}
    counted = collections.Counter()
    for _, _, said in all_of_them:
        for threads, bound, n, executions in re.findall(r"^(\d+) threads, (exhausted .*?): (\d+) scenes, (\d+) executions$", said, re.MULTILINE):
            scenes.setdefault(f"{threads} threads, {bound}", collections.Counter()).update(scenes=int(n), executions=int(executions))
        for k, bound, n, whole, executions, more in re.findall(
                r"^K=(\d+), shard \d+ of \d+, (.*?): (\d+) scenarios, (\d+) exhausted, .*; (\d+) executions, (\d+) more were redundant; 0 failed;", said, re.MULTILINE):
            acts.setdefault(f"{k} acts, {bound}", collections.Counter()).update(scenarios=int(n), exhausted=int(whole), executions=int(executions) + int(more))
        for n, length, which in re.findall(r"^(\d+) sequences of (\d+) acts, (.*?), to situations", said, re.MULTILINE):
            counted[f"sequences of {length} acts, {which}"] += int(n)
        for n, what in re.findall(r"^(\d+) runs in which (.+)$", said, re.MULTILINE):
            counted[what] += int(n)
        for n in re.findall(r"^(\d+) operations whose ends were on any of", said, re.MULTILINE):
            counted["stress"] += int(n)
    planted = sum(name.startswith("controls/") and not name.endswith("(without)") for name, _, _ in all_of_them)
    return {"passed": len(all_of_them), "planted": planted, "scenes": scenes, "acts": acts, "counted": counted}


def taken_from_model(root: pathlib.Path) -> dict | None:
    log = root / "build/logs/model.log"
    said = log.read_text() if log.exists() else ""
    holds = [int(n) for n in re.findall(r"holds, (\d+) states", said)]
    if len(holds) != 2 or re.search("FAILS|NOT NOTICED", said):
        return None
    return {"safety": holds[0], "liveness": holds[1], "defects": len(re.findall(r"^DEFECT_.* noticed:", said, re.MULTILINE))}


def taken_from_mutants(root: pathlib.Path) -> dict | None:
    """Of headers that are as they were when their defects were shown."""
    headers = mutants.Report(root / "build/mutants/mutants.json").headers
    if not headers:
        return None
    results = [r for of_it in headers.values() for r in of_it["results"]]
    rows = mutants.argued_rows()

    def counted(some: list[dict]) -> dict:
        lost = [r for r in some if r["how"] in mutants.UNNOTICED]
        return {"headers": len({r["header"] for r in some}), "planted": len(some), "noticed": len(some) - len(lost),
                "argued": sum((r["header"], r["what"], r["text"]) in rows for r in lost)}

    return {"of": len(mutants.HEADERS), "others": counted([r for r in results if not r["what"].startswith("relaxed")]),
            "orders": counted([r for r in results if r["what"].startswith("relaxed")])}


def take(root: pathlib.Path) -> None:
    path = root / "tests/evidence.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    found = {preset: taken_from_tests(root, preset) for preset in ("debug", "cxx23", "controls")}
    found |= {"model": taken_from_model(root), "mutants": taken_from_mutants(root)}
    for name, file in (("coverage", "build/coverage/coverage.json"), ("prove", "build/prove/prove.json")):
        found[name] = json.loads((root / file).read_text()) if (root / file).exists() else None
    known |= {name: what for name, what in found.items() if what}
    path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    print("taken:", ", ".join(name for name, what in found.items() if what))


class Page(GeneratedPage):
    made_by = "tools/evidence.py"
    prose_file = "tests/verification.md.in"
    # A counted number has a unit: one that is typed into the prose cannot be kept true.
    typed = re.compile(r"\b\d[\d,.]*\s?(%|executions\b|scenes\b|scenarios\b|sequences\b|states\b|runs\b|defects\b|lines\b|branches\b)")

    def __init__(self, root: pathlib.Path) -> None:
        super().__init__(root)
        self.found = json.loads((root / "tests/evidence.json").read_text())

    def say_number(self, words: str) -> str:
        """{{number coverage branches}}: one entry."""
        at = self.found
        for word in words.split("/"):
            at = at[word]
        return f"{at:,}"

    def say_percent(self, words: str) -> str:
        part, _, whole = words.partition(" of ")
        return f"{100 * int(self.say_number(part).replace(',', '')) / int(self.say_number(whole).replace(',', '')):.1f} %"

    def say_scenes(self, _: str) -> str:
        lines = ["| where | what | how many | executions |", "|---|---|---|---|"]
        for preset, command in (("debug", "`./dev test`"), ("cxx23", "`./dev check`")):
            for kind, unit in (("scenes", "scenes"), ("acts", "scenarios")):
                for what, n in sorted(self.found[preset][kind].items()):
                    whole = f", {n['exhausted']:,} exhausted" if "exhausted" in n else ""
                    lines.append(f"| {command} | {what} | {n[unit]:,} {unit}{whole} | {n['executions']:,} |")
        return "\n".join(lines)

    def say_stages(self, _: str) -> str:
        if "prove" not in self.found:
            return "`./dev prove` has not been run to its end."
        lines = ["The last `./dev prove`:", "", "| stage | bound | explored | exhausted | executions | seconds |", "|---|---|---|---|---|---|"]
        for s in self.found["prove"]["stages"]:
            share = "all" if s["explored"] == s["parts"] else f"{s['explored']} of {s['parts']} parts"
            rest = f", {s['bounded']:,} more within 1 preemption and 1 old value" if s["bounded"] else ""
            lines.append(f"| {s['title']} | {s.get('bound', '')} | {share}: {s['scenarios']:,} scenarios | {s['exhausted']:,}{rest} | "
                         f"{s['executions'] + s['redundant']:,} | {s['seconds']:g} |")
        return "\n".join(lines)

    def say_counted(self, _: str) -> str:
        lines = ["| what | how many |", "|---|---|"]
        label = {what: what if what.startswith("sequences") else f"runs in which {what}" for what in self.found["debug"]["counted"] if what != "stress"}
        lines += [f"| {label[what]} | {self.found['debug']['counted'][what]:,} |" for what in sorted(label, key=label.__getitem__)]
        return "\n".join(lines)

    def say_mutants(self, _: str) -> str:
        m = self.found.get("mutants")
        if m is None:
            return "It has not been run to its end."

        def said(c: dict) -> str:
            return f"{c['noticed']:,} noticed, {c['argued']:,} argued, {c['planted'] - c['noticed'] - c['argued']:,} neither"

        others, orders = m["others"], m["orders"]
        which = f"{others['headers']} of {m['of']} headers" if others["headers"] != m["of"] else f"all {m['of']} headers"
        text = f"Shown so far: {others['planted']:,} defects of {which}, memory orders not among them; {said(others)}."
        if orders["planted"]:
            text += (f" Memory orders are weakened in the combinators, scopes and queues as well, and shown to the explorer, which alone can judge them: "
                     f"{orders['planted']:,} in {orders['headers']} headers; {said(orders)}.")
        return text


def made(root: pathlib.Path) -> dict[str, str]:
    return {"docs/verification.md": Page(root).text()}


def main() -> int:
    if sys.argv[1:] == ["--check"]:
        wrong = generated_page.problems(ROOT, made, "tests/evidence.json", "tools/evidence.py")
        print(*wrong, sep="\n", end="\n" if wrong else "")
        return 1 if wrong else 0
    if sys.argv[1:] == ["take"]:
        take(ROOT)
    generated_page.write(ROOT, made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
