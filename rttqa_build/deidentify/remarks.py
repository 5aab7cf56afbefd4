"""Free text in the originals (comments, histories) → the identities that it calls so itself.

Only what a label or a check digit makes one: of any other capitalised word nobody can tell a name from a
place, a drug or an eponym (Hartmann, Crohn), and each would be a false alarm wherever it stands.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from rttqa_build.deidentify.charset import decoded, folded, normalised, squeezed
from rttqa_build.deidentify.labels import dates
from rttqa_build.deidentify.vocabulary import ordinary_words

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBER = re.compile(r"(?<![\d.])\d{3}[ -]?\d{3}[ -]?\d{4}(?!\d|\.\d)")
_LABELLED = re.compile(
    r"(?i:\b(?:(?:NHS|CHI|MRN)(?:(?=\d)|\b(?: ?(?:no|number|id)\b)?)|(?:hosp(?:ital)?|unit|patient|case)"
    r" ?(?:no|number|id)\b)[.:=# ]{0,3})([A-Za-z]{0,4}[ -]?\d{5,10}[A-Za-z]?)\b"
)
_WORD = r"(?:[^\W\d_a-z]['\u2019])?[^\W\d_a-z][^\W\d_]{2,}(?:-[^\W\d_]{2,})*"
_NAME = rf"({_WORD}(?: [A-Z\u00c0-\u00de][a-z\u00df-\u00ff]{{2,}})?)(?![^\W\d_])"
_LABEL = re.compile(
    r"(?i:\bn[ée]e ?:? |\b(?:(?:sur|fore|maiden |birth |family |last |first |given |previous |former )name"
    rf"|preferred name|next of kin|NOK)(?: is | ?[:=] ?)){_NAME}"
)
# ... but not of a disease: "known as Paget's", "known as Hartmann procedure"
_KNOWN = re.compile(
    r"(?:^|[.;(]|\b(?i:patient|pt|she|he|likes|prefers))[ ,]*"
    r"(?i:\b(?:to be called|(?:to be )?known as|a\.?k\.?a\.?))(?: ?[:=] ?| )"
    rf"[\"'\u2018\u201c]?{_NAME}(?!['\u2019]s| [a-z])",
    re.MULTILINE,
)
_TITLED = re.compile(rf"\b(?:Mr|Mrs|Miss|MISS|Ms|Mx|Dr|Prof)\b\.? ?(?:[A-Z]\b\.? ?){{0,3}}{_NAME}")
_BORN = re.compile(
    r"(?i:(?<![a-z])(?:d\.?o\.?b(?![a-z])\.?|born|date of birth|birth ?(?:date|day))(?: on)?)"
    r"[ .:=#]{0,3}(?=\d)"
)
_OLD_YEAR = re.compile(r"(?<=[-/.])(?=[5-9]\d(?!\d))")  # nobody was born in 2051
_BEHIND = 20
_LONGEST = 1 << 14


@functools.lru_cache(1 << 10)  # the same comment stands in every slice
def told(value: bytes, charsets: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names and the numbers that a free text calls so, sorted."""
    texts = [normalised(text) for text in decoded(value[:_LONGEST], charsets)]
    names = {name for text in texts for name in _names(text)}
    return tuple(sorted(names)), tuple(sorted({number for text in texts for number in _numbers(text)}))


@functools.lru_cache(1 << 12)
def is_personal(value: bytes, charsets: tuple[str, ...]) -> bool:
    """Return whether a label calls something a person's: a name behind a title, a number, a birth date.

    In a comment a title is no evidence that the name is the patient's; a label needs nobody's.
    """
    texts = [normalised(text) for text in decoded(value[:_LONGEST], charsets)]
    return any(told(value, charsets)) or any(
        _BORN.search(text) or any(_named(text, _TITLED)) for text in texts
    )


@functools.lru_cache(1 << 10)
def births(value: bytes, charsets: tuple[str, ...]) -> tuple[str, ...]:
    """Return the dates that a free text calls dates of birth, as DA values, sorted."""
    texts = [normalised(text) for text in decoded(value[:_LONGEST], charsets)]
    behind = {text[match.end() :][:_BEHIND] for text in texts for match in _BORN.finditer(text)}
    behind = {_OLD_YEAR.sub("19", text) for text in behind}
    return tuple(sorted({f"{day:%Y%m%d}" for text in behind for day in dates(text)}))


def _names(text: str) -> Iterator[str]:
    yield from _named(text, _LABEL, _KNOWN)


def _named(text: str, *labels: re.Pattern[str]) -> Iterator[str]:
    for label in labels:
        for match in label.finditer(text):
            words = [word for word in match[1].split() if folded(word) not in ordinary_words()]
            if words:
                yield "^".join(words)


def _numbers(text: str) -> Iterator[str]:
    from rttqa_build.study.identity import is_nhs

    runs = (squeezed(match[0]) for match in _NUMBER.finditer(text))
    yield from filter(is_nhs, runs)
    yield from (match[1] for match in _LABELLED.finditer(text))
