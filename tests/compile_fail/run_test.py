#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""run_test.py <compiler>: the runner itself must notice each way in which a compile-fail test can be wrong."""
import os
import sys
import tempfile

import run

GOOD = '// expect: one sentence\n#ifdef SETTLE_REJECT\nstatic_assert(false, "one sentence");\n#endif\n'
CASES = [
    (GOOD, ""),
    (GOOD.replace("// expect", "// hope"), "needs at least one"),
    (GOOD.replace("// expect: one", "// expect: another"), "never says"),
    (GOOD.replace("SETTLE_REJECT", "SETTLE_ACCEPT") + "// SETTLE_REJECT\n", "must compile with SETTLE_ACCEPT"),
    (GOOD.replace("static_assert(false", "static_assert(true"), "must not compile with SETTLE_REJECT"),
]

wrong = 0
for text, expected in CASES:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "case.cpp")
        with open(path, "w") as f:
            f.write(text)
        said = run.check(path, [sys.argv[1], "-std=c++20"])
    if (expected not in said) or (not expected and said):
        print(f"expected `{expected}`, the runner said `{said}` about:\n{text}")
        wrong += 1
sys.exit(1 if wrong else 0)
