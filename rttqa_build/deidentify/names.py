"""Person names (PS3.5 6.2.1) → their patterns: parts, parts run together, whole names."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from rttqa_build.deidentify.affixes import in_affixes, run_together
from rttqa_build.deidentify.charset import folded, normalised, squeezed
from rttqa_build.deidentify.identity import Kind, Who
from rttqa_build.deidentify.pattern import CJK, DIGITS, LETTERS, LONG, Pattern, Rule
from rttqa_build.deidentify.vocabulary import ordinary_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# particles and titles: part of many names, evidence of none
_PARTICLES = frozenset(
    {
    "al", "abu", "bin", "da", "das", "de", "del", "della", "den", "der", "di", "dos", "du", "el", "ibn",
    "la", "le", "mac", "of", "ten", "ter", "the", "van", "von", "and", "or", "to", "mr", "mrs", "ms",
    "dr", "mx", "prof", "sir", "phd", "msc", "bsc", "frcr", "mbbs", "miss", "lady", "lord", "rev"
    }
)  # fmt: skip
_MOST_PARTS = 16  # of one name: of a list of words each would have all the others
_MONTHS = frozenset({"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"})


def name_patterns(who: Who, group: str, ours: Collection[str]) -> Iterator[Pattern]:
    """Spell one component group of a person name (PS3.5 6.2.1): family^given^middle^prefix^suffix."""
    given = ["" if squeezed(c) in ours else c for c in group.split("^")]
    components = list(filter(str.strip, given[:3]))
    parts = [
        part
        for component in components
        for part in LETTERS.findall(component)
        if folded(part) not in _PARTICLES and (len(part) > 1 or part >= CJK)
    ]
    together = [name for part in parts for name in run_together(part)]
    affixes = list(in_affixes(given[3:5])) if who is Who.PATIENT else []  # of staff: degrees of all sorts
    weak = {name for name in together if len(name) < 4} | {name for name in affixes if len(name) < 6}
    weak -= {*parts}
    names = frozenset(folded(part) for part in (*parts, *together))
    for part in (*parts, *together, *affixes):
        partners = names - {folded(part)} if len(names) <= _MOST_PARTS else names
        yield _name_part(who, part, partners, weak=part in weak)
        for other in dict.fromkeys(_respelt(part.lower())):
            yield _name_part(who, other, partners)
            yield from _prefixed(who, other)
        yield from _prefixed(who, part)
        if not part.isascii():
            yield from _damaged(who, part, partners)
    for component in components:
        yield from _compound(who, component)
    yield from _whole_name(who, parts, [c for c in components if LETTERS.search(c)])
    yield from _whole_name(who, together, together)


def _name_part(who: Who, part: str, partners: frozenset[str], *, weak: bool = False) -> Pattern:
    text = folded(part)
    if part[0] >= CJK:
        rule = Rule.ANYWHERE if len(part) > 1 else Rule.VALUE
    elif weak or len(text) < 3 or text in ordinary_words():
        rule = Rule.WEAK
    else:
        rule = Rule.WORD
    return Pattern(text, part, rule, who, Kind.NAME, partners)


_TRANSLITERATION = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe"}
)


_UMLAUTS = re.compile("[aou]e|ss")
_PLAIN_VOWEL = re.compile("[aou](?=[bcdfghklmnprstvwz])")
_LONG_ENOUGH, _TOO_LONG = 5, 48  # shorter names become other words too easily; longer ones are none


def transliterated(part: str) -> str:
    """Return a name, in lower case, as it is written where its letters are not at hand (mueller)."""
    return part.lower().translate(_TRANSLITERATION)


def _respelt(name: str) -> Iterator[str]:
    """Yield the other spellings of a name in lower case: mueller, muller for each other; macrae for mcrae."""
    if (other := transliterated(name)) != name:
        yield other
    if not _LONG_ENOUGH <= len(name) <= _TOO_LONG:
        return
    if (other := _UMLAUTS.sub(lambda match: match[0][0], name)) != name:
        yield other
    elif name.isascii():
        yield from (f"{name[: m.end()]}e{name[m.end() :]}" for m in _PLAIN_VOWEL.finditer(name))
    for one, two in (("mc", "mac"), ("mac", "mc")):
        if name.startswith(one) and len(name) > len(one) + 2:
            yield two + name.removeprefix(one)
            break


_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_LOST = ("?", "??", "_", "\ufffd")  # what programs write for a letter that they cannot


def _damaged(who: Who, part: str, partners: frozenset[str]) -> Iterator[Pattern]:
    """Spell a name as programs write it that have no letters beyond ASCII, or read UTF-8 as Latin-1.

    M?ller, Mller and MÃ¼ller for Müller.
    """
    bare = _BEYOND_ASCII.sub("", part)
    if len(bare) < 3 or part[0] >= CJK:
        return
    if folded(bare) not in ordinary_words():
        for text in (_BEYOND_ASCII.sub(lost, part) for lost in _LOST):
            yield Pattern(folded(text), text, Rule.PHRASE, who, Kind.NAME)
        if len(bare) >= _LONG_ENOUGH:
            yield _name_part(who, bare, partners)
    for codec in ("latin_1", "cp1252"):
        text = normalised(part.encode().decode(codec, "ignore"))
        low = folded(text)
        # of some letters nothing is left that stands in no word: AINE for Áine
        rule = Rule.PHRASE if low.replace(" ", "").isalpha() else Rule.ANYWHERE
        if not ordinary_words().issuperset(low.split()):
            yield Pattern(low, text, rule, who, Kind.NAME)


# beginnings of names that are also written apart, and what then stands between
_PREFIXES = {"O": "'", "D": "'", "MC": " ", "MAC": " ", "FITZ": " "}


def _prefixed(who: Who, part: str) -> Iterator[Pattern]:
    """Spell a name with its beginning apart: Mc Donald, O'Neill; where capitals do not tell, by a list."""
    humps = sum(c.isupper() for c in part[1:])
    if humps and not part.isupper():
        yield Pattern(folded(part), part, Rule.SPACED, who, Kind.NAME)
        return
    if folded(part) in ordinary_words():
        return
    for prefix, mark in _PREFIXES.items():
        rest = part[len(prefix) :]
        if part.upper().startswith(prefix) and len(rest) > 2:
            yield Pattern(folded(part), f"{prefix}{mark}{rest.lower()}", Rule.SPACED, who, Kind.NAME)


