#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Makes docs/performance.md and docs/performance.svg of benchmarks/results.json, which `./dev bench --document` writes, and the prose in
benchmarks/performance.md.in. Every measured number on the page comes from there: {{...}} in the prose is replaced by what is below, and
what stands between {{if GROUP}} and {{end}} is left out while the results have no such group.

  {{machine}} {{table GROUP}} {{sizes GROUP}} {{missed}}          what was measured on, and all of a kind
  {{ours FORM}} {{bound FORM}} {{peer FORM WHO}} {{ratio FORM WHO}} {{budget FORM WHO}} {{bytes NAME}}
  {{instructions CASE}} {{instantiations UNIT}}                   as tools/baseline.py has them recorded for the reference machine
  {{tried WAY CASE}}                                              instructions or a ratio, as benchmarks/tried.json keeps them of other ways

  document.py                  writes both
  document.py --check          says what differs, with status 1
  document.py --take <file>    keeps the results of a run first: all of them, or of some groups in place of what was kept of these
"""
import json
import pathlib
import re
import sys

import chart

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tools"))
import generated_page  # noqa: E402
from generated_page import GeneratedPage  # noqa: E402

class Page(GeneratedPage):
    made_by = "./dev bench --document"
    prose_file = "benchmarks/performance.md.in"
    # A measured number has a unit: one that is typed into the prose cannot be kept true.
    typed = re.compile(r"\b\d+(\.\d+)?\s?(ns\b|nanoseconds?\b|instructions\b|times\b|%|x\b)")

    def __init__(self, root: pathlib.Path):
        super().__init__(root)
        self.folder = root / "benchmarks"
        self.results = json.loads((self.folder / "results.json").read_text())
        self.rows = {row["form"]: row for result in self.results["groups"].values() for row in result["rows"]}

    def chosen(self, prose: str) -> str:
        """What stands between {{if GROUP}} and {{end}} only where there is such a group."""
        return re.sub(r"\{\{if (\w+)\}\}\n(.*?)\{\{end\}\}\n", lambda match: match[2] if match[1] in self.results["groups"] else "", prose, flags=re.DOTALL)

    def say_machine(self, _: str) -> str:
        return self.machine(self.results["machine"])

    @staticmethod
    def machine(m: dict) -> str:
        return f"{m['cpu']}, {m['cpus']} CPUs at {m['mhz']} MHz, {m['system']}, compiler {m['compiler']}, {m['date'][:10]}"

    def say_table(self, group: str) -> str:
        lines = ["| form | ours | bound | ratio | budget | others |", "|---|---|---|---|---|---|"]
        for row in self.results["groups"][group]["rows"]:
            gates = {gate["whom"]: gate for gate in row["gates"]}
            gate = gates.get("bound")
            ratio = f"{row['ours'] / row['bound']:.2f}" if row["bound"] else ""
            bound = f"{row['bound']:.1f}" if row["bound"] else ""
            budget = "" if gate is None else f"{gate['budget']:.2f}{self.mark(gate)}"
            lines.append(f"| {row['form']} | {row['ours']:.1f} | {bound} | {ratio} | {budget} | {self.others(row, gates)} |")
        own = self.results["groups"][group].get("machine")
        lines += ["", f"Measured in a run of its own, on {self.machine(own)}."] if own else []
        return "\n".join(lines)

    @staticmethod
    def mark(gate: dict) -> str:
        return {"MISS": ", not met", "noise": ", within noise"}.get(gate["verdict"], "")

    def others(self, row: dict, gates: dict) -> str:
        def one(who: str, ns: float) -> str:
            gate = gates.get(who)
            aim = f" (ours at most {gate['budget']:g} of it{self.mark(gate)})" if gate else ""
            return f"{who} {ns:.1f}{aim}"

        return ", ".join(one(who, ns) for who, ns in sorted(row["peers"].items(), key=lambda item: item[1]))

    def say_sizes(self, group: str) -> str:
        lines = ["| what | bytes | budget |", "|---|---|---|"]
        for size in self.results["groups"][group]["sizes"]:
            budget = f"{size['at_most']}{self.mark(size)}" if size["at_most"] else ""
            lines.append(f"| {size['name']} | {size['bytes']} | {budget} |")
        return "\n".join(lines)

    def say_missed(self, _: str) -> str:
        lines = ["| what | compared with | measured | budget |", "|---|---|---|---|"]
        for row in self.rows.values():
            for gate in row["gates"]:
                if gate["verdict"] == "MISS":
                    lines.append(f"| {row['form']} | {gate['whom']} | {gate['ratio']:.2f} | {gate['budget']:g} |")
        for result in self.results["groups"].values():
            for size in result["sizes"]:
                if size["verdict"] == "MISS":
                    lines.append(f"| {size['name']} | bytes | {size['bytes']} | {size['at_most']} |")
        return "\n".join(lines) if len(lines) > 2 else "None."

    def say_ours(self, form: str) -> str:
        return f"{self.rows[form]['ours']:.1f}"

    def say_bound(self, form: str) -> str:
        return f"{self.rows[form]['bound']:.1f}"

    def say_peer(self, words: str) -> str:
        form, _, who = words.partition(" ")
        return f"{self.rows[form]['peers'][who]:.1f}"

    def say_ratio(self, words: str) -> str:
        form, _, who = words.partition(" ")
        row = self.rows[form]
        return f"{row['ours'] / (row['bound'] if who == 'bound' else row['peers'][who]):.2f}"

    def say_budget(self, words: str) -> str:
        form, _, who = words.partition(" ")
        return f"{next(gate['budget'] for gate in self.rows[form]['gates'] if gate['whom'] == who):g}"

    def say_bytes(self, name: str) -> str:
        return str(next(size["bytes"] for result in self.results["groups"].values() for size in result["sizes"] if size["name"] == name))

    def recorded(self, file: str, what: str) -> str:
        counts = json.loads((self.folder / file).read_text())
        return f"{next(counts[where] for where in sorted(counts) if 'Debian GNU/Linux 12' in where)[what]:g}"

    def say_instructions(self, case: str) -> str:
        return self.recorded("instructions.json", case)

    def say_instantiations(self, unit: str) -> str:
        return self.recorded("instantiations.json", unit)

    def say_tried(self, words: str) -> str:
        way, _, case = words.partition(" ")
        return f"{json.loads((self.folder / 'tried.json').read_text())[way][case]:g}"


def made(root: pathlib.Path) -> dict[str, str]:
    page = Page(root)
    return {"docs/performance.md": page.text(), "docs/performance.svg": chart.svg(page.results)}


def take(root: pathlib.Path, run: pathlib.Path) -> None:
    path = root / "benchmarks" / "results.json"
    kept, new = json.loads(path.read_text()), json.loads(run.read_text())
    if new["groups"].keys() >= kept["groups"].keys():
        kept = new
    for group, result in new["groups"].items():
        kept["groups"][group] = result if kept is new else result | {"machine": new["machine"]}
    path.write_text(json.dumps(kept, indent=1) + "\n")


def main() -> int:
    if sys.argv[1:] == ["--check"]:
        wrong = generated_page.problems(ROOT, made, "benchmarks/results.json", "benchmarks/document.py")
        print(*wrong, sep="\n", end="\n" if wrong else "")
        return 1 if wrong else 0
    if sys.argv[1:2] == ["--take"]:
        take(ROOT, pathlib.Path(sys.argv[2]))
    generated_page.write(ROOT, made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
