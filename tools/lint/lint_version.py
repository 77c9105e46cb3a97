#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""version.hpp states the version; what repeats it must agree."""
import re

import common

REPEATED = {"CHANGELOG.md": r"^## (\S+)", "conanfile.py": r'version = "(.+)"', "ports/settle/vcpkg.json": r'"version-semver": "(.+)"',
            "vcpkg.json": r'"version-semver": "(.+)"'}


def problems(root):
    text = (root / "include/settle/version.hpp").read_text()
    parts = [re.search(rf"SETTLE_VERSION_{part} (\d+)", text)[1] for part in ("MAJOR", "MINOR", "PATCH")]
    version = re.search(r'SETTLE_VERSION_STRING "(.*)"', text)[1]
    found = []
    if version != ".".join(parts):
        found.append(f"version.hpp: the string says {version}, the numbers {'.'.join(parts)}.")
    if not (root / "CHANGELOG.md").exists():
        found.append("CHANGELOG.md is missing.")
    for name, pattern in REPEATED.items():
        if (root / name).exists():
            stated = re.search(pattern, (root / name).read_text(), re.MULTILINE)
            if not stated or stated[1] != version:
                found.append(f"{name}: says {stated[1] if stated else 'no version'}, version.hpp says {version}.")
    return found


def tree(changelog, string="0.1.2"):
    numbers = "".join(f"#define SETTLE_VERSION_{part} {n}\n" for n, part in enumerate(("MAJOR", "MINOR", "PATCH")))
    return {"include/settle/version.hpp": numbers + f'#define SETTLE_VERSION_STRING "{string}"\n', "CHANGELOG.md": changelog}


CLEAN = tree("# Changes\n\n## 0.1.2 (unreleased)\n")
FAULTS = [tree("## 0.1.1\n"), tree("## 0.1.3\n", "0.1.3"), tree("nothing\n"), tree("## 0.1.2\n") | {"conanfile.py": 'version = "3"\n'}]

if __name__ == "__main__":
    common.run(problems)
