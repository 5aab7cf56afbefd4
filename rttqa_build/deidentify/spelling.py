"""Harvested identities → the patterns that are searched: every usual spelling, each with its rule.

Pattern texts are folded (:func:`rttqa_build.deidentify.charset.folded`). The rules say in which surroundings
a pattern counts; :mod:`rttqa_build.deidentify.residue` applies them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rttqa_build.deidentify.address import address_patterns
from rttqa_build.deidentify.birth import birth_day, date_spellings
from rttqa_build.deidentify.charset import decoded, folded, normalised, squeezed
from rttqa_build.deidentify.identity import Kind, Who
from rttqa_build.deidentify.names import name_patterns
from rttqa_build.deidentify.pattern import DIGITS, LETTERS, Pattern, Rule
from rttqa_build.deidentify.vocabulary import ordinary_words
from rttqa_build.diagnostic import RttqaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rttqa_build.deidentify.identity import Fact, Harvest


_MOST = 200_000  # spellings: of some 13,000 names, or of 600 dates of birth
_EACH_PATIENT = "Give each patient a folder; look for a file that holds lists of names."


def patterns(harvest: Harvest, allowed: Iterable[str] = ()) -> tuple[Pattern, ...]:
    """Return the distinct patterns of all facts but UIDs, sorted; the patient's come first.

    A value, or a component of a name, that equals something ``allowed`` (but for case and punctuation) is no
    identity and gives no pattern. Raises RttqaError when there are more than any patient's export has.
    """
    ours = {squeezed(text) for text in allowed}
    found: dict[tuple[str, Rule], Pattern] = {}
    partners: dict[tuple[str, Rule], set[str]] = {}
    for pattern in sorted(_bounded(_all(harvest, ours)), key=_priority):
        found.setdefault((pattern.text, pattern.rule), pattern)
        if pattern.partners:
            partners.setdefault((pattern.text, pattern.rule), set()).update(pattern.partners)
    return tuple(
        pattern._replace(partners=frozenset(partners[key])) if key in partners else pattern
        for key, pattern in found.items()
    )


def _bounded(patterns: Iterable[Pattern]) -> Iterator[Pattern]:
    """Yield patterns up to where they take minutes; an export may have many files, and names of them."""
    left = _MOST
    for pattern in patterns:
        left -= pattern.who is not Who.SOURCE
        if left < 0:
            raise RttqaError(
                "the originals name more people and numbers than can be searched for", _EACH_PATIENT
            )
        yield pattern


def _priority(pattern: Pattern) -> tuple[int, str, str, str]:
    return (list(Who).index(pattern.who), pattern.kind, pattern.text, pattern.written)


def _all(harvest: Harvest, ours: set[str]) -> Iterator[Pattern]:
    for fact in harvest.facts:
        if fact.kind is Kind.UID:
            continue
        for text in values(fact):
            if squeezed(text) not in ours:
                yield from (p for p in _spellings(fact, text, ours) if squeezed(p.text) not in ours)


_LINE_ENDS = re.compile(r"[\\\r\n^]+")


def values(fact: Fact) -> Iterator[str]:
    """Return the single values of a fact as normalised text, in every way it can be read."""
    for text in decoded(fact.value, fact.charsets):
        if fact.kind is Kind.ADDRESS:
            yield normalised(_LINE_ENDS.sub(", ", text))
        else:
            yield from (value for part in text.split("\\") if (value := normalised(part)))


def _spellings(fact: Fact, text: str, ours: set[str]) -> Iterator[Pattern]:
    who, kind = fact.who, fact.kind
    if kind is Kind.NAME:
        yield from _name(who, text, ours)
    elif kind is Kind.BIRTH_DATE:
        yield from _birth_date(text)
    elif kind is Kind.PHONE:
        yield from _phone(who, text)
    elif kind is Kind.ADDRESS:
        yield from address_patterns(who, text)
    elif kind is Kind.PLACE:
        yield from _place(text)
    elif kind is Kind.WORD:
        yield from _word(who, text)
    else:
        yield from _number(who, kind, text)


# --- dates, numbers, places --------------------------------------------------------------------------------


_NUMBER_IN_NAME = re.compile(r"(?<![A-Za-z])[A-Za-z]+[0-9]{6,}[A-Za-z]*|[0-9]{6,}[A-Za-z]*")


def _name(who: Who, text: str, ours: set[str]) -> Iterator[Pattern]:
    """Spell a name, and a number that was typed behind it to tell two patients of one name."""
    for group in text.split("="):
        yield from name_patterns(who, group, ours)
    for number in _NUMBER_IN_NAME.findall(text):
        if squeezed(number) not in ours:
            yield from _number(who, Kind.NAME, number)


def _birth_date(text: str) -> Iterator[Pattern]:
    if day := birth_day(text):
        for spelling in dict.fromkeys(date_spellings(day)):
            yield Pattern(spelling, spelling, Rule.DATE, Who.PATIENT, Kind.BIRTH_DATE)


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
        for spelling in dict.fromkeys((run, run.lstrip("0"))):
            if len(spelling) > 5:
                yield Pattern(spelling, spelling, Rule.NUMBER, who, kind)


def _digits(who: Who, kind: Kind, number: str) -> Iterator[Pattern]:
    if len(number) < 4 or not number.strip("0"):
        return
    yield Pattern(number, number, Rule.NUMBER if len(number) > 4 else Rule.VALUE, who, kind)
    if len(short := number.lstrip("0")) > 5 and short != number:
        yield Pattern(short, short, Rule.NUMBER, who, kind)


_AREA_CODE = re.compile(r"\s*\(?0\d{2,5}\)?[ -]+(.*)")  # who lives nearby leaves it out


def _phone(who: Who, text: str) -> Iterator[Pattern]:
    """Spell a telephone number with and without trunk prefix and the United Kingdom's country code."""
    text = text.partition("ext")[0]
    digits = squeezed(text)
    if not digits.isdecimal() or len(digits) < 6:
        return
    if (parts := _AREA_CODE.fullmatch(text)) and len(nearby := squeezed(parts[1])) > 5:
        yield Pattern(nearby, nearby, Rule.NUMBER, who, Kind.PHONE)
    local = re.sub(r"^(0044|44|0)0?", "", digits)
    for number in dict.fromkeys((digits, local, "0" + local, "44" + local, "440" + local, "0044" + local)):
        if len(number) > 5:
            yield Pattern(number, number, Rule.NUMBER, who, Kind.PHONE)


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
