"""Kept labels that hold a date: a real one stands beside dates that were moved, or removed."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import Location, finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rttqa_build.diagnostic import Diagnostic

# Labels that people type; versions of programs look like dates and are none.
LABELS: Mapping[int, str] = {
    0x00180024: "SequenceName",
    0x00181030: "ProtocolName",
    0x30060002: "StructureSetLabel",
    0x30060026: "ROIName",
    0x300A0002: "RTPlanLabel",
    0x300A00C2: "BeamName",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY, _MONTH, _YEAR = r"(?P<d>\d{1,2})", r"(?P<m>\d{1,2})", r"(?P<y>(?:19|20)\d\d)"
_SHORT_YEAR = r"(?P<y>[0-4]\d)"
_BETWEEN = r"[-/._ ]"
_SPELLINGS = tuple(
    re.compile(rf"(?<!\d){spelling}(?!\d)", re.IGNORECASE)
    for spelling in (
        rf"{_DAY}{_BETWEEN}{_MONTH}{_BETWEEN}{_YEAR}",
        rf"{_YEAR}{_BETWEEN}{_MONTH}{_BETWEEN}{_DAY}",
        rf"{_DAY}[-/.]{_MONTH}[-/.]{_SHORT_YEAR}",
        r"(?P<d>\d\d)(?P<m>\d\d)" + _YEAR,
        _YEAR + r"(?P<m>\d\d)(?P<d>\d\d)",
        r"(?P<d>\d\d)(?P<m>\d\d)" + _SHORT_YEAR,
        rf"{_DAY}(?:st|nd|rd|th)?{_BETWEEN}?(?P<m>{'|'.join(_MONTHS)})[a-z]*{_BETWEEN}?(?:{_YEAR})",
        rf"{_DAY}(?:st|nd|rd|th)?{_BETWEEN}?(?P<m>{'|'.join(_MONTHS)})[a-z]*{_BETWEEN}?(?:{_SHORT_YEAR})",
    )
)


def dated_labels(texts: Iterable[tuple[int, str]], role: str) -> Iterator[Diagnostic]:
    """Yield a warning for each attribute of an object of which a kept label holds a date.

    ``texts`` are the texts that leave, by tag.
    """
    found: dict[str, list[str]] = {}
    for tag, text in sorted(texts):
        if tag in LABELS and holds_date(text):
            found.setdefault(LABELS[tag], []).append(text)
    for keyword, labels in found.items():
        count = f"{len(labels)} kept labels hold" if len(labels) > 1 else "a kept label holds"
        where = Location(role, item=keyword)
        yield finding("A007", f"{count} a date", where, subject=role, local=", ".join(labels))


def holds_date(text: str) -> bool:
    """Return whether a date is written in a text, in a usual spelling."""
    return any(dates(text))


def dates(text: str) -> Iterator[dt.date]:
    """Yield the dates in a text, each as often as spellings fit it; short years are of this century."""
    for spelling in _SPELLINGS:
        for match in spelling.finditer(text):
            month, year = match["m"].lower(), int(match["y"])
            number = _MONTHS.index(month) + 1 if month in _MONTHS else int(month)
            with contextlib.suppress(ValueError):
                yield dt.date(year if year > 99 else 2000 + year, number, int(match["d"]))
