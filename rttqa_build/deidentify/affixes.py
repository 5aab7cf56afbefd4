"""Names in odd places of a person name: run together in CamelCase, or where a title or a degree belongs."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from rttqa_build.deidentify.charset import folded
from rttqa_build.deidentify.pattern import LETTERS
from rttqa_build.deidentify.vocabulary import ordinary_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# beginnings of names that are followed by a capital
_BEGINNINGS_OF_NAMES = """
Mc Mac Fitz O D De Del Della Der Den Di Da Dos Du La Le Van Von Vande Ten Ter St San Santa Al El Abu Abd Ibn
Bin Bint Ap Ab
"""
_TITLES_AND_DEGREES = """
baron baroness captain cllr colonel commander corporal councillor countess doktor esquire father frau herr
honourable imam junior lieutenant madame mademoiselle messrs monsieur rabbi reverend senior sergeant señor
señora sheikh signor signora viscount
bchir bmbch bmbs bmedsci dphil fipem ffrrcsi fhea frca frcem frcgp frcog frcp frcpath frcpch frcr frcs mbbch
mbbchir mbchb mipem mrcgp mrcog mrcp mrcpath mrcpch mrcs msci tdcr
"""
_BEGINNINGS, _TITLES = frozenset(_BEGINNINGS_OF_NAMES.split()), frozenset(_TITLES_AND_DEGREES.split())
_FEWEST = 4  # letters: shorter ones are abbreviations


def run_together(part: str) -> tuple[str, ...]:
    """Return the names in ``HargreavesMargaret``; none where no part of it is likely to be a person's.

    What is an ordinary word gives no name: a phantom's label is written so, too (``HeadPhantom``).
    """
    humps = list(_joined(_humps(part)))
    names = [hump for hump in humps if len(hump) > 2 and folded(hump) not in ordinary_words()]
    return tuple(names) if len(humps) > 1 and any(len(name) >= _FEWEST for name in names) else ()


def in_affixes(affixes: Iterable[str]) -> Iterator[str]:
    """Yield what stands in prefix or suffix of a person name (PS3.5 6.2.1) and is no title or degree."""
    for part in LETTERS.findall(" ".join(affixes)):
        if len(part) >= _FEWEST and part.lower() not in _TITLES and folded(part) not in ordinary_words():
            yield part


def _humps(part: str) -> Iterator[str]:
    """Take a word apart before capitals that follow small letters or are followed by them."""
    start = 0
    for at, (before, letter) in enumerate(itertools.pairwise(part), 1):
        if letter.isupper() and (before.islower() or part[at + 1 : at + 2].islower()):
            yield part[start:at]
            start = at
    yield part[start:]


def _joined(humps: Iterator[str]) -> Iterator[str]:
    """Put beginnings of names before what they belong to: Mc Donald, Van Der Berg."""
    kept = ""
    for hump in humps:
        if hump in _BEGINNINGS:
            kept += hump
        else:
            yield kept + hump
            kept = ""
    if kept:
        yield kept
