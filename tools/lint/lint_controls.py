#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Every guarantee of docs/contract.md has a negative control in tests/controls, and every control still fits the headers: whoever changes a
header learns here which rows to mend, without compiling anything."""
import pathlib
import re
import sys

import common

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
import mutate


def problems(root):
    folder = root / "tests" / "controls"
    try:
        controls = mutate.controls(folder)
    except (mutate.DoesNotFit, mutate.tomllib.TOMLDecodeError) as why:
        return [f"tests/controls: {why}"]
    found = []
    for c in controls:
        row = f"tests/controls/{c.group}.toml: [{c.name}]"
        try:
            mutate.mutated(c.edits, root / "include")
        except mutate.DoesNotFit as why:
            found.append(f"{row}: {why}: say what to change there now, or what else breaks the guarantee.")
        if not (root / "tests" / "core" / c.source).is_file():
            found.append(f"{row}: there is no test file tests/core/{c.source}.")
    contract = (root / "docs" / "contract.md").read_text()
    for number in re.findall(r"^\| G(\d+) ", contract, re.MULTILINE):
        if not any(c.group.startswith(f"g{int(number):02}_") for c in controls):
            found.append(f"tests/controls: nothing breaks G{number}; a guarantee without a negative control may be tested by nothing.")
    return found


CLEAN = {
    "docs/contract.md": "| G4 order | In order. |\n",
    "include/settle/a.hpp": "void f() {\n  push_back();\n}\nvoid g() {\n  push_back();\n}\n",
    "tests/core/g04_order.cpp": "",
    "tests/controls/g04_order.toml": '[backwards]\nbreaks = "x"\nfile = "a.hpp"\nat = "void g()"\nold = "push_back"\nnew = "push_front"\n',
}
TABLE = CLEAN["tests/controls/g04_order.toml"]
FAULTS = [
    CLEAN | {"docs/contract.md": "| G4 order | In order. |\n| G5 LIFO | Last first. |\n"},
    CLEAN | {"tests/controls/g04_order.toml": TABLE.replace('at = "void g()"\n', "")},
    CLEAN | {"tests/controls/g04_order.toml": TABLE.replace("void g()", "void h()")},
    CLEAN | {"tests/controls/g04_order.toml": TABLE.replace("a.hpp", "b.hpp")},
    CLEAN | {"tests/controls/g04_order.toml": TABLE.replace("breaks", "does")},
    CLEAN | {"tests/controls/g04_order.toml": TABLE + 'source = "g05.cpp"\n'},
    CLEAN | {"tests/controls/g04_order.toml": TABLE + 'ends = "somehow"\n'},
]

if __name__ == "__main__":
    common.run(problems)
