#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Each program of the documents includes what it names: the test build reads most headers once for all of them, and would not miss one."""
import re
import sys

import common

sys.path.append(str(common.ROOT / "tests" / "readme"))
import extract

# Of the standard library, what documents use. What settle's own headers must include to say their interface comes with them.
HEADERS = {
    "array": r"std::array\b", "algorithm": r"std::(ranges::)?(sort|find|copy|min|max)\b", "atomic": r"std::atomic\b", "cassert": r"\bassert\(",
    "condition_variable": r"std::condition_variable\b", "cstdio": r"std::(printf|fprintf|puts|fopen|fclose|FILE)\b", "cstdlib": r"std::(malloc|free|abort|exit)\b",
    "deque": r"std::deque\b", "fstream": r"std::[io]?fstream\b", "functional": r"std::function\b", "future": r"std::(future|promise|async)\b",
    "iostream": r"std::(cout|cerr|cin)\b", "map": r"std::map\b", "memory": r"std::(unique_ptr|shared_ptr|make_unique|make_shared)\b",
    "memory_resource": r"std::pmr\b", "mutex": r"std::(mutex|lock_guard|unique_lock)\b", "random": r"std::mt19937", "set": r"std::set\b",
    "stop_token": r"std::stop_(token|source|callback)\b", "string": r"std::(string|to_string)\b", "thread": r"std::j?thread\b",
    "unordered_map": r"std::unordered_map\b", "vector": r"std::vector\b",
}
SETTLE = re.compile(r"\bsettle::\w")


def problems(root):
    pages = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    found = []
    for page in pages:
        if not page.exists():
            continue
        for block in extract.blocks(page.read_text()):
            if not block.is_program:
                continue
            code = re.sub(r"//.*", "", block.code)
            included = set(re.findall(r"^#include [<\"](.*?)[>\"]", code, re.MULTILINE))
            missing = [f"<{h}>" for h, sign in HEADERS.items() if re.search(sign, code) and h not in included]
            if SETTLE.search(code) and not any(h.startswith("settle/") for h in included):
                missing.append("<settle/settle.hpp>")
            if missing:
                found.append(f"{common.name(root, page)}:{block.first}: the program names what it does not include: add {', '.join(missing)}.")
    return found


CLEAN = {"README.md": "```cpp\n#include <cstdio>\n#include <settle/settle.hpp>\nint main() { settle::f(); std::printf(\"\"); }\n```\n"}
FAULTS = [
    {"README.md": "```cpp\nint main() { std::printf(\"\"); }\n```\n"},
    {"docs/guide/a.md": "```cpp\nint main() { settle::f(); }\n```\n"},
    {"README.md": "```cpp\n#include <vector>\nint main() { std::vector<int> v; std::thread t; }\n```\n"},
]

if __name__ == "__main__":
    common.run(problems)
