#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Include guards, named after the path: they let the single headers and the split ones meet in one file."""
import re

import common


def guard_of(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", name.removeprefix("include/").upper())


def problems(root):
    found = []
    for path in common.headers(root):
        name = common.name(root, path)
        guard = guard_of(name)
        text = path.read_text()
        if not re.match(rf"// SPDX[^\n]*\n(?://[^\n]*\n|\n)*#ifndef {guard}\n#define {guard}\n", text) or not text.endswith("\n#endif\n"):
            found.append(f"{name}: must open with `#ifndef {guard}`, `#define {guard}` and close with `#endif`.")
        if "#pragma once" in text:
            found.append(f"{name}: uses #pragma once; the include guard is enough.")
    return found


GOOD = "// SPDX-License-Identifier: BSL-1.0\n#ifndef SETTLE_POLICY_A_HPP\n#define SETTLE_POLICY_A_HPP\n\n#endif\n"
CLEAN = {"include/settle/policy/a.hpp": GOOD}
FAULTS = [
    {"include/settle/policy/b.hpp": GOOD},
    {"include/settle/policy/a.hpp": GOOD.replace("#endif\n", "#pragma once\n#endif\n")},
    {"include/settle/policy/a.hpp": GOOD + "int x;\n"},
]

if __name__ == "__main__":
    common.run(problems)
