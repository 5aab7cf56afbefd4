"""Harvested identities → the patterns that are searched: every usual spelling, each with its rule.

Pattern texts are folded (:func:`rttqa_build.deidentify.charset.folded`). The rules say in which surroundings
a pattern counts; :mod:`rttqa_build.deidentify.residue` applies them.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from typing import TYPE_CHECKING

from rttqa_build.deidentify.charset import decoded, folded, normalised, squeezed
from rttqa_build.deidentify.identity import Kind, Who
from rttqa_build.deidentify.names import name_patterns
from rttqa_build.deidentify.pattern import DIGITS, LETTERS, Pattern, Rule, ordinary_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from rttqa_build.deidentify.identity import Fact, Harvest


def patterns(harvest: Harvest, allowed: Iterable[str] = ()) -> tuple[Pattern, ...]:
    """Return the distinct patterns of all facts but UIDs, sorted; the patient's come first.

    A value, or a component of a name, that equals something ``allowed`` (but for case and punctuation) is no
    identity and gives no pattern.
    """
    ours = {squeezed(text) for text in allowed}
    found: dict[tuple[str, Rule], Pattern] = {}
    for pattern in sorted(_all(harvest, ours), key=_priority):
        first = found.setdefault((pattern.text, pattern.rule), pattern)
        found[pattern.text, pattern.rule] = first._replace(partners=first.partners | pattern.partners)
    return tuple(found.values())


def _priority(pattern: Pattern) -> tuple[int, str, str, str]:
    return (list(Who).index(pattern.who), pattern.kind, pattern.text, pattern.written)


def _all(harvest: Harvest, ours: set[str]) -> Iterator[Pattern]:
    for fact in harvest.facts:
        if fact.kind is Kind.UID:
            continue
        for text in values(fact):
            if squeezed(text) not in ours:
                yield from (p for p in _spellings(fact, text, ours) if squeezed(p.text) not in ours)


def values(fact: Fact) -> Iterator[str]:
    """Return the single values of a fact as normalised text, in every way it can be read."""
    for text in decoded(fact.value, fact.charsets):
        if fact.kind is Kind.ADDRESS:
            yield normalised(text.replace("\\", ", "))
        else:
            yield from (value for part in text.split("\\") if (value := normalised(part)))


def _spellings(fact: Fact, text: str, ours: set[str]) -> Iterator[Pattern]:
    who, kind = fact.who, fact.kind
    if kind is Kind.NAME:
        for group in text.split("="):
            yield from name_patterns(who, group, ours)
    elif kind is Kind.BIRTH_DATE:
        yield from _birth_date(text)
    elif kind is Kind.PHONE:
        yield from _phone(who, text)
    elif kind is Kind.ADDRESS:
        yield from _address(who, text)
    elif kind is Kind.PLACE:
        yield from _place(text)
    elif kind is Kind.WORD:
        yield from _word(who, text)
    else:
        yield from _number(who, kind, text)


# --- dates, numbers, places --------------------------------------------------------------------------------

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


def _birth_date(text: str) -> Iterator[Pattern]:
    if day := birth_day(text):
        for spelling in dict.fromkeys(date_spellings(day)):
            yield Pattern(spelling, spelling, Rule.DATE, Who.PATIENT, Kind.BIRTH_DATE)


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


_MARK = r"([ ]?[-/._|,][ ]?|[ ])"
_NUMERIC_DATE = re.compile(
    rf"(?<!\d)(?<!\d[./-])(\d{{1,4}}){_MARK}(\d{{1,2}}){_MARK}'?(\d{{1,4}})(?!\d)(?![./-]\d)"
)
_BIRTH_WORD = re.compile(r"(?i)\b(?:d\.? ?o\.? ?b|born|birth|birthday|n[e\u00e9]e?|geb)\b")
_BESIDE = 24


def birth_dates(text: str, births: Collection[dt.date]) -> Iterator[tuple[int, int]]:
    """Yield where a text holds one of the dates in figures, in any order that people write.

    A year of two digits counts when day and month have two each, or a word of birth stands beside it.
    """
    for match in _NUMERIC_DATE.finditer(text):
        one, mark, two, other, three = match.groups()
        if mark.strip() != other.strip() or not births:
            continue
        beside = text[max(0, match.start() - _BESIDE) : match.start()] + "\n" + text[match.end() :][:_BESIDE]
        whole = bool(mark.strip()) and len(one) == len(two) == len(three) == 2
        short = whole or _BIRTH_WORD.search(beside) is not None
        if any(_shown(day, (one, two, three), short=short) for day in births):
            yield match.span()


def _shown(day: dt.date, figures: tuple[str, str, str], *, short: bool) -> bool:
    """Return whether three figures, of which one is the year, stand for a day."""
    one, two, three = figures
    orders = ((one, two, three), (two, one, three), (three, two, one))
    years = {f"{day.year:04}", *((f"{day.year % 100:02}",) if short else ())}
    return any(
        year in years and len(date) < 3 and (int(date), int(month)) == (day.day, day.month)
        for date, month, year in orders
    )


def _number(who: Who, kind: Kind, text: str) -> Iterator[Pattern]:
    """Spell an identifier. Too short to be told from chance: only as a whole value, or not at all."""
    bare, words = squeezed(text), LETTERS.findall(text)
    longest = max((len(run) for run in DIGITS.findall(text)), default=0)
    if bare.isdecimal():
        yield from _digits(who, kind, bare)
        return
    ordinary = all(folded(word) in ordinary_words() or len(word) < 3 for word in words)
    told = longest if kind is Kind.LABEL else sum(c.isdecimal() for c in bare)
    if len(bare) < 4 or (ordinary and told < 4 and (kind is Kind.LABEL or len(words) == 1)):
        return
    for spelling in dict.fromkeys((folded(text), bare)):
        rule = Rule.PHRASE if len(bare) > 4 else Rule.VALUE
        yield Pattern(spelling, text if spelling != bare else spelling, rule, who, kind)
    if len(bare) > (6 if kind is Kind.LABEL else 4) and DIGITS.search(bare):
        yield Pattern(bare, text, Rule.SPACED, who, kind)
    for run in DIGITS.findall(text):
        if len(run) > 5:
            yield Pattern(run, run, Rule.NUMBER, who, kind)


def _digits(who: Who, kind: Kind, number: str) -> Iterator[Pattern]:
    if len(number) < 4 or not number.strip("0"):
        return
    yield Pattern(number, number, Rule.NUMBER if len(number) > 4 else Rule.VALUE, who, kind)
    if len(short := number.lstrip("0")) > 5 and short != number:
        yield Pattern(short, short, Rule.NUMBER, who, kind)


def _phone(who: Who, text: str) -> Iterator[Pattern]:
    """Spell a telephone number with and without trunk prefix and the United Kingdom's country code."""
    digits = squeezed(text.partition("ext")[0])
    if not digits.isdecimal() or len(digits) < 6:
        return
    local = re.sub(r"^(0044|44|0)0?", "", digits)
    for number in dict.fromkeys((digits, local, "0" + local, "44" + local, "440" + local, "0044" + local)):
        if len(number) > 5:
            yield Pattern(number, number, Rule.NUMBER, who, Kind.PHONE)


