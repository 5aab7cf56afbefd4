"""DA and DT values moved into the past by whole weeks: weekdays, order and intervals survive (113107)."""

from __future__ import annotations

import datetime as dt
import re

_DATE = re.compile(rb"(\d{4})[.]?(\d\d)[.]?(\d\d) ?")
_DATETIME = re.compile(rb"(\d{4})(\d\d)?(\d\d)?((?:\d\d){0,3}(?:\.\d{1,6})?(?:[+-]\d{4})?) *")


def shifted_date(value: bytes, weeks: int) -> bytes:
    """Return a DA value moved into the past; one that is no date is emptied."""
    match = _DATE.fullmatch(value)
    shifted = match and _back(match.group(1, 2, 3), weeks)
    return f"{shifted:%Y%m%d}".encode().rjust(8, b"0") if shifted else b""


def shifted_datetime(value: bytes, weeks: int) -> bytes:
    """Return a DT value moved into the past, as precise as it was; time, fraction and zone stay."""
    match = _DATETIME.fullmatch(value)
    if match is None:
        return b""
    year, month, day, rest = match.groups()
    shifted = _back((year, month or b"01", day or b"01"), weeks)
    if shifted is None:
        return b""
    digits = f"{shifted:%Y%m%d}".rjust(8, "0")
    precision = 4 + 2 * (month is not None) + 2 * (day is not None)
    return digits[:precision].encode() + rest


def _back(parts: tuple[bytes, ...], weeks: int) -> dt.date | None:
    try:
        return dt.date(*(int(part) for part in parts)) - dt.timedelta(weeks=weeks)
    except (ValueError, OverflowError):
        return None
