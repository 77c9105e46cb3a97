#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A header is a page: 250 lines are a warning, 400 are too many."""
import common

WARN, LIMIT = 250, 400


def problems(root):
    found = []
    for path in common.headers(root):
        lines = path.read_text().count("\n")
        if lines > LIMIT:
            found.append(f"{common.name(root, path)}: {lines} lines, at most {LIMIT}: take it apart.")
        elif lines > WARN:
            print(f"warning: {common.name(root, path)}: {lines} lines, better stay below {WARN}.")
    return found


CLEAN = {"include/settle/a.hpp": "\n" * LIMIT}
FAULTS = [{"include/settle/a.hpp": "\n" * (LIMIT + 1)}]

if __name__ == "__main__":
    common.run(problems)
