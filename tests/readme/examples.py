#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The examples in the comments of the headers compile. examples.py <include folder> <folder>: writes a file for each component, and prints a line
`examples <component> <file>` for each.

An example is what a reader would paste: declarations that begin in the first column stand in a namespace, everything else in a function behind
them. The names it uses without saying where they come from are those of example_world.hpp."""
import pathlib
import re
import sys

from extract import write

EXAMPLE = re.compile(r"^ *///? ?```cpp\n(.*?)^ */// ?```$", re.MULTILINE | re.DOTALL)
DECLARATION = re.compile(r"(struct|class|enum|template)\b|[\w:<>,&* ]+ [&*]?\w+\(")
QUIET = ("shadow", "unused", "unused-variable", "unused-but-set-variable", "unused-parameter", "unused-function")
STATEMENT = re.compile(r"(return|if|while|for|else|co_await|co_return)\b")


def is_declaration(line: str) -> bool:
    """A type, or a function with its body: what stands before the brace is complete."""
    head = line.split("{")[0]
    return bool(DECLARATION.match(line)) and not STATEMENT.match(line) and "{" in line and head.count("(") == head.count(")")


def parts(code: str) -> tuple[str, str]:
    """The declarations, and the statements."""
    declarations, statements, inside = [], [], False
    for line in code.splitlines(keepends=True):
        if inside:
            declarations.append(line)
            inside = not line.startswith("}")
        elif is_declaration(line):
            declarations.append(line)
            inside = line.count("{") != line.count("}")
        else:
            statements.append(line)
    return "".join(declarations), "".join(statements)


def component(name: str) -> str:
    folder = name.split("/")[0]
    return folder if folder in ("asio", "uv", "http2", "lockfree") else "core"


def examples(include: pathlib.Path) -> dict[str, list[tuple[str, int, str]]]:
    """For each component: header, line and text of every example."""
    found = {}
    for path in sorted((include / "settle").rglob("*.hpp")):
        text = path.read_text()
        for match in EXAMPLE.finditer(text):
            name = path.relative_to(include / "settle").as_posix()
            code = re.sub(r"^ */// ?", "", match[1], flags=re.MULTILINE)
            found.setdefault(component(name), []).append((name, text.count("\n", 0, match.start()) + 2, code))
    return found


def translation_unit(rows: list[tuple[str, int, str]], world: str) -> str:
    """Objects of the world are local names, so that closures may capture them; an example may have its own of the same name."""
    local = "".join(f"  [[maybe_unused]] auto& {name} = world::{name};\n" for line in re.findall(r"^extern \S+ ([\w, ]+);", world, re.MULTILINE) for name in line.split(", "))
    quiet = "".join(f'#pragma GCC diagnostic ignored "-W{w}"\n' for w in QUIET)  # as pasted: nobody calls it
    text = quiet + '#include "example_world.hpp"\n' + "".join(f"#include <settle/{name}>\n" for name in dict.fromkeys(name for name, _, _ in rows))
    for number, (name, line, code) in enumerate(rows):
        declarations, statements = parts(code)
        text += f"\n// {name}:{line}\nnamespace world::example_{number} {{\n{declarations}"
        text += f"auto use_it() {{\n{local}  {{\n{statements}  }}\n}}\n}}\n" if statements.strip() else "}\n"
    return text


if __name__ == "__main__":
    around = (pathlib.Path(__file__).parent / "example_world.hpp").read_text()
    for name, rows in examples(pathlib.Path(sys.argv[1])).items():
        file = pathlib.Path(sys.argv[2]) / f"examples_{name}.cpp"
        write(file, translation_unit(rows, around))
        print("examples", name, file)
