"""An assessment form's table (XLSX, CSV) → its rows: which structure, which metric, what was achieved.

Where the table stands is a fact of the trial's form (:class:`rttqa_build.trial.FormValues`). Nothing that is
read here leaves but as a number, or as the place of a cell.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from rttqa_build.trial import WORKBOOKS
from rttqa_build.trial.metric import Metric, MetricSyntaxError, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rttqa_build.trial import FormValues

LARGEST_UNPACKED = 1 << 26
MOST_ROWS, MOST_COLUMNS = 2000, 100
HEADER_ROWS = 2
"""Titles may stand on so many rows: *Plan* over *Limit* and *Achieved*, *Structure* merged beside them."""

_NUMBER = re.compile(r"(-?\d+(?:[.,]\d+)?)\s*(cGy|Gy|%|cc|cm3|cm³|ml)?", re.IGNORECASE)
_METRIC = re.compile(r"(.*?)[\[(]?(cGy|Gy|%|cc|cm3|cm³|ml)?[\])]?", re.IGNORECASE)
_AT = re.compile(r"(DC|CV|D|V)(\d+(?:[.,]\d+)?)(cGy|Gy|%|cc|cm3|cm³|ml)", re.IGNORECASE)
_LITERAL = re.compile(r'"[^"]*"?|[\\_*].')
_WHOLE: Mapping[str, str] = {
    **dict.fromkeys(("mean", "dmean", "meandose", "averagedose"), "Mean"),
    **dict.fromkeys(("max", "dmax", "maxdose", "maximumdose", "maximum"), "Max"),
    **dict.fromkeys(("min", "dmin", "mindose", "minimumdose", "minimum"), "Min"),
    "volume": "Volume",
}
_UNITS: Mapping[str, str] = {
    "cgy": "cGy",
    "gy": "Gy",
    "%": "%",
    **dict.fromkeys(("cc", "cm3", "cm³", "ml"), "cc"),
}


class Cell(NamedTuple):
    """What a cell holds: text, or a number (``percent``: shown as a percentage, so that 0.5 reads 50 %)."""

    text: str = ""
    number: float | None = None
    percent: bool = False

    @property
    def blank(self) -> bool:
        """Whether the cell holds nothing."""
        return self.number is None and not self.text


BLANK = Cell()


class Wanted(NamedTuple):
    """What a metric of a form asks for: quantity, at how much of which unit, and the unit of its value."""

    quantity: str
    amount: Decimal | None
    unit: str
    result: str = ""

    def is_of(self, metric: Metric) -> bool:
        """Return whether a metric in TG-263 notation asks for the same."""
        return (self.quantity, self.amount, self.unit) == (metric.quantity, metric.amount, metric.unit)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; ``place`` is its achieved cell (``D12``), or the row of a text file."""

    structure: str
    metric: Wanted | None
    achieved: Cell
    place: str
    uncalculated: bool = False

    def value(self, result: str) -> float | None:
        """Return what was achieved in a metric's unit (Gy, %, cc); None for text and for another unit."""
        number, unit = self._written()
        unit = unit or (self.metric.result if self.metric else "") or result
        if number is not None and unit == "cGy" and result == "Gy":
            number, unit = number / 100, "Gy"
        return number if unit == result else None

    def _written(self) -> tuple[float | None, str]:
        cell = self.achieved
        if cell.number is not None:
            return (cell.number * 100, "%") if cell.percent else (cell.number, "")
        match = _NUMBER.fullmatch(cell.text.strip())
        if match is None:
            return None, ""
        return float(match[1].replace(",", ".")), _UNITS[match[2].lower()] if match[2] else ""


class _Sheet(NamedTuple):
    """One sheet: its rows of cells, how a place in it is called, and whether a cell holds a formula."""

    name: str
    cells: Sequence[Sequence[Cell]]
    place: Callable[[int, int], str]
    formula: Callable[[int, int], bool]


def read(data: bytes, extension: str, layout: FormValues) -> tuple[Row, ...] | None:
    """Return the rows of a form's table; None where the file, its sheet or its titles are not as stated."""
    try:
        sheets = _workbook(data, layout.sheet) if extension in WORKBOOKS else _text(data)
        tables = (_table(sheet, layout) for sheet in sheets)
        return next((rows for rows in tables if rows is not None), None)
    except Exception:  # noqa: BLE001  (what a damaged workbook makes openpyxl raise is not documented)
        return None


def _table(sheet: _Sheet, layout: FormValues) -> tuple[Row, ...] | None:
    """Return the rows below the titles; a structure's name holds for the rows on which it is left blank."""
    titles = [_folded(title) for title in (layout.structure, layout.metric, layout.achieved)]
    for number in range(len(sheet.cells)):
        columns = _titled(sheet.cells[number : number + HEADER_ROWS])
        if all(title in columns for title in titles):
            below = number + 1 + max(columns[title][0] for title in titles)
            return tuple(_rows(sheet, below, [columns[title][1] for title in titles], layout))
    return None


