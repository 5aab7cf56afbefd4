"""Tables in the XML of office documents → their rows of cells, shared strings put where they are shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rttqa_build.deidentify.documents.markup import listen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TABLES, _ROWS, _CELLS = frozenset({"tbl", "sheetData"}), frozenset({"tr", "row"}), frozenset({"tc", "c"})
_TEXTS = frozenset({"t", "v"})
_ENDS = frozenset({"p", "br", "cr"})
_COUNT = re.compile("[0-9]{1,9}")
_WIDEST = 1 << 14  # columns of a worksheet


def strings(xml: bytes) -> list[str]:
    """Return the shared strings of a workbook (ECMA-376-1 18.4.9), without readings of their characters."""
    found: list[str] = []
    pieces: list[str] = []
    aside: list[str] = []

    def start(element: str, _: Mapping[str, str]) -> None:
        if element == "rPh":
            aside.append(element)

    def end(element: str, text: str) -> None:
        if element == "rPh":
            del aside[-1:]
        elif element == "t" and not aside:
            pieces.append(text)
        elif element == "si":
            found.append("".join(pieces))
            pieces.clear()

    listen(xml, start, end)
    return found


def rows(xml: bytes, shared: Sequence[str] = ()) -> list[dict[int, str]]:
    """Return the rows of all tables of a part, as column → text; a table ends with an empty row.

    ``shared``: the strings that cells of a worksheet refer to. Cells without text are left out.
    """
    reader = _Reader(shared)
    listen(xml, reader.start, reader.end)
    return reader.found


class _Row:
    """A row that is being read, and the last cell in it."""

    def __init__(self) -> None:
        self.cells: dict[int, str] = {}
        self.column, self.wide = -1, 1
        self.shared = False
        self.pieces: list[str] = []


class _Reader:
    """What tells the cells as the elements come: Word's tables may lie in each other, a sheet's do not."""

    def __init__(self, shared: Sequence[str]) -> None:
        self.shared = shared
        self.found: list[dict[int, str]] = []
        self._open: list[_Row] = []

    def start(self, element: str, attributes: Mapping[str, str]) -> None:
        if element in _ROWS:
            self._open.append(_Row())
        elif self._open and element in _CELLS:
            row = self._open[-1]
            row.column = _column(attributes.get("r", "")) or row.column + row.wide
            row.wide, row.shared = 1, attributes.get("t") == "s"
            row.pieces.clear()
        elif self._open and element == "gridSpan":
            wide = next(iter(attributes.values()), "")
            self._open[-1].wide = int(wide) if _COUNT.fullmatch(wide) else 1

    def end(self, element: str, text: str) -> None:
        if element in _TABLES:
            self.found.append({})
        elif not self._open:
            return
        elif element in _TEXTS:
            self._open[-1].pieces.append(text)
        elif element in _ENDS:
            self._open[-1].pieces.append("\n")
        elif element in _CELLS:
            self._close(self._open[-1])
        elif element in _ROWS:
            self.found.append(self._open.pop().cells)

    def _close(self, row: _Row) -> None:
        text = "".join(row.pieces).strip()
        if row.shared:
            at = int(text) if _COUNT.fullmatch(text) else len(self.shared)
            text = "".join(self.shared[at : at + 1])
        if text and row.column < _WIDEST:
            row.cells[row.column] = text


def _column(reference: str) -> int:
    """Return the number of a column from 1 on (``C9`` is in the third); 0 where the cell does not say."""
    number = 0
    for letter in reference[:3].rstrip("0123456789"):
        number = 26 * number + ord(letter) - 64
    return max(0, number)
