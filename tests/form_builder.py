"""Workbooks as assessment forms are."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import openpyxl

if TYPE_CHECKING:
    from collections.abc import Callable

TITLES = ("Structure", "Metric", "Achieved")


def workbook(
    *rows: tuple[Any, ...], alter: Callable[[Any], object] = lambda _: None, title: str = "PAF"
) -> bytes:
    """Return a workbook with one sheet of these rows; ``alter`` may spoil the sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    alter(sheet)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
