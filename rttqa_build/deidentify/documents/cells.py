"""Cells of a table → the words, numbers and dates that neighbours hold together.

A cell is a value of its own: two of them make a word only where neither looks like a whole one. Of numbers,
an NHS number in its usual three parts and a date in day, month and year: others meet by chance in a table.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from rttqa_build.deidentify.documents.reading import boxed, joined
from rttqa_build.deidentify.pattern import LONG
from rttqa_build.deidentify.vocabulary import ordinary_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Row = Mapping[int, str]  # column → text

_MOST_CELLS = 100_000  # a form or a report has fewer; what lies behind is read cell by cell
_FEWEST_LETTERS = 6
_EDGE = r"\n(?:[-/.]\n)?"
_NUMBER = re.compile(rf"(?<![^\n])(?=(\d{{3}}){_EDGE}(\d{{3}}){_EDGE}(\d{{4}})(?![^\n]))")
_DATE = re.compile(
    rf"(?<![^\n])(?=(\d\d?(?:st|nd|rd|th)?){_EDGE}(\d\d?|[^\W\d_]{{3,9}}){_EDGE}((?:19|20)\d\d)(?![^\n]))"
)
_HYPHEN = re.compile("[-\xad\u2010\u2011]\\Z")


def texts(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return what rows and columns hold in several cells, and the boxes of forms.

    A row without cells parts two tables.
    """
    kept = list(_first(rows))
    across = [[row[column] for column in sorted(row)] for row in kept]
    found = dict.fromkeys(itertools.chain.from_iterable(map(parted, across)))
    for _, table in itertools.groupby(kept, key=bool):
        for column in _columns(table):
            found.update(dict.fromkeys(parted(column, dates=False)))
    boxes = "\n\n".join(boxed(list(itertools.chain.from_iterable(across))))
    return tuple(filter(None, ("\n".join(found), boxes)))


def parted(cells: Sequence[str], *, dates: bool = True) -> Iterator[str]:
    """Yield the words, NHS numbers and dates that neighbouring cells, or the lines in them, hold together."""
    lines = [line.strip() for cell in cells for line in cell.splitlines() if line.strip()]
    if any(line[-1:].isalpha() or _HYPHEN.search(line) for line in lines):
        yield from joined([_HYPHEN.sub("", line) for line in lines], _is_one)
    run = "\n".join(lines)
    yield from ("".join(match.groups()) for match in _NUMBER.finditer(run))
    for match in _DATE.finditer(run) if dates else ():
        yield ("/" if match[2].isdecimal() else " ").join(match.groups())


def _is_one(pieces: Sequence[str]) -> bool:
    """Return whether pieces of words make one: in tables single letters and ordinary words stand alone.

    A short ordinary word may be the beginning or the end of a name; two, or a long one, are what they seem.
    """
    whole = "".join(pieces)
    ordinary = [piece for piece in pieces if piece.casefold() in ordinary_words()]
    if len(ordinary) > 1 or not whole.isalpha() or min(map(len, pieces)) < 2:
        return False
    return len(whole) >= (LONG if ordinary else _FEWEST_LETTERS) and all(len(one) < LONG for one in ordinary)


def _first(rows: Iterable[Row]) -> Iterator[Row]:
    left = _MOST_CELLS
    for row in rows:
        left -= len(row)
        if left < 0:
            return
        yield row


def _columns(rows: Iterable[Row]) -> Iterator[list[str]]:
    columns: dict[int, list[str]] = {}
    for row in rows:
        for column, text in row.items():
            columns.setdefault(column, []).append(text)
    yield from (columns[column] for column in sorted(columns))
