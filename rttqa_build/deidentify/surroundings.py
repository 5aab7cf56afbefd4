"""A match in a text and its surroundings → does it count? One function for each rule."""

from __future__ import annotations

import functools
import itertools
import re
from typing import TYPE_CHECKING

from rttqa_build.deidentify.charset import folded
from rttqa_build.deidentify.identity import Kind
from rttqa_build.deidentify.pattern import LONG, Pattern, Rule
from rttqa_build.deidentify.vocabulary import ordinary_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_NEXT_WORD = re.compile(r"[\W_]{0,3}([^\W\d_]+)")
_LAST_WORD = re.compile(r"([^\W\d_]+)[\W_]{0,3}\Z")
# not in capitals, as modalities are
_TITLE = re.compile(r"\b(?:Mr|Mrs|MRS|Ms|Miss|MISS|Mx|Dr|Prof)\b\.? ?(?:[A-Z]\b\.? ?){0,3}\Z")
_NAMED = re.compile(
    r"(?:\b(?:patient|pt|surname|forename|(?:patient|first|last|family|given) name)|^name) ?[:=] ?\Z",
    re.IGNORECASE | re.MULTILINE,
)
_INITIAL = re.compile(r"(?:^|[\W_])([A-Z])[. ^_]{1,3}\Z")
_INITIAL_AFTER = re.compile(r"([,^]?)[. ^_,]{0,3}(?<![^\W_])([A-Za-z])(?![^\W_])")
_LATERALITY = frozenset("lrai")  # left, right, anterior, inferior; A and I are words besides
_REACH = 48
_WIDEST_GAP = 3
_MOST_ZEROS = 8
_LONGEST_WORD = 48
_SHORTEST_IN_LABEL = 4
# what labels begin or end with; no end or beginning of other words
_IN_LABELS = """
bladder boost brain breast ctv ctvn ctvp gtv gtvn gtvp imrt itv lung pelvis plan prost prostate ptv rectum
vmat
"""
_VOLUMES = frozenset(_IN_LABELS.split())
_HEXADECIMAL = frozenset("0123456789abcdef")
_HEX_BEFORE, _HEX_AFTER = re.compile(r"[0-9a-f]*\Z"), re.compile("[0-9a-f]*")
_DIGEST = 64  # characters of a SHA-256
_NO_FRACTION = re.compile(r"\.0+(?![0-9]|\.[0-9])")
_PUNCTUATION = re.compile(r"[^\w\n]*_*[^\w\n]*")
_BLANKS = re.compile(r"[ ()-]*")
_APOSTROPHE = re.compile("['`\u00b4\u02b9\u02bc\u0301\u2018\u2019\u201b\u2032]")


def counts(pattern: Pattern, plain: str, low: str, start: int, end: int) -> bool:
    """Return whether ``pattern``, matched at ``low[start:end]``, counts in its surroundings.

    ``plain`` is the normalised text and ``low`` the same folded, character for character.
    """
    match pattern.rule:
        case Rule.WORD:
            return is_word(plain, start, end) or _long_in_word(plain, low, start, end)
        case Rule.WEAK:
            return is_word(plain, start, end) and (
                is_value(plain, start, end) or _beside(pattern, plain, low, start, end)
            )
        case Rule.PHRASE:
            return stands_alone(plain, start, end) or is_distinctive(pattern.text)
        case Rule.DATE:
            return _is_date(plain, start, end)
        case Rule.VALUE:
            return is_value(plain, start, end)
        case _:
            return True


def stands_alone(plain: str, start: int, end: int) -> bool:
    """Return whether no letter or digit touches the match."""
    return not plain[max(0, start - 1) : start].isalnum() and not plain[end : end + 1].isalnum()


def is_distinctive(text: str) -> bool:
    """Return whether a long mix of letters and digits is evidence wherever it stands."""
    mixed = any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
    return mixed and sum(c.isalnum() for c in text) >= LONG


def in_digest(plain: str, start: int, end: int) -> bool:
    """Return whether the match lies inside a SHA-256 in hexadecimal: what reads as a name there is chance."""
    if not _HEXADECIMAL.issuperset(plain[start:end]):
        return False
    before = _HEX_BEFORE.search(plain, max(0, start - _DIGEST), start)
    after = _HEX_AFTER.match(plain, end, end + _DIGEST)
    if before is None or after is None:
        return False
    return after.end() - before.start() == _DIGEST and stands_alone(plain, before.start(), after.end())


def is_value(plain: str, start: int, end: int) -> bool:
    """Return whether the match is all there is on its line but for punctuation."""
    return _is_bare(plain, range(start - 1, -1, -1)) and _is_bare(plain, range(end, len(plain)))


def _is_bare(plain: str, places: Iterable[int]) -> bool:
    """Return whether no letter or digit comes before the end of the line, which may be megabytes away."""
    found = next((at for at in places if plain[at] == "\n" or plain[at].isalnum()), None)
    return found is None or plain[found] == "\n"


def is_word(plain: str, start: int, end: int) -> bool:
    """Return whether the match is a word, also in ``CTV_Jones``, ``planJones``, ``Jones2``."""
    return _begins(plain, start) and _ends(plain, start, end)


def _begins(plain: str, start: int) -> bool:
    if not start or not plain[start - 1].isalpha():
        return True
    capitalised = plain[start].isupper() and plain[start + 1 : start + 2].islower()
    return plain[start].isupper() and (plain[start - 1].islower() or capitalised)


