#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""All that threads share in the core goes through the terminal's Sync, so that an explorer can take it over."""
import re

import common
from lint_layers import CORE, layer

FORBIDDEN = re.compile(
    r"\bstd::(atomic\w*|mutex|\w+_mutex|condition_variable\w*|counting_semaphore|binary_semaphore|latch|barrier|once_flag|call_once)\b"
    r"|\bthread_local\b|\bvolatile\b|#\s*include\s+<(atomic|mutex|shared_mutex|condition_variable|semaphore|latch|barrier)>")
ALLOWED = re.compile(r"policy/(terminal|sync)\w*\.hpp|testing/.*")


def problems(root):
    found = []
    for path in common.headers(root):
        header = path.relative_to(root / "include" / "settle").as_posix()
        if layer(header) not in CORE or ALLOWED.fullmatch(header):
            continue
        text = common.without_comments(path.read_text())
        includes = "\n".join(re.findall(r"^\s*#\s*include.*$", path.read_text(), re.MULTILINE))
        for match in [*FORBIDDEN.finditer(text), *FORBIDDEN.finditer(includes)]:
            found.append(f"{header}: `{match[0]}` belongs into policy/sync*.hpp or policy/terminal*.hpp.")
    return found


CLEAN = {
    "include/settle/policy/sync.hpp": "#include <atomic>\nstd::atomic<int> a;\n",
    "include/settle/lockfree/pool.hpp": "std::atomic<int> a;\n",
    "include/settle/handle.hpp": "// no std::atomic here\ntypename Sync::template atomic<int> a;\n",
}
FAULTS = [
    {"include/settle/handle.hpp": "std::atomic<int> a;\n"},
    {"include/settle/memory/arena.hpp": "static thread_local int a;\n"},
    {"include/settle/detail/state.hpp": "#include <mutex>\n"},
    {"include/settle/policy/allocator.hpp": "std::condition_variable c;\n"},
]

if __name__ == "__main__":
    common.run(problems)
