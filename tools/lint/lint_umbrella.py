#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""settle.hpp takes in the whole core but testing/; <component>/<component>.hpp, where there is one, its whole folder. The fwd header is no umbrella."""
import re

import common
from lint_layers import CORE, layer


def reached(base, header, seen):
    if header in seen:
        return seen
    seen.add(header)
    for included in re.findall(r'^\s*#\s*include\s+"([^"]+)"', header.read_text(), re.MULTILINE):
        target = (header.parent / included).resolve()
        if target.exists():
            reached(base, target, seen)
    return seen


def problems(root):
    base = (root / "include" / "settle").resolve()
    names = {h.resolve(): h.resolve().relative_to(base).as_posix() for h in common.headers(root)}
    umbrellas = {"settle.hpp": lambda name: layer(name) in CORE - {"testing"}}
    for folder in {name.split("/")[0] for name in names.values() if "/" in name}:
        if layer(f"{folder}/x.hpp") not in CORE and (base / folder / f"{folder}.hpp").exists():
            umbrellas[f"{folder}/{folder}.hpp"] = lambda name, folder=folder: name.startswith(f"{folder}/")
    found = []
    for umbrella, takes_in in sorted(umbrellas.items()):
        if not (base / umbrella).exists():
            found.append(f"{umbrella} is missing.")
            continue
        seen = reached(base, base / umbrella, set())
        found += [f"{umbrella} does not take in {name}." for path, name in names.items() if takes_in(name) and path not in seen]
    return found


def tree(**files):
    return {f"include/settle/{path.replace('__', '/')}.hpp": text for path, text in files.items()}


CLEAN = tree(settle='#include "a.hpp"\n', a='#include "detail/b.hpp"\n', detail__b="", testing__c="", asio__d="")
FAULTS = [tree(settle="", a=""), tree(a=""), tree(settle="", memory__a=""), tree(settle="", http2__http2='#include "a.hpp"\n', http2__a="", http2__b="")]

if __name__ == "__main__":
    common.run(problems)
