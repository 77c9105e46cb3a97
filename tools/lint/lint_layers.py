#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Arrows between folders point one way, nothing includes itself in a circle, and the core needs the standard library only."""
import re

import common

# Lower may not include higher. The words are the vocabulary that every layer speaks; detail and policy stand on them, side by side.
WORDS = {"version", "fwd", "cause", "ending", "errc", "error", "operation_cancelled", "outcome"}
# Entities that stand on combinators.
SCOPES = {"scope", "with_scope", "supervise", "shutdown"}
RANKS = {"words": 0, "detail": 1, "policy": 1, "entities": 2, "coroutine": 2, "hooks": 2, "combine": 3, "time": 3, "memory": 3, "observe": 3,
         "scope": 4, "settle": 5, "testing": 6, "lockfree": 6, "asio": 6, "uv": 6, "http2": 7}
CORE = {"words", "detail", "policy", "entities", "coroutine", "hooks", "combine", "time", "memory", "observe", "scope", "settle", "testing"}
# Exceptions, each with its reason.
ALSO_ALLOWED = {
    "detail/exceptions.hpp": "words",  # the one header that knows whether exceptions are on; it includes nothing of ours
    "detail/outcome_head.hpp": "words",  # the part of an outcome that needs no types
    "detail/is_copyable.hpp": "words",  # asked of a value before anything is made of it
}
EXTRA_INCLUDES = {
    ("testing", "gtest/gtest.h"),  # the testing kit offers macros for GoogleTest
    *(("testing", name) for name in (  # the explorer switches stacks and has memory of its own, and tells the sanitizers
        "cxxabi.h", "sys/mman.h", "ucontext.h", "unistd.h", "sanitizer/asan_interface.h", "sanitizer/common_interface_defs.h", "sanitizer/lsan_interface.h",
        "sanitizer/tsan_interface.h")),
    ("memory", "sanitizer/asan_interface.h"),  # part of the compiler, only under its sanitizer
}


def layer(header: str) -> str:
    if header in ALSO_ALLOWED:
        return ALSO_ALLOWED[header]
    if "/" in header:
        return header.split("/")[0]
    stem = header.removesuffix(".hpp")
    return "words" if stem in WORDS else "scope" if stem in SCOPES else "settle" if stem == "settle" else "entities"


def problems(root):
    found = []
    graph = {}
    base = (root / "include" / "settle").resolve()
    for path in common.headers(root):
        header = path.relative_to(base).as_posix()
        mine = layer(header)
        if mine not in RANKS:
            found.append(f"{header}: the folder {mine}/ has no place in the layers; give it one in tools/lint/lint_layers.py.")
            continue
        graph[header] = []
        for kind, included in re.findall(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', path.read_text(), re.MULTILINE):
            if kind == "<" and not included.startswith("settle/"):
                if mine in CORE and not re.fullmatch("[a-z_]+", included) and (mine, included) not in EXTRA_INCLUDES:
                    found.append(f"{header}: the core includes the standard library only, not <{included}>.")
                continue
            target = base / included.removeprefix("settle/") if kind == "<" else (path.parent / included).resolve()
            if not target.is_relative_to(base) or not target.exists():
                found.append(f'{header}: includes "{included}", which is no header of settle.')
                continue
            other = target.relative_to(base).as_posix()
            theirs = layer(other)
            graph[header].append(other)
            same_adapter_rank = theirs != mine and RANKS.get(theirs) == RANKS[mine] == RANKS["asio"]
            if RANKS.get(theirs, 99) > RANKS[mine] or same_adapter_rank:
                found.append(f"{header} ({mine}) includes {other} ({theirs}): arrows point the other way.")
    return found + circles(graph)


def circles(graph):
    found, done = [], set()

    def walk(header, way):
        if header in way:
            found.append("these headers include each other in a circle: " + " -> ".join(way[way.index(header):] + [header]))
        elif header not in done:
            for other in graph.get(header, []):
                walk(other, way + [header])
            done.add(header)

    for header in graph:
        walk(header, [])
    return found


def tree(**files):
    return {f"include/settle/{path.replace('__', '/')}.hpp": text for path, text in files.items()}


CLEAN = tree(cause="#include <cstdint>\n", policy__monitor='#include "../cause.hpp"\n', handle='#include "policy/monitor.hpp"\n',
             http2__server='#include <nghttp2/nghttp2.h>\n#include "../handle.hpp"\n')
FAULTS = [
    tree(handle="", policy__monitor='#include "../handle.hpp"\n'),
    tree(handle="", time__sleep="", cause='#include <settle/time/sleep.hpp>\n'),
    tree(asio__a="", lockfree__b='#include "../asio/a.hpp"\n'),
    tree(handle="#include <boost/config.hpp>\n"),
    tree(handle='#include "resolver.hpp"\n', resolver='#include "handle.hpp"\n'),
    tree(handle='#include "nowhere.hpp"\n'),
    tree(attic__a=""),
]

if __name__ == "__main__":
    common.run(problems)
