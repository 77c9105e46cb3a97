#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""extract.py <README.md> <out.cpp>: writes the first C++ block. extract.py <README.md> --compare <binary>: runs it and compares
its output with the first `text` block. extract.py <page.md> --all <folder>: writes every C++ block as a file of its own, and prints
their names."""
import pathlib
import re
import subprocess
import sys


def block(readme: str, language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", pathlib.Path(readme).read_text(), re.MULTILINE | re.DOTALL)
    if not found:
        sys.exit(f"{readme}: no ```{language} block.")
    return found.group(1)


if sys.argv[2] == "--compare":
    wanted = block(sys.argv[1], "text")
    said = subprocess.run([sys.argv[3]], capture_output=True, text=True, timeout=30, check=True).stdout
    if said != wanted:
        sys.exit(f"The README promises:\n{wanted}\nThe program prints:\n{said}")
elif sys.argv[2] == "--all":
    page = pathlib.Path(sys.argv[1])
    blocks = re.findall(r"^```cpp\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    if not blocks:
        sys.exit(f"{page}: no ```cpp block.")
    for number, text in enumerate(blocks, 1):
        file = pathlib.Path(sys.argv[3]) / f"{page.stem}_{number}.cpp"
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
        print(file.as_posix())
else:
    pathlib.Path(sys.argv[2]).write_text(block(sys.argv[1], r"cpp"))
