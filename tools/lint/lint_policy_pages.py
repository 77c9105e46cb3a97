#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What the pages say about policies is what the headers do: the members that policy_traits reads, with their defaults and fallbacks; the members
of executor_traits; each sentence of the compiler, on the page it names; and the anchors that the sentences name."""
import re

import common

POLICY = "include/settle/policy/"


def table(text, head):
    """The rows under the table head that begins with `head`: lists of cells."""
    at = text.find(f"| {head}")
    if at < 0:
        return []
    rows = []
    for line in text[at:].split("\n")[2:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


def names(rows):
    """The member that each row is about: `bool equal(a, b)` is about equal."""
    return [re.findall(r"\w+", row[0].split("`")[1].split("(")[0])[-1] if "`" in row[0] else row[0] for row in rows]


def body(text, start):
    """From `start` to the first closing brace at the beginning of a line."""
    at = text.find(start)
    return text[at:text.find("\n}", at)] if at >= 0 else ""


def differing(where, said, read):
    return [f"{where}: {name} is in the table, but nothing reads it." for name in said if name not in read] + \
        [f"{where}: {name} is missing in the table." for name in sorted(read) if name not in said]


def sentences(text):
    """The text of each static_assert, with the page and the anchor it names."""
    for literal in re.findall(r'"settle: policy(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*', text):
        whole = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literal))
        named = re.search(r"\(see (docs/\S+?\.md)(?:#(\w+))?\)$", whole)
        yield whole, named and named[1], named and named[2]


def check_sentences(root, index, headers):
    found = []
    for text in headers:
        for whole, page, anchor in sentences(text):
            if page != "docs/policies.md":
                found.append(f"`{whole}` does not end with (see docs/policies.md#...).")
                continue
            if anchor and f"\n## {anchor}\n" not in index:
                found.append(f"docs/policies.md has no section {anchor}, which `{whole}` names.")
            where = "docs/policies.md"
            if anchor:
                linked = re.search(rf"\n## {anchor}\n.*?\]\((policies/\w+\.md)\)", index, re.DOTALL)
                where = "docs/" + linked[1] if linked else where
            if not (root / where).exists() or f"\n> {whole}\n" not in (root / where).read_text():
                found.append(f"{where} does not quote `{whole}`.")
    return found


def problems(root):
    policy = {name: (root / POLICY / name).read_text() for name in ("policy_traits.hpp", "executor.hpp", "default_policy.hpp", "notify.hpp")}
    index = (root / "docs/policies.md").read_text()
    traits = body(policy["policy_traits.hpp"], "struct policy_traits {")
    read = set(re.findall(r"\bP::(\w+)", traits)) | set(re.findall(r"\bP::(\w+)\(", policy["policy_traits.hpp"]))
    members = table(index, "member | kind |")
    found = differing("docs/policies.md", names(members), read)

    defaults = dict(re.findall(r"using (\w+) = (?:settle::)?(\w+);", body(policy["default_policy.hpp"], "struct default_policy {")))
    for row in members:
        name = names([row])[0]
        if row[1] == "type" and row[2].strip("`").removeprefix("settle::") != defaults.get(name, "not said").removeprefix("settle::"):
            found.append(f"docs/policies.md: the default of {name} is {defaults.get(name, 'not said')} in default_policy.hpp.")

    optional = set(re.findall(r"requires \{\s*(?:\{ )?P::(\w+)", traits))
    found += differing("docs/policies.md, fallbacks", names(table(index, "member | fallback")), optional)

    used = set(re.findall(r"\btraits::(\w+)", body(policy["executor.hpp"], "struct executor_access {")))
    for where, text in (("executor.hpp", policy["executor.hpp"].replace("/// ", "")), ("docs/policies/executor.md", (root / "docs/policies/executor.md").read_text())):
        found += differing(where, names(table(text, "member | fallback")), used)
    return found + check_sentences(root, index, policy.values())


def tree(**changed):
    files = {
        POLICY + "policy_traits.hpp": 'static_assert(x, "settle: policy must provide `terminal` "\n  "(see docs/policies.md#terminal)");\n'
                                      "struct policy_traits {\n  using terminal = typename P::terminal;\n"
                                      "  if constexpr (requires { P::tag; }) return P::tag;\n};\n",
        POLICY + "executor.hpp": "/// | member | fallback |\n/// |---|---|\n/// | `bool equal(a, b)` | false |\n/// | `void construct_storage(void*)` | nothing |\n"
                                 "struct executor_access {\n  traits::equal(a, b), traits::construct_storage(at);\n};\n",
        POLICY + "default_policy.hpp": "struct default_policy {\n  using terminal = cas_terminal;\n};\n",
        POLICY + "notify.hpp": "",
        "docs/policies.md": "| member | kind | default |\n|---|---|---|\n| `terminal` | type | `cas_terminal` |\n| `tag` | value | empty |\n\n"
                            "| member | fallback |\n|---|---|\n| `tag` | empty |\n\n## terminal\n\nMore: [t](policies/terminal.md)\n",
        "docs/policies/terminal.md": "\n> settle: policy must provide `terminal` (see docs/policies.md#terminal)\n",
        "docs/policies/executor.md": "| member | fallback |\n|---|---|\n| `equal(a, b)` | false |\n| `construct_storage(void*)` | nothing |\n",
    }
    for name, (old, new) in changed.items():
        path = {"traits": POLICY + "policy_traits.hpp", "executor": POLICY + "executor.hpp", "defaults": POLICY + "default_policy.hpp", "index": "docs/policies.md",
                "page": "docs/policies/terminal.md", "executor_page": "docs/policies/executor.md"}[name]
        assert old in files[path], (name, old)
        files[path] = files[path].replace(old, new)
    return files


CLEAN = tree()
FAULTS = [
    tree(traits=("return P::tag;", "return P::tag + P::other;")),
    tree(traits=("P::tag; }) return P::tag", "P::x; }) return P::x")),
    tree(index=("| `tag` | value | empty |\n", "")),
    tree(index=("| `tag` | empty |\n", "")),
    tree(index=("`cas_terminal`", "`unsynchronized_terminal`")),
    tree(index=("## terminal", "## terminals")),
    tree(index=("| `tag` | value", "| `label` | value")),
    tree(page=("must provide", "should provide")),
    tree(traits=("#terminal", "#terminals")),
    tree(traits=("(see docs/policies.md#terminal)", "see somewhere")),
    tree(executor=("traits::equal", "traits::same")),
    tree(executor=("`bool equal(a, b)`", "`bool same(a, b)`")),
    tree(executor_page=("| `equal(a, b)` | false |\n", "")),
    tree(defaults=("cas_terminal", "other_terminal")),
]

if __name__ == "__main__":
    common.run(problems)