_POSTCODE = re.compile(r"\b([a-z]{1,2}[0-9][a-z0-9]?) ?([0-9][a-z]{2})\b")


def _address(who: Who, text: str) -> Iterator[Pattern]:
    """Spell an address: as a whole, its lines that hold a number, its postcode, an email address."""
    low = folded(text.replace("^", ", "))
    pieces = [piece.strip() for piece in re.split(r"[,;]", low)]
    texts = [" ".join(low.split()), *(p for p in pieces if DIGITS.search(p) or "@" in p)]
    texts += [form for m in _POSTCODE.finditer(low) for form in (f"{m[1]} {m[2]}", f"{m[1]}{m[2]}")]
    for spelling in dict.fromkeys(texts):
        if len(squeezed(spelling)) > 4 and LETTERS.search(spelling):
            yield Pattern(spelling, spelling, Rule.PHRASE, who, Kind.ADDRESS)


def _place(text: str) -> Iterator[Pattern]:
    """Spell an institution, department or station: as a whole, and by words that no text has by chance."""
    words = LETTERS.findall(text)
    generic = all(folded(word) in ordinary_words() or len(word) < 3 for word in words) and len(words) < 3
    if len(squeezed(text)) > 3 and words and not generic:
        yield Pattern(folded(text), text, Rule.PHRASE, Who.STAFF, Kind.PLACE)
    for word in words:
        if len(word) > 5 and folded(word) not in ordinary_words():
            yield Pattern(folded(word), word, Rule.WORD, Who.STAFF, Kind.PLACE)


def _word(who: Who, text: str) -> Iterator[Pattern]:
    """Spell a word of a file name, unless it is ordinary, also taken apart at its capitals."""
    humps = re.findall(r"[^\W\d_a-z]+(?![a-z])|[^\W\d_]?[a-zà-ÿ]+|[^\W\d_]+", text)
    for word in dict.fromkeys((text, *humps)):
        ordinary = folded(word) in ordinary_words() or (
            word is text and all(folded(hump) in ordinary_words() or len(hump) < 3 for hump in humps)
        )
        if len(word) > 3 and not ordinary:
            yield Pattern(folded(word), word, Rule.WORD, who, Kind.WORD)
