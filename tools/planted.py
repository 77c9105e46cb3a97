# SPDX-License-Identifier: BSL-1.0
"""Several defects in one program: each changed function keeps its own body and has the others beside it, chosen when the program starts
(SETTLE_PLANTED). One compilation serves all controls of a test file. What is no body of a function is compiled alone, as ever."""
import pathlib
import re

VARIABLE = "SETTLE_PLANTED"
HEADER = f"""#include <cstdlib>
inline int const settle_planted = [] {{
  char const* const said = std::getenv("{VARIABLE}");
  return said == nullptr ? 0 : std::atoi(said);
}}();
"""


def body_of(text: str, begin: int, end: int) -> tuple[int, int] | None:
    """Of the function at [begin, end): what is between its braces. None: no function, or one that the compiler runs."""
    part = text[begin:end]
    if "\n" in part:
        head, brace, _ = part.partition("{\n")
    else:
        head, brace = (m[0], "{") if (m := re.match(r".*\)[^{}:]* (?=\{ .*\}$)", part)) else ("", "")
    if not brace or "(" not in head or re.search(r"\b(struct|class|concept|constexpr|consteval)\b", head):
        return None
    return begin + len(head) + len(brace), begin + part.rindex("}")


class Together:
    """`numbers`: what to set the variable to, by the control's full name. `texts`: the headers that change."""

    def __init__(self, controls: list, include: pathlib.Path) -> None:
        self.numbers: dict[str, int] = {}
        self.texts: dict[str, str] = {}
        self._bodies: dict[tuple[str, int, int], dict[int, str]] = {}
        for number, control in enumerate(controls, 1):
            if (changed := self._changed(control.edits, include)) is None:
                continue
            self.numbers[control.full_name()] = number
            for place, body in changed.items():
                self._bodies.setdefault(place, {})[number] = body
        for (file, begin, end), bodies in sorted(self._bodies.items(), reverse=True):  # from the end of a file to its beginning
            text = self.texts[file]
            ways = "".join(f"if (settle_planted == {number}) {{{body}}} else " for number, body in bodies.items())
            self.texts[file] = f"{text[:begin]} {ways}{{{text[begin:end]}}} {text[end:]}"

    def _changed(self, edits: tuple, include: pathlib.Path) -> dict | None:
        found: dict[tuple[str, int, int], str] = {}
        for edit in edits:
            text = self.texts.setdefault(edit.file, (include / "settle" / edit.file).read_text())
            place = body_of(text, *edit.span(text)) if edit.at else None
            if place is None:
                return None
            body = found.get((edit.file, *place), text[slice(*place)])
            if body.count(edit.old) != 1 or any(f == edit.file and b < place[1] and place[0] < e and (b, e) != place for f, b, e in self._bodies):
                return None
            found[edit.file, *place] = body.replace(edit.old, edit.new)
        return found
