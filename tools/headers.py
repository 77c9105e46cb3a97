#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Rewrites cmake/headers.cmake, the one place that lists the headers of each component, from the tree. `--check` only compares."""
import pathlib
import sys

COMPONENTS = ("core", "lockfree", "asio", "uv", "http2")  # a component is the folder of its name; the core is everything else


def component_of(header: str) -> str:
    folder = header.split("/")[0]
    return folder if folder in COMPONENTS else "core"


def listing(root: pathlib.Path) -> str:
    include = root / "include" / "settle"
    headers = sorted(p.relative_to(include).as_posix() for p in include.rglob("*.hpp"))
    text = "# SPDX-License-Identifier: BSL-1.0\n# The headers of each component. Written by tools/headers.py from the tree; ./dev lint compares.\n"
    for component in COMPONENTS:
        text += f"\nset(settle_{component}_headers\n"
        text += "".join(f"    include/settle/{h}\n" for h in headers if component_of(h) == component)
        text = text.rstrip("\n") + ")\n"
    return text


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent
    target = root / "cmake" / "headers.cmake"
    text = listing(root)
    if "--check" not in sys.argv:
        target.write_text(text)
        return 0
    if target.read_text() == text:
        return 0
    print("cmake/headers.cmake does not match include/: run tools/headers.py.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
