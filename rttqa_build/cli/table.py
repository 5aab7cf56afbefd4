"""Rows of text → a table that fits the terminal; plain lines, one a row, where no person looks."""

from __future__ import annotations

import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from rttqa_build.cli.output import Terminal

_GAP = "  "
_WIDEST = 120
_LEAST = 16  # the last column's, however narrow the terminal
_NARROW = (18, 12, 7, 12, 6)  # the widest that the first columns get on a terminal; the last has the rest


def show_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], marked: Collection[int], out: Terminal
) -> None:
    """Write a table: rich in colour, plain words else. Empty columns are left out.

    ``marked`` are the rows that stand out in colour; the words must say it too.
    """
    used = [n for n in range(len(columns)) if any(row[n] for row in rows)]
    head, body = [columns[n] for n in used], [[row[n] for n in used] for row in rows]
    if out.colour:
        _coloured(head, body, marked, out)
        return
    widths = _widths([head, *body], used, out.columns)
    for row in (head, *body):
        for line in _lines(row, widths):
            out.say(line)


def _widths(rows: Sequence[Sequence[str]], used: Sequence[int], columns: int) -> list[int]:
    widest = [max(len(row[place]) for row in rows) for place in range(len(used))]
    if not columns:
        return widest
    first = [min(width, _NARROW[n]) for n, width in zip(used[:-1], widest, strict=False)]
    return [*first, max(_LEAST, min(_WIDEST, columns) - sum(first) - len(_GAP) * len(first))]


def _lines(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Yield the lines of one row, cells wrapped to their widths."""
    cells = [textwrap.wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
    for parts in zip_longest(*cells, fillvalue=""):
        yield _GAP.join(f"{part:<{width}}" for part, width in zip(parts, widths, strict=True)).rstrip()


def _coloured(
    head: Sequence[str], body: Sequence[Sequence[str]], marked: Collection[int], out: Terminal
) -> None:
    """Write the table with rich, as wide as the terminal and no wider."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in head:
        table.add_column(name, overflow="fold")
    for number, row in enumerate(body):
        style = "bold red" if number in marked else ""
        table.add_row(
            *(
                Text(out.writable(cell), style if place < len(row) - 1 else "")
                for place, cell in enumerate(row)
            )
        )
    Console(file=out.out, force_terminal=True, width=min(_WIDEST, out.columns), highlight=False).print(table)