def _titled(rows: Sequence[Sequence[Cell]]) -> dict[str, tuple[int, int]]:
    """Return title → row and column, of these rows."""
    found: dict[str, tuple[int, int]] = {}
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if cell.text:
                found.setdefault(_folded(cell.text), (number, column))
    return found


def _rows(sheet: _Sheet, below: int, columns: Sequence[int], layout: FormValues) -> Iterator[Row]:
    structure = ""
    metrics = {_folded(text): metric for text, metric in layout.metrics.items()}
    for number in range(below, len(sheet.cells)):
        row = sheet.cells[number]
        named, asked, achieved = (row[column] if column < len(row) else BLANK for column in columns)
        structure = named.text or structure
        if asked.text:
            empty = achieved.blank and sheet.formula(number, columns[2])
            metric = wanted(metrics.get(_folded(asked.text), asked.text))
            yield Row(structure, metric, achieved, sheet.place(number, columns[2]), empty)


def wanted(text: str) -> Wanted | None:
    """Return what a metric asks for, in TG-263 notation or near it: ``V60Gy (%)``, ``Dmax (cGy)``."""
    try:
        metric = parse(text.strip())
    except MetricSyntaxError:
        return _spelt(re.sub(r"\s+", "", text))
    return Wanted(metric.quantity, metric.amount, metric.unit, metric.result)


def _spelt(text: str) -> Wanted | None:
    """Return what a metric without white space asks for, however its unit is set apart."""
    at, result = _AT.fullmatch(text), ""
    if at is None:
        whole = _METRIC.fullmatch(text)
        bare, result = (whole[1], _UNITS.get((whole[2] or "").lower(), "")) if whole else ("", "")
        if bare.lower() in _WHOLE:
            return Wanted(_WHOLE[bare.lower()], None, "", result)
        at = _AT.fullmatch(bare)
    if at is None:
        return None
    amount, unit = Decimal(at[2].replace(",", ".")), _UNITS[at[3].lower()]
    if unit == "cGy":
        amount, unit = amount / 100, "Gy"
    return Wanted(at[1].upper(), amount, unit, result)


def _folded(text: str) -> str:
    """Return a title as titles are compared: without case, and with any white space as one space."""
    return " ".join(text.split()).casefold()


# --- files --------------------------------------------------------------------------------------------------


def _text(data: bytes) -> Iterator[_Sheet]:
    """Yield the table of a text file, separated by comma, semicolon or tab."""
    try:
        text = data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    first = text[:4096]
    mark = max(";\t,", key=first.count)
    rows = csv.reader(io.StringIO(text), delimiter=mark)
    cells = [[Cell(value.strip()) for value in row[:MOST_COLUMNS]] for row in islice(rows, MOST_ROWS)]
    yield _Sheet("", cells, lambda row, _: f"row {row + 1}", lambda *_: False)


def _workbook(data: bytes, name: str) -> Iterator[_Sheet]:
    """Yield the sheets of a workbook, or the one of this name, with the values its formulae last had."""
    from openpyxl.utils import get_column_letter

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > LARGEST_UNPACKED:
            return
    book = _opened(data, values=True)
    for title in [name] if name else book.sheetnames:
        cells = [[_cell(cell) for cell in row] for row in _grid(book[title])]
        # by number: only the trial's own name of a sheet is known to name nobody
        which = f" of sheet {book.sheetnames.index(title) + 1}" if len(book.sheetnames) > 1 else ""

        def place(row: int, column: int, which: str = which) -> str:
            return f"{get_column_letter(column + 1)}{row + 1}{which}"

        @cache  # asked for at each empty cell: the workbook is read again once
        def formulae(title: str = title) -> frozenset[tuple[int, int]]:
            rows = enumerate(_grid(_opened(data, values=False)[title]))
            return frozenset((row, n) for row, line in rows for n, c in enumerate(line) if c.data_type == "f")

        def formula(
            row: int, column: int, found: Callable[[], frozenset[tuple[int, int]]] = formulae
        ) -> bool:
            return (row, column) in found()

        yield _Sheet(title, cells, place, formula)


def _opened(data: bytes, *, values: bool) -> Any:
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what openpyxl would lose on saving; some quote values
        return load_workbook(io.BytesIO(data), read_only=True, data_only=values, keep_links=False)


def _grid(sheet: Any, rows: int = MOST_ROWS) -> Iterator[Any]:
    """Yield rows as they lie, whatever size the sheet says it has."""
    sheet.reset_dimensions()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield from sheet.iter_rows(max_row=rows, max_col=MOST_COLUMNS)


def _cell(cell: Any) -> Cell:
    value = cell.value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # what is quoted or escaped is shown as it stands: 95.5 in the format 0.0"%" is 95.5 %
        shown = _LITERAL.sub("", cell.number_format or "")
        return Cell("", float(value), "%" in shown)
    return BLANK if value is None else Cell(str(value).strip())