def _compound(who: Who, component: str) -> Iterator[Pattern]:
    """Spell a component of several words or with digits also in one: O'Brien, Smith-Jones, user names."""
    words = LETTERS.findall(component)
    glued = "".join(words)
    if len(words) > 1 and len(glued) > 4 and folded(glued) not in ordinary_words():
        yield Pattern(folded(glued), glued, Rule.WORD, who, Kind.NAME)
    has_digits = DIGITS.search(component) and not any(folded(w)[:3] in _MONTHS for w in words)
    if words and has_digits and " " not in component and len(squeezed(component)) > 5:
        yield Pattern(folded(component), component, Rule.PHRASE, who, Kind.NAME)


def _whole_name(who: Who, parts: list[str], components: list[str]) -> Iterator[Pattern]:
    """Spell family and given name together, and a long enough family name with the initial stuck to it."""
    for one, two in itertools.permutations(dict.fromkeys(parts[:4]), 2):
        yield from _glued(who, one, two)
        for text in (f"{one} {two}", f"{one}^{two}", f"{one}, {two}", f"{one}_{two}"):
            if len(text) >= LONG:
                yield Pattern(folded(text), text, Rule.PHRASE, who, Kind.NAME)
    if len(components) < 2:
        return
    family = "".join(LETTERS.findall(components[0]))
    initial = LETTERS.findall(components[1])[0][0]
    for text in (initial + family, family + initial):
        if len(family) > 3 and folded(text) not in ordinary_words():
            yield Pattern(folded(text), text, Rule.WORD, who, Kind.NAME)


def _glued(who: Who, one: str, two: str) -> Iterator[Pattern]:
    """Spell two names in one, as scripts without spaces and logins have them.

    Not of two ordinary words: these meet where a reading of a page leaves out what stands between.
    """
    both = folded(one + two)
    if one[0] >= CJK:
        yield Pattern(both, one + two, Rule.ANYWHERE, who, Kind.NAME)
    elif len(both) > 4 and not {folded(one), folded(two)} <= ordinary_words():
        yield Pattern(both, one + two, Rule.WORD, who, Kind.NAME)
