#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Every C++ block of a page is compiled, and what it says it prints is what it prints.

extract.py <page.md> <folder> <name>: writes the page's ```cpp blocks as files into the folder, their names begin with <name>, and prints a line
`<kind> <component> <file>` for each:
  program    a block with `int main()`, a file of its own
  compared   the same, followed by a ```text block: what it prints, in the file of the same name that ends with .txt
  fragments  all other blocks that need the same component, each in a namespace of its own, their includes above
A block that opens with ```cpp continued is the next part of the block before it.

extract.py --compare <binary> <file.txt>: runs the binary and compares."""
import pathlib
import re
import subprocess
import sys

FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMPONENTS = (("http2", "settle/http2/"), ("asio", "settle/asio/"), ("asio", "<asio"), ("uv", "settle/uv/"), ("lockfree", "settle/lockfree/"))


class Block:
    def __init__(self, line: int, code: str):
        self.first, self.parts, self.prints = line, [(line, code)], None

    @property
    def code(self) -> str:
        return "".join(code for _, code in self.parts)

    @property
    def is_program(self) -> bool:
        return re.search(r"^int main\(", self.code, re.MULTILINE) is not None

    @property
    def component(self) -> str:
        return next((name for name, sign in COMPONENTS if re.search(rf"^#include .*{re.escape(sign)}", self.code, re.MULTILINE)), "core")

    def text(self) -> str:
        """The code; the compiler counts lines as the page does. (It names this file: g++ warns about things of other files.)"""
        return "".join(f"#line {line}\n{code}" for line, code in self.parts)


def blocks(text: str) -> list[Block]:
    found, fresh = [], False
    for match in FENCE.finditer(text):
        language, words, code = match.groups()
        line = text.count("\n", 0, match.start()) + 2
        if language == "cpp" and words.strip() == "continued":
            if not found:
                raise ValueError(f"line {line}: a block that continues nothing.")
            found[-1].parts.append((line, code))
        elif language == "cpp":
            found.append(Block(line, code))
        elif language == "text" and fresh and found[-1].is_program:
            found[-1].prints = code
        fresh = language == "cpp"
    return found


def fragments(parts: list[Block]) -> str:
    """One file of many blocks: includes first, then each block in its own namespace."""
    includes = dict.fromkeys(line for b in parts for line in re.findall(r"^#include .*$", b.code, re.MULTILINE))
    bodies = "".join(f"namespace block_{b.first} {{\n{re.sub(r'^#include .*$', '', b.text(), flags=re.MULTILINE)}}}\n" for b in parts)
    return "\n".join(includes) + "\n" + bodies


def write(path: pathlib.Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:  # untouched: not compiled again
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def extract(page: pathlib.Path, folder: pathlib.Path, name: str) -> list[tuple[str, str, pathlib.Path]]:
    listed, rest = [], {}
    for block in blocks(page.read_text()):
        if not block.is_program:
            rest.setdefault(block.component, []).append(block)
            continue
        file = folder / f"{name}_{block.first}.cpp"
        write(file, block.text())
        if block.prints is not None:
            write(file.with_suffix(".txt"), block.prints)
        listed.append(("program" if block.prints is None else "compared", block.component, file))
    for component, parts in rest.items():
        file = folder / f"{name}_{component}.cpp"
        write(file, fragments(parts))
        listed.append(("fragments", component, file))
    return listed


def compare(binary: str, expected: str) -> str:
    wanted = pathlib.Path(expected).read_text()
    said = subprocess.run([binary], capture_output=True, text=True, timeout=60, check=True).stdout
    return "" if said == wanted else f"The page promises:\n{wanted}\nThe program prints:\n{said}"


if __name__ == "__main__":
    if sys.argv[1] == "--compare":
        sys.exit(compare(sys.argv[2], sys.argv[3]) or 0)
    try:
        for row in extract(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]):
            print(*row)
    except ValueError as e:
        sys.exit(f"{sys.argv[1]}: {e}")
