"""Dates in workbooks and charts: stored as numbers of days, shown as dates by their format."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from rttqa_build.deidentify.documents.markup import Rules, listen, rewrite

if TYPE_CHECKING:
    from collections.abc import Mapping

_BUILT_IN_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_IN_DATES = re.compile("[dy]|mm")
_FEW_DIGITS = re.compile("[0-9]{1,9}")
_SERIES = frozenset({"numCache", "numLit", "lvl"})  # the last in charts since Office 2016


def dates(serial: str) -> str:
    """Return a serial number as ISO dates, by both of Excel's day counts (from 1900 and from 1904)."""
    try:
        days = int(float(serial))
        return "\n".join(
            (start + dt.timedelta(days)).isoformat() for start in (dt.date(1899, 12, 30), dt.date(1904, 1, 1))
        )
    except (ValueError, OverflowError):
        return serial


def is_date_format(code: str) -> bool:
    """Return whether a number format shows a date (ECMA-376-1 18.8.31)."""
    return _IN_DATES.search(_LITERAL.sub("", code).lower()) is not None


def date_styles(xml: bytes) -> frozenset[str]:
    """Return the indices of the cell styles whose number format shows a date (ECMA-376-1 18.8.30)."""
    formats: set[int] = set(_BUILT_IN_DATES)
    styles: list[bool] = []
    inside: list[bool] = []

    def note(element: str, attributes: Mapping[str, str]) -> bool:
        if element == "numFmt":
            if is_date_format(attributes.get("formatCode", "")):
                formats.add(_index(attributes.get("numFmtId", "")))
        elif element in ("cellXfs", "cellStyles", "dxfs"):
            inside.append(element == "cellXfs")
        elif element == "xf" and inside and inside[-1]:
            styles.append(_index(attributes.get("numFmtId", "")) in formats)
        return False

    if xml:
        rewrite(xml, Rules(drop=note))
    return frozenset(str(index) for index, is_date in enumerate(styles) if is_date)


def _index(text: str) -> int:
    """Return the number of a format; of one that is none, that of the plain one."""
    return int(text) if _FEW_DIGITS.fullmatch(text) else 0


def chart_dates(xml: bytes) -> str:
    """Return the dates that a chart shows of the numbers it keeps (ECMA-376-1 21.2.2.122).

    The format is the series', a single point's, or an axis's: where an axis shows dates, any number may be
    one, whatever the format beside it.
    """
    serials: dict[str, bool] = {}
    formats = {"series": "", "point": ""}
    axes: list[bool] = []

    def start(element: str, attributes: Mapping[str, str]) -> None:
        if element in _SERIES:
            formats["series"] = attributes.get("formatCode", "")
        elif element == "pt":
            formats["point"] = attributes.get("formatCode", "")
        elif element == "dateAx" or is_date_format(attributes.get("formatCode", "")):
            axes.append(True)

    def end(element: str, text: str) -> None:
        if element == "formatCode":
            formats["series"] = text
        elif element in ("v", "pt") and text.strip():
            shown = is_date_format(formats["point"] or formats["series"])
            serials[text] = serials.get(text, False) or shown

    listen(xml, start, end)
    return "\n".join(dates(serial) for serial, shown in serials.items() if shown or axes)
