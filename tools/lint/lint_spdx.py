#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Every source file names its licence in its first line, a script in its second."""
import common

LINE = "SPDX-License-Identifier: BSL-1.0"
NAMES = {"CMakeLists.txt", "dev", ".clang-format", ".clang-tidy", "run"}


def problems(root):
    found = []
    for path in common.files(root):
        if path.suffix not in common.SOURCE_SUFFIXES and path.name not in NAMES:
            continue
        lines = path.read_text().splitlines() + ["", ""]
        if LINE not in lines[1 if lines[0].startswith("#!") else 0]:
            found.append(f"{common.name(root, path)}: the first line (of a script the second) must be `{LINE}` in a comment.")
    return found


CLEAN = {"a.hpp": f"// {LINE}\n", "tools/b.py": f"#!/usr/bin/env python3\n# {LINE}\n", "README.md": "text"}
FAULTS = [{"a.hpp": "#ifndef A\n"}, {"b.py": f"#!/usr/bin/env python3\n\n# {LINE}\n"}, {"CMakeLists.txt": "project(x)\n"}, {"c.cpp": ""}]

if __name__ == "__main__":
    common.run(problems)
