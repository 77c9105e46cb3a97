# SPDX-License-Identifier: BSL-1.0
"""Pages whose every counted or measured number comes from results that are committed. In their prose {{WHAT rest}} is replaced by what the
page's say_WHAT(rest) returns, <!-- template --> by who made it; a number with a unit that is typed there is an error."""
import pathlib
import re
import tempfile
from collections.abc import Callable


class GeneratedPage:
    made_by: str      # the command
    prose_file: str   # under the root
    typed: re.Pattern  # what must not stand in the prose

    def __init__(self, root: pathlib.Path) -> None:
        self.prose = (root / self.prose_file).read_text()

    def chosen(self, prose: str) -> str:
        """The part of it that is for these results."""
        return prose

    def text(self) -> str:
        name = self.prose_file.rpartition("/")[2]
        if typed := self.typed.search(re.sub(r"\{\{.*?\}\}", "", self.prose)):
            raise SystemExit(f"{name}: `{typed[0]}` is a number that was typed: let it come from the results.")
        made = re.sub(r"\{\{(.*?)\}\}", lambda match: self.replaced(name, match[1]), self.chosen(self.prose))
        return made.replace("<!-- template -->\n", f"<!-- Made by {self.made_by} from {self.prose_file}: change that. -->\n")

    def replaced(self, name: str, words: str) -> str:
        what, _, rest = words.partition(" ")
        try:
            return getattr(self, f"say_{what}")(rest)
        except (AttributeError, KeyError, StopIteration, FileNotFoundError) as wrong:
            raise SystemExit(f"{name}: {{{{{words}}}}} says nothing: {wrong!r}") from wrong


Make = Callable[[pathlib.Path], dict[str, str]]


def problems(root: pathlib.Path, made: Make, results: str, made_by: str) -> list[str]:
    """One sentence for each file that is not what `made` makes of the results."""
    if not (root / results).exists():
        return [f"{results} is missing: {made_by} writes it."]
    try:
        files = made(root)
    except SystemExit as wrong:
        return [str(wrong)]
    return [f"{name} is not what {made_by} makes of {results}: run it." for name, text in files.items()
            if not (root / name).exists() or (root / name).read_text() != text]


def write(root: pathlib.Path, made: Make) -> None:
    for name, text in made(root).items():
        (root / name).write_text(text)


def tree(sources: dict[str, str], made: Make) -> dict[str, str]:
    """The sources and what is made of them: for the proof of a lint."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in sources.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return sources | made(root)