def _ends(plain: str, start: int, end: int) -> bool:
    if end >= len(plain) or not plain[end].isalpha():
        return True
    if plain[end].isupper():
        return plain[end - 1].islower()
    return plain[start:end].isupper() and end - start > 2 and plain[end : end + 2].islower()


def _long_in_word(plain: str, low: str, start: int, end: int) -> bool:
    """Return whether a name stands inside a longer word that is not an ordinary one.

    It is long, or nothing but names of volumes stands about it: ``smithpelvis``, ``PTVPATEL``.
    """
    if end - start < _SHORTEST_IN_LABEL:
        return False
    first, last = max(0, start - _LONGEST_WORD), end + _LONGEST_WORD  # a run of letters may be megabytes long
    before, behind = start, end
    while before > first and plain[before - 1].isalpha():
        before -= 1
    while behind < len(plain) and behind < last and plain[behind].isalpha():
        behind += 1
    about = {low[before:start], low[end:behind]} - {""}
    return (end - start >= LONG or about <= _VOLUMES) and low[before:behind] not in ordinary_words()


def _beside(pattern: Pattern, plain: str, low: str, start: int, end: int) -> bool:
    """Return whether another part of the same name, its initial, or a title touches an ordinary word."""
    after = _NEXT_WORD.match(low, end, end + _REACH)
    before = _LAST_WORD.search(low, max(0, start - _REACH), start)
    if any(word and word[1] in pattern.partners for word in (after, before)):
        return True
    if not plain[start].isupper():
        return False
    first = max(0, start - _REACH)
    if _TITLE.search(plain, first, start) or _NAMED.search(plain, first, start):
        return True
    return any(any(part[0] == letter for part in pattern.partners) for letter in _initials(plain, start, end))


def _initials(plain: str, start: int, end: int) -> Iterator[str]:
    """Yield the initials beside a word, folded; one that may say left or right only behind a comma."""
    if before := _INITIAL.search(plain, max(0, start - 5), start):
        letter = folded(before[1])
        if letter not in _LATERALITY:
            yield letter
    if after := _INITIAL_AFTER.match(plain, end, end + 6):
        letter = folded(after[2])
        if after[1] or (after[2].isupper() and letter not in _LATERALITY):
            yield letter


def _is_date(plain: str, start: int, end: int) -> bool:
    if plain[start].isalpha() and plain[max(0, start - 1) : start].isalpha():
        return False
    return _no_digit_before(plain, start) and _no_digit_after(plain, end)


def is_number(plain: str, places: Sequence[int]) -> bool:
    """Return whether digits at ``places`` are one whole number: whole runs, blanks or hyphens between.

    One of seven digits or more may be padded with zeros; one that a spreadsheet took for a measurement has
    nothing but zeros behind its point. A longer one, as NHS numbers are, may have any punctuation between its
    digits.
    """
    start, end = places[0], places[-1] + 1
    long = len(places) > 8
    if len(places) > 6:
        before = plain[max(0, start - _MOST_ZEROS) : start]
        start -= len(before) - len(before.rstrip("0"))
    if len(places) > 6 and (zeros := _NO_FRACTION.match(plain, end)):
        end = zeros.end()
    if not (_no_digit_before(plain, start) and _no_digit_after(plain, end)):
        return False
    gaps = [plain[a + 1 : b] for a, b in itertools.pairwise(places) if b > a + 1]
    widest, fits = (3, _PUNCTUATION.fullmatch) if long else (2, _BLANKS.fullmatch)
    return not gaps or (len(places) > 6 and all(len(gap) <= widest and fits(gap) for gap in gaps))


def is_spaced(pattern: Pattern, plain: str, places: Sequence[int]) -> bool:
    """Return whether letters and digits at ``places`` are the pattern: punctuation at its joints only."""
    distinctive = is_distinctive(pattern.text)
    if not (distinctive or stands_alone(plain, places[0], places[-1] + 1)):
        return False
    where, anywhere = _joints(pattern.written), len(pattern.text) > 6 and pattern.kind is not Kind.NAME
    for number, (one, two) in enumerate(itertools.pairwise(places), 1):
        gap = plain[one + 1 : two]
        if gap and not (anywhere or number in where):
            return False
        if len(gap) > _WIDEST_GAP or ("\n" in gap and not distinctive):
            return False
        if gap and where.get(number) == "'" and not _APOSTROPHE.search(gap):
            return False
    return True


@functools.lru_cache(1 << 12)
def _joints(written: str) -> Mapping[int, str]:
    """Return after how many letters and digits there may be punctuation, and what was written there.

    That is where there was some, between a letter and a digit, and before a capital (McDonald).
    """
    found: dict[int, str] = {}
    count, last = 0, ""
    for at, character in enumerate(written):
        if not character.isalnum():
            found.setdefault(count, character)
            continue
        hump = character.isupper() and written[at + 1 : at + 2].islower()
        if last and (character.isdigit() is not last.isdigit() or hump):
            found.setdefault(count, " ")
        count, last = count + 1, character
    return found


def _no_digit_before(plain: str, start: int) -> bool:
    """Neither a digit nor the point of a decimal or a UID; the full stop of a sentence is no such point."""
    before = plain[max(0, start - 2) : start]
    return not before[-1:].isdecimal() and not (before[-1:] == "." and before[:1].isdecimal())


def _no_digit_after(plain: str, end: int) -> bool:
    after = plain[end : end + 2]
    return not after[:1].isdecimal() and not (after[:1] == "." and after[1:].isdecimal())
