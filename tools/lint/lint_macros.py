#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""No macro leaks out of a header: besides the include guard and the version, what is defined is undefined."""
import re

import common
from lint_guards import guard_of

PUBLIC = re.compile(r"SETTLE_VERSION_(MAJOR|MINOR|PATCH|STRING)")
# Macros that are the purpose of their header.
OFFERED = {
    "testing/quiescent.hpp": re.compile(r"EXPECT_QUIESCENT|ASSERT_QUIESCENT"),
    "testing/seed.hpp": re.compile(r"SETTLE_PRINT_SEEDS"),
}


def problems(root):
    found = []
    for path in common.headers(root):
        name = common.name(root, path)
        header = name.removeprefix("include/settle/")
        text = path.read_text()
        defined = set(re.findall(r"^\s*#\s*define\s+(\w+)", text, re.MULTILINE))
        undefined = set(re.findall(r"^\s*#\s*undef\s+(\w+)", text, re.MULTILINE))
        for macro in sorted(defined - undefined - {guard_of(name)}):
            if PUBLIC.fullmatch(macro) or (header in OFFERED and OFFERED[header].fullmatch(macro)):
                continue
            found.append(f"{name}: the macro {macro} leaks: undefine it at the end of the header.")
        for macro in sorted(undefined - defined):
            found.append(f"{name}: undefines {macro}, which is not its own.")
    return found


CLEAN = {"include/settle/a.hpp": "#ifndef SETTLE_A_HPP\n#define SETTLE_A_HPP\n#define SETTLE_X 1\n#undef SETTLE_X\n#endif\n"}
FAULTS = [
    {"include/settle/a.hpp": "#define SETTLE_X 1\n"},
    {"include/settle/a.hpp": "# define min(a, b) a\n"},
    {"include/settle/a.hpp": "#undef max\n"},
]

if __name__ == "__main__":
    common.run(problems)
