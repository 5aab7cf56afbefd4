"""A finding's place in a file → the line as it stands there, and a caret beneath, as compilers show it."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rttqa_build.cli.lines import columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from rttqa_build.diagnostic import Location

WIDTH = 72
_ELLIPSIS = "…"
_TAB = "→"
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Sources:
    """The text files that findings speak of.

    ``read`` gives the text of a file by the name that findings give it, nothing where there is none;
    ``identifies`` tells whether a line seems to identify somebody: such a line is never shown.
    """

    read: Callable[[str], str]
    identifies: Callable[[str], bool]

    def lines(self, where: Location) -> list[str]:
        """Return the source line and the caret beneath it; nothing where there is no line to show."""
        text = self._line(where)
        if not text.strip() or self.identifies(text):
            return []
        visible = "".join(map(_visible, text))
        column = min(max(where.column, 1), len(visible) + 1) - 1
        start = max(0, column - WIDTH * 2 // 3) if len(visible) > WIDTH else 0
        shown = visible[start : start + WIDTH]
        if start:
            shown = _ELLIPSIS + shown[1:]
        if start + WIDTH < len(visible):
            shown = shown[:-1] + _ELLIPSIS
        number = str(where.line)
        margin = " " * columns(shown[: column - start])
        return [f"  {number} | {shown}", f"  {' ' * len(number)} | {margin}^"]

    def _line(self, where: Location) -> str:
        known = _lines(self.read(where.file)) if where.line else []
        return known[where.line - 1] if 0 < where.line <= len(known) else ""


@functools.lru_cache(maxsize=4)
def _lines(text: str) -> list[str]:
    """Return the lines of a file, split once for all findings in it."""
    return _LINE_BREAK.split(text)


def _visible(character: str) -> str:
    """Return a character as a terminal can show it: nothing that moves the cursor, or that is not seen."""
    if character == "\t":
        return _TAB
    return character if unicodedata.category(character)[0] not in "CZ" or character == " " else "·"
