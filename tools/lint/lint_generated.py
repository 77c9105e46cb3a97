#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What is generated and committed is fresh: the header lists in CMake, and the single headers, byte for byte."""
import pathlib
import shutil
import subprocess
import sys

import common

TOOLS = ("tools/headers.py", "tools/amalgamate.py")


def problems(root):
    found = []
    for tool in TOOLS:
        if not (root / tool).exists():  # a tree of the self-test
            (root / "tools").mkdir(exist_ok=True)
            shutil.copy(common.ROOT / tool, root / tool)
        done = subprocess.run([sys.executable, root / tool, "--check"], capture_output=True, text=True)
        if done.returncode != 0:
            found.append((done.stdout + done.stderr).strip() or f"{tool} failed.")
    return found


VERSION = '#ifndef SETTLE_VERSION_HPP\n#define SETTLE_VERSION_HPP\n#define SETTLE_VERSION_STRING "1.2.3"\n#endif\n'
UMBRELLA = '#ifndef SETTLE_SETTLE_HPP\n#define SETTLE_SETTLE_HPP\n#include <vector>\n\n#include "version.hpp"\n#endif\n'


def tree():
    """A fresh tree: made by the tools themselves."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in (("include/settle/version.hpp", VERSION), ("include/settle/settle.hpp", UMBRELLA)):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        (root / "cmake").mkdir()
        (root / "tools").mkdir()
        for tool in TOOLS:
            shutil.copy(common.ROOT / tool, root / tool)
            subprocess.run([sys.executable, root / tool], check=True, capture_output=True)
        return {common.name(root, p): p.read_text() for p in root.rglob("*") if p.is_file()}


def faults():
    single = "single_include/settle/settle.hpp"
    yield CLEAN | {"include/settle/new.hpp": "\n"}  # not listed
    yield CLEAN | {"include/settle/version.hpp": VERSION.replace("1.2.3", "1.2.4")}  # not regenerated
    yield CLEAN | {single: CLEAN[single] + " "}
    yield CLEAN | {"single_include/settle/old.hpp": "\n"}


if __name__ == "__main__":
    common.run(problems)
else:
    CLEAN = tree()
    FAULTS = list(faults())
