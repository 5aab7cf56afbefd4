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

WIDTH = 80
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

    def lines(self, where: Location, width: int = WIDTH) -> list[str]:
        """Return the source line and the caret beneath it, in ``width`` columns; nothing where none is."""
        text = self._line(where)
        if not text.strip() or self.identifies(text):
            return []
        number = str(where.line)
        room = width - len(f"  {number} | ")
        visible = "".join(map(_visible, text))
        column = min(max(where.column, 1), len(visible) + 1) - 1
        left, right = visible[max(0, column - room) : column], visible[column : column + room]
        while columns(left) > max(room * 2 // 3, room - max(columns(right), 1)):
            left = left[1:]
        while columns(left + right) > room:
            right = right[:-1]
        if len(left) < column:
            left = _ELLIPSIS + left[1:]
        if column + len(right) < len(visible):
            right = right[:-1] + _ELLIPSIS
        margin = " " * columns(left)
        return [f"  {number} | {left}{right}", f"  {' ' * len(number)} | {margin}^"]

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
