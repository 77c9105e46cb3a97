#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Every lint must find each of its FAULTS and nothing in CLEAN. With names as arguments: only those lints."""
import importlib
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def problems_of(lint, tree: dict[str, str]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder).resolve()
        for path, text in tree.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return lint.problems(root)


def main() -> int:
    wrong = 0
    for path in sorted(HERE.glob("lint_*.py")):
        if sys.argv[1:] and path.stem not in sys.argv[1:]:
            continue
        lint = importlib.import_module(path.stem)
        for fault in lint.FAULTS:
            if not problems_of(lint, fault):
                print(f"{path.name} does not see this fault: {fault}")
                wrong += 1
        for problem in problems_of(lint, lint.CLEAN):
            print(f"{path.name} complains about its clean tree: {problem}")
            wrong += 1
        print(f"{path.name}: {len(lint.FAULTS)} faults, {wrong} wrong so far")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
