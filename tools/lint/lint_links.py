#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What documents link to is there, the section included; so is what the sentences in headers send their reader to (see docs/...)."""
import re

import common


def prose(text):
    """A document without its code; lines stay where they are."""
    return re.sub(r"^```.*?^```", lambda m: "\n" * m[0].count("\n"), text, flags=re.MULTILINE | re.DOTALL)


def anchors(text):
    """Headings as the renderers of Markdown name them."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)}


def links(root, path):
    """Yields (line, target path, anchor) of each link into the project."""
    text = path.read_text()
    if path.suffix == ".md":
        found, base = re.finditer(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", lambda m: " " * len(m[0]), prose(text))), path.parent
    else:
        found, base = re.finditer(r"\(see (docs/[^)\s]+)\)", text), root
    for match in found:
        target, _, anchor = match[1].partition("#")
        if not re.match(r"\w+:", target):
            yield match.string.count("\n", 0, match.start()) + 1, (base / target).resolve() if target else path, anchor


def problems(root):
    found = []
    for path in common.files(root):
        name = common.name(root, path)
        if path.suffix != ".md" and not (path.suffix == ".hpp" and name.startswith("include/")):
            continue
        for line, target, anchor in links(root, path):
            if not target.exists():
                found.append(f"{name}:{line}: links to {target.name}, which is not there.")
            elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text()):
                found.append(f"{name}:{line}: {target.name} has no section {anchor}.")
    return found


CLEAN = {
    "docs/a.md": "# One\n\n## Two words, `code`\n\n[here](#one) [there](b/c.md#three) ![](p.svg) [out](https://example.org/x) `f[i](j)`\n\n```cpp\nf[i](j);\n```\n",
    "docs/b/c.md": "# Three\n\n```sh\n# Four\n```\n[up](../a.md#two-words-code)\n",
    "docs/p.svg": "",
    "include/settle/a.hpp": '"see it (see docs/b/c.md#three)"\n',
}
FAULTS = [
    {"README.md": "[x](docs/a.md)\n"},
    {"docs/a.md": "# One\n[x](#two)\n"},
    {"docs/a.md": "[x](c.md#four)\n", "docs/c.md": "```sh\n# Four\n```\n"},
    {"docs/a.md": "# A\n", "include/settle/a.hpp": '"x (see docs/a.md#b)"\n'},
]

if __name__ == "__main__":
    common.run(problems)
