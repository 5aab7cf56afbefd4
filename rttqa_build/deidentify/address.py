"""A postal or electronic address → its patterns: the whole, the lines that tell a house, the postcode."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rttqa_build.deidentify.charset import folded, squeezed
from rttqa_build.deidentify.identity import Kind, Who
from rttqa_build.deidentify.pattern import DIGITS, LETTERS, Pattern, Rule
from rttqa_build.deidentify.vocabulary import ordinary_words

if TYPE_CHECKING:
    from collections.abc import Iterator

_POSTCODE = re.compile(r"\b([a-z]{1,2}[0-9][a-z0-9]?)[ .-]?([0-9][a-z]{2})\b")
_HOUSE_NUMBER = re.compile(r"(?:(?:flat|unit|apartment|no)\b\.? ?)?[0-9]+[a-z]?(?: ?[-/] ?[0-9]+[a-z]?)? +")
_HOUSE_WORDS = """
barn barns bungalow cottage cottages court croft farm farmhouse flats grange hall house lodge manor mansions
mill rectory stables steading towers vicarage villa villas
"""
_STREET_WORDS = """
avenue bank boulevard brae broadway chase close crescent drive drove field fold gardens gate green grove heol
hill lane lon mead meadow mews park parade path place rise road row square stryd street terrace vale view walk
way wynd yard
"""
_SHORTENED = """
avenue=ave,av boulevard=blvd close=cl court=ct crescent=cres,cr drive=dr gardens=gdns grove=gr,grv lane=ln
park=pk place=pl road=rd square=sq street=st,str terrace=terr,ter,tce way=wy
"""
_SHORT_FORMS = {
    full: tuple(short.split(",")) for full, _, short in (row.partition("=") for row in _SHORTENED.split())
}
_HOUSES, _STREETS = frozenset(_HOUSE_WORDS.split()), frozenset(_STREET_WORDS.split())


def address_patterns(who: Who, text: str) -> Iterator[Pattern]:
    """Spell an address: as a whole, the lines that tell a house, its postcode, an email address."""
    low = folded(text)
    pieces = [piece.strip() for piece in re.split(r"[,;]", low)]
    told = [p for p in pieces if DIGITS.search(p) or "@" in p]
    texts = [" ".join(low.split()), *told, *(_houses(pieces) if who is Who.PATIENT else ())]
    texts += [short for piece in told for short in _shortened(piece)]
    texts += [f"{m[1]} {m[2]}" for m in _POSTCODE.finditer(low)]
    for spelling in dict.fromkeys(texts):
        if len(squeezed(spelling)) > 4 and LETTERS.search(spelling):
            yield Pattern(spelling, spelling, Rule.PHRASE, who, Kind.ADDRESS)
    for m in _POSTCODE.finditer(low):
        yield Pattern(m[1] + m[2], f"{m[1]} {m[2]}", Rule.SPACED, who, Kind.ADDRESS)


def _shortened(line: str) -> Iterator[str]:
    """Yield other ways to write a numbered street: 17 Quillmere Terr, 4 High St, and 17 Quillmere alone."""
    numbered = _HOUSE_NUMBER.match(line)
    words = LETTERS.findall(line[numbered.end() :]) if numbered else []
    if not numbered or len(words) < 2 or not line.endswith(words[-1]):
        return
    start = line[: -len(words[-1])].rstrip()
    yield from (f"{start} {short}" for short in _SHORT_FORMS.get(words[-1], ()))
    if words[-1] in _STREETS and not all(word in ordinary_words() for word in words[:-1]):
        yield start


def _houses(lines: list[str]) -> Iterator[str]:
    """Yield the lines of an address that tell a house or a street without a number.

    Lines behind the street are towns and counties, where many people live: no evidence. So is a street of
    ordinary words (High Street) without its number; a house of such words (Rose Cottage) is told by its last.
    """
    for n, line in enumerate(lines):
        numbered = _HOUSE_NUMBER.match(line)
        name = line[numbered.end() :] if numbered else line
        words = LETTERS.findall(name)
        if "@" in name or DIGITS.search(name) or not words:
            continue
        ordinary = all(word in ordinary_words() or len(word) < 3 for word in words)
        house = len(words) in (2, 3) and words[-1] in _HOUSES
        street = numbered or words[-1] in _STREETS or (n == 0 and len(name) > 5)
        if house or (street and not ordinary):
            yield name
