"""A birth date → its usual spellings, as patterns and as wordings that are found in a text."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_PLACEHOLDERS = frozenset({dt.date(1900, 1, 1), dt.date(1, 1, 1), dt.date(1800, 1, 1)})  # "not known"


def birth_day(text: str) -> dt.date | None:
    """Return the date of a DA value, also of the old form with dots; None for none and for placeholders."""
    digits = text.replace(".", "")[:8]
    try:
        day = dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])) if digits.isdecimal() else None
    except ValueError:
        return None
    return None if day in _PLACEHOLDERS else day


def date_spellings(day: dt.date) -> Iterator[str]:
    """Return the usual spellings of a date, in lower case: numeric, run together, with the month's name."""
    year, month, date = f"{day.year:04}", f"{day.month:02}", f"{day.day:02}"
    short = year[2:]
    for a, b in ((date, month), (month, date)):
        yield from (a + b + year, a + b + short, year + a + b, short + a + b)
        for mark in "/.- ":
            yield from (mark.join((a, b, year)), mark.join((year, b, a)), mark.join((a, b, short)))
            yield mark.join((a.lstrip("0"), b.lstrip("0"), year))
            yield mark.join((year, b.lstrip("0"), a.lstrip("0")))
        yield "/".join((a.lstrip("0"), b.lstrip("0"), short))
    yield from _month_spellings(day, year, short)


def _month_spellings(day: dt.date, year: str, short: str) -> Iterator[str]:
    name = _MONTHS[day.month - 1]
    ordinal = "th" if 10 < day.day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    days = (f"{day.day:02}", str(day.day), f"{day.day}{ordinal}", f"{day.day}{ordinal} of")
    months = {name, name[:3], name[:3] + ".", "sept" if day.month == 9 else name[:3]}
    for month, date in itertools.product(sorted(months), days):
        yield from (f"{year}{mark}{month}{mark}{date}" for mark in (*" -/._", ""))
        yield from (f"{date}. {month} {year}", f"{date}. {month} {short}")
        for mark in (" ", "-", "/", "", ".", "_"):
            yield from (f"{date}{mark}{month}{mark}{year}", f"{date}{mark}{month}{mark}{short}")
            yield f"{month}{mark}{date}{mark}{year}"
        yield from (f"{date} {month}, {year}", f"{month} {date}, {year}", f"{month} {date} {year}")


_MARK = r"([ ]?[-/._|,:][ ]?|[ ])"
_APOSTROPHE = "['\u2018\u2019]"
_NUMERIC_DATE = re.compile(
    rf"(?<!\d)(?<!\d[./-])(\d{{1,4}}){_MARK}(\d{{1,2}}|[IVXivx]{{1,4}}){_MARK}{_APOSTROPHE}?(\d{{1,4}})"
    r"(?!\d)(?![./-]\d)"
)
_NUMERALS = "i ii iii iv v vi vii viii ix x xi xii"
_ROMAN = {numeral: str(n) for n, numeral in enumerate(_NUMERALS.split(), 1)}
_BIRTH_WORD = re.compile(r"(?i)\b(?:d\.? ?o\.? ?b|born|birth|birthday|n[e\u00e9]e?|geb)\b")
_BESIDE = 24


def birth_dates(text: str, births: frozenset[dt.date]) -> Iterator[tuple[int, int]]:
    """Yield where a text holds one of the dates, in any order and wording that people write.

    A year of two digits counts when day and month have two each, or a word of birth stands beside it; never
    between colons, where it is a time of day. With the month's name it needs an apostrophe here: without one
    it is among the patterns.
    """
    if not births:
        return
    for match in _NUMERIC_DATE.finditer(text):
        one, mark, two, other, three = match.groups()
        figures = one, _ROMAN.get(two.lower(), two if two.isdecimal() else "0"), three
        days = [day for day in births if _shown(day, figures, short=True)]
        if mark.strip() != other.strip() or not days:
            continue
        beside = text[max(0, match.start() - _BESIDE) : match.start()] + "\n" + text[match.end() :][:_BESIDE]
        whole = bool(mark.strip()) and len(one) == len(two) == len(three) == 2
        short = mark.strip() != ":" and (whole or _BIRTH_WORD.search(beside) is not None)
        if any(_shown(day, figures, short=short) for day in days):
            yield match.span()
    yield from _worded_dates(text, births)


# Welsh, as letters of Welsh health boards have it, with the form after "o" (7 o Fawrth)
_WELSH = (
    "ionawr", "chwefror", "mawrth|fawrth", "ebrill", "mai|fai", "mehefin|fehefin",
    "gorffennaf|orffennaf", "awst", "medi|fedi", "hydref", "tachwedd|dachwedd", "rhagfyr|ragfyr",
)  # fmt: skip


_GAP, _YEAR = r"[\W_]{0,3}", rf"(?:(\d{{4}})|{_APOSTROPHE}(\d\d))(?!\d)"
_DAY_BEFORE = re.compile(rf"(?<!\d)(\d{{1,2}})[a-z]{{0,4}}(?: day)?{_GAP}(?:of |o )?\Z", re.IGNORECASE)
_YEAR_BEHIND = re.compile(rf"\.?{_GAP}{_YEAR}")
_DAY_BEHIND = re.compile(rf"\.?{_GAP}(?:the )?(\d{{1,2}})[a-z]{{0,2}}{_GAP}{_YEAR}", re.IGNORECASE)
_REACH = 20


def _worded_dates(text: str, births: frozenset[dt.date]) -> Iterator[tuple[int, int]]:
    """Yield where a date stands with its month by name: a plain search for that comes first, being fast."""
    low = text.lower()
    for day in sorted(births) if len(low) == len(text) else ():
        names = (_MONTHS[day.month - 1], _MONTHS[day.month - 1][:3], *_WELSH[day.month - 1].split("|"))
        for name in dict.fromkeys((*names, "sept") if day.month == 9 else names):
            at = low.find(name)
            while at >= 0:
                if _is_worded(day, text, at, at + len(name)):
                    yield at, at + len(name)
                at = low.find(name, at + 1)


def _is_worded(day: dt.date, text: str, start: int, end: int) -> bool:
    """Return whether day and year stand about the month's name."""
    year = [f"{day.year:04}"], [f"{day.year % 100:02}"]
    if behind := _DAY_BEHIND.match(text, end):
        date, *years = filter(None, behind.groups())
        if int(date) == day.day and years in year and not text[max(0, start - 1) : start].isalpha():
            return True
    before = _DAY_BEFORE.search(text[max(0, start - _REACH) : start])
    after = _YEAR_BEHIND.match(text, end)
    return bool(before and after and int(before[1]) == day.day and [y for y in after.groups() if y] in year)


def _shown(day: dt.date, figures: tuple[str, str, str], *, short: bool) -> bool:
    """Return whether three figures, of which one is the year, stand for a day."""
    one, two, three = figures
    orders = ((one, two, three), (two, one, three), (three, two, one))
    years = {f"{day.year:04}", *((f"{day.year % 100:02}",) if short else ())}
    return any(
        year in years and len(date) < 3 and (int(date), int(month)) == (day.day, day.month)
        for date, month, year in orders
    )
