#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""No path of anybody's machine in the tree: a checkout works wherever it is."""
import re

import common

# A home or work folder at the top of the file system, and what a build writes down about itself.
MACHINE = re.compile(r"(?<![\w.$}/])/(home|Users|root|work|mnt|workspace|builds?)/[\w.-]+")


def problems(root):
    found = []
    for path in common.files(root):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if MACHINE.search(line) and path.name != "lint_paths.py":
                found.append(f"{common.name(root, path)}:{number}: a path of one machine: {line.strip()[:100]}")
    return found


CLEAN = {"a.md": "see build/logs/x and ${root}/mnt/x, https://example.org/home/x, /usr/include/boost\n"}
FAULTS = [{"a.sh": "cd /home/somebody/settle\n"}, {"b.md": "in `/root/x`\n"}, {"c.cmake": "set(x /mnt/checkout)\n"}]

if __name__ == "__main__":
    common.run(problems)
