"""Names in a planning system × a trial's structures → which name may stand for which, and why.

Sure is only what was accepted before and what the trial itself calls so. The rest is likeness: the same words
(TG-263), nearly the same spelling. Left is never taken for right, nor either for both; a target never for
another kind of target; no number for another.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.trial import folded, structure_called

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rttqa_build.trial import StructureRule, Trial

EARLIER = "as in earlier submissions"
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_NEAR = 0.8
# how planning systems write what TG-263 writes otherwise
_WORDS = {
    **dict.fromkeys(("left", "lt", "li", "links"), "l"),
    **dict.fromkeys(("right", "rt", "re", "rechts"), "r"),
    **dict.fromkeys(("both", "bilat", "bilateral"), "b"),
    **dict.fromkeys(("fem", "femoral"), "femur"),
    **dict.fromkeys(("hd", "heads"), "head"),
    **dict.fromkeys(("oesophagus", "oesoph", "esoph"), "esophagus"),
    **dict.fromkeys(("sem", "semi"), "seminal"),
    **dict.fromkeys(("ves", "vesicle", "vesicles"), "ves"),
    **dict.fromkeys(("pen", "penile"), "penile"),
    **dict.fromkeys(("kid", "kidneys"), "kidney"),
    **dict.fromkeys(("mand", "jaw"), "mandible"),
    **dict.fromkeys(("body", "skin", "outline", "external"), "external"),
}
_NO_WORDS = frozenset({"oar", "the", "of", "final", "structure", "gy"})
# words that no likeness bridges: the side, the kind of volume, a margin around an organ
_TELLING = frozenset({"l", "r", "b", "gtv", "ctv", "ptv", "itv", "gtvn", "ctvn", "ptvn", "prv"})
_SIDES = (("l", "r"), ("lt", "rt"), ("left", "right"))
# z and _ in front mark structures that nobody is to review (TG-263)
_HELPER = ("z", "_")


class Match(NamedTuple):
    """A name in the planning system, and why it may be the one; ``why`` is empty for a trial's alias."""

    label: str
    why: str = ""


class Matches(NamedTuple):
    """Trial's names with the one structure each that is sure, and those that a person must choose among."""

    sure: Mapping[str, Match]
    open: Mapping[str, tuple[Match, ...]]


def matches(
    labels: Iterable[str], trial: Trial, remembered: Mapping[str, tuple[str, ...]] | None = None
) -> Matches:
    """Return what the names of a structure set stand for.

    ``remembered``: trial's name → names that were accepted before.
    """
    names = tuple(dict.fromkeys(labels))
    sure: dict[str, Match] = {}
    unsure: dict[str, tuple[Match, ...]] = {}
    accepted = _accepted(names, trial, remembered or {})
    taken = {label for found in accepted.values() for label in found}
    for rule in trial.structures:
        before = [label for label, rules in _owners(accepted).items() if rules == [rule.name]]
        called = [label for label in names if label not in taken and structure_called(trial, label) == rule]
        found = [Match(one, EARLIER) for one in before] or [Match(one) for one in called]
        doubtful = [Match(one, EARLIER) for one in accepted.get(rule.name, []) if one not in before]
        if len(found) == 1:
            sure[rule.name] = found[0]
        elif found or doubtful:
            unsure[rule.name] = (*found, *doubtful)
    _add_alike(names, trial, taken, sure, unsure)
    return Matches(sure, unsure)


def _accepted(
    names: tuple[str, ...], trial: Trial, remembered: Mapping[str, tuple[str, ...]]
) -> dict[str, list[str]]:
    """Return trial's name → the names at hand that were accepted for it before; none of the other side."""
    known = {rule.name: {folded(one) for one in remembered.get(rule.name, ())} for rule in trial.structures}
    found = {
        rule: [name for name in names if folded(name) in spelt and not _crossed(name, rule)]
        for rule, spelt in known.items()
    }
    return {rule: some for rule, some in found.items() if some}


def _owners(accepted: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return name → the trial's names for which it was accepted; several where centres changed their mind."""
    owners: dict[str, list[str]] = {}
    for rule, labels in accepted.items():
        for label in labels:
            owners.setdefault(label, []).append(rule)
    return owners


def _add_alike(
    names: tuple[str, ...],
    trial: Trial,
    taken: set[str],
    sure: Mapping[str, Match],
    unsure: dict[str, tuple[Match, ...]],
) -> None:
    """Add the names that are only like a structure's, for structures of which nothing better is known."""
    free = [one for one in names if one not in taken and structure_called(trial, one) is None]
    for rule in trial.structures:
        if rule.name not in sure and rule.name not in unsure:
            found = tuple(_alike([one for one in free if not one.startswith(_HELPER)], rule))
            if found:
                unsure[rule.name] = found


def _alike(names: Iterable[str], rule: StructureRule) -> Iterator[Match]:
    spellings = tuple(dict.fromkeys((rule.name, *rule.aliases)))
    for name in names:
        mine = _words(name)
        if any(mine == _words(one) for one in spellings):
            yield Match(name, "the same words")
        elif any(_telling(mine) == _telling(_words(one)) and _near(name, one) for one in spellings):
            yield Match(name, "spelt nearly so")


def _near(name: str, spelling: str) -> bool:
    mine, other = folded(name), folded(spelling)
    if _kind(mine) != _kind(other) or _other_side(mine, other):
        return False
    if _one_side_of(mine, other) or _one_side_of(other, mine):
        return False
    pair = difflib.SequenceMatcher(None, mine, other)
    return pair.real_quick_ratio() >= _NEAR and pair.quick_ratio() >= _NEAR and pair.ratio() >= _NEAR


def _kind(name: str) -> str:
    """Return the kind of target that a folded name begins with, however its words are set apart."""
    return name[:3] if name.startswith(("gtv", "ctv", "ptv", "itv")) else ""


def _other_side(name: str, other: str) -> bool:
    """Return whether two folded names begin, or end, on different sides: lungr and lungl, rtlung, ltlung."""
    pairs = tuple((one, two) for left, right in _SIDES for one, two in ((left, right), (right, left)))
    begun = any(name.startswith(one) and other.startswith(two) for one, two in pairs)
    return begun or any(name.endswith(one) and other.endswith(two) for one, two in pairs)


def _crossed(name: str, other: str) -> bool:
    """Return whether one name says left alone and the other right alone."""
    mine, theirs = (set(_words(text)) & {"l", "r"} for text in (name, other))
    return len(mine) == len(theirs) == 1 and mine != theirs


def _one_side_of(name: str, other: str) -> bool:
    """Return whether a folded name is another one with a side put to it: rparotid and parotids."""
    sides = [side for pair in _SIDES for side in pair]
    begun = (name.removeprefix(side) for side in sides if name.startswith(side))
    ended = (name.removesuffix(side) for side in sides if name.endswith(side))
    return any(rest[:4] == other[:4] for rest in begun) or any(rest in (other, other[:-1]) for rest in ended)


def _words(name: str) -> tuple[str, ...]:
    """Return the words of a name in TG-263's spelling, sorted, as planning systems order them variously."""
    words = (word.casefold() for word in _WORD.findall(name))
    return tuple(sorted(_WORDS.get(word, word) for word in words if word not in _NO_WORDS))


def _telling(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word in _TELLING or word.isdecimal())
