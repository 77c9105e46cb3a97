#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""No lambda inside a co_await expression. g++ 12 destroys the temporaries of such an expression twice when they own something, and a closure
that captures anything that owns is such a temporary: name it before the co_await."""
import re

import common

WHERE = ("docs", "examples", "tests", "benchmarks")
NAMES = {"README.md"}


def expressions(code):
    """Yields (line, text) of each co_await expression, up to the end of its full expression."""
    for match in re.finditer(r"\bco_await\b", code):
        depth, end = 0, match.end()
        while end < len(code):
            c = code[end]
            if c in "([{":
                depth += 1
            elif c in ")]}":
                depth -= 1
            if depth < 0 or (depth == 0 and c == ";"):
                break
            end += 1
        yield code.count("\n", 0, match.start()) + 1, code[match.end():end]


def blocks(path, text):
    """The C++ in a file: all of it, or a document's code blocks with the rest blanked."""
    if path.suffix != ".md":
        return common.without_comments(text)
    kept, inside = [], False
    for line in text.split("\n"):
        if line.startswith("```"):
            inside = not inside and line.startswith("```cpp")
            line = ""
        kept.append(line if inside else "")
    return common.without_comments("\n".join(kept))


def problems(root):
    found = []
    for path in common.files(root):
        name = common.name(root, path)
        if path.suffix not in {".cpp", ".hpp", ".md"} or not (name.split("/")[0] in WHERE or name in NAMES):
            continue
        for line, expression in expressions(blocks(path, path.read_text())):
            # A lambda introducer: a bracket that does not follow a name, a closing bracket or another bracket (those are subscripts, attributes).
            if re.search(r"(?<![\w\])\[])\s*\[(?!\[)[^\[\]]*\]\s*(\(|\{|<|mutable|noexcept|->)", re.sub(r"(?<=[\w\])])\s+(?=\[)", "", expression)):
                found.append(f"{name}:{line}: a lambda inside a co_await expression: name it before (g++ 12 destroys it twice).")
    return found


CLEAN = {
    "tests/a.cpp": "auto f = [x] { return x; };\nint y = co_await g(f, v[1]);\nauto h = [&] { co_return co_await g(); };\n// co_await g([] {});\n",
    "docs/a.md": "co_await g([] {});\n\n```cpp\nco_await g(f);\n```\n",
}
FAULTS = [
    {"tests/a.cpp": "int y = co_await g([x] { return x; });\n"},
    {"examples/a.cpp": "co_await (h | then([x](int y) {\n  return y; }));\n"},
    {"docs/a.md": "```cpp\nco_await g(1, [=]() mutable { });\n```\n"},
    {"README.md": "```cpp\nreturn_(co_await with_scope([&](scope& s) -> handle { co_return; }));\n```\n"},
]

if __name__ == "__main__":
    common.run(problems)
