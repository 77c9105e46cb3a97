#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""run.py <file> <compiler> <flag>...: compiles the file's ACCEPT and REJECT twins and compares what the compiler says with `// expect:`."""
import re
import subprocess
import sys


def compile_twin(source: str, command: list[str], twin: str) -> tuple[bool, str]:
    done = subprocess.run([*command, "-fsyntax-only", f"-DSETTLE_{twin}", source], capture_output=True, text=True)
    return done.returncode == 0, done.stderr


def check(source: str, command: list[str]) -> str:
    """Empty when all is well, else one sentence and what the compiler said."""
    with open(source) as f:
        text = f.read()
    expected = re.findall(r"^// expect: (.+)$", text, re.MULTILINE)
    if not expected or "SETTLE_REJECT" not in text:
        return f"{source}: needs at least one `// expect: <regular expression>` line and a part under SETTLE_REJECT."
    accepted, said = compile_twin(source, command, "ACCEPT")
    if not accepted:
        return f"{source}: must compile with SETTLE_ACCEPT, but does not.\n{said}"
    accepted, said = compile_twin(source, command, "REJECT")
    if accepted:
        return f"{source}: must not compile with SETTLE_REJECT, but does."
    for line in expected:
        if not re.search(line, said):
            return f"{source}: the compiler rejects it, but never says `{line}`.\n{said}"
    return ""


if __name__ == "__main__":
    problem = check(sys.argv[1], sys.argv[2:])
    if problem:
        print(problem)
    sys.exit(1 if problem else 0)
