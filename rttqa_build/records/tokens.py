"""Patient tokens tell whether two submissions of one trial concern one patient (``lock.yaml``).

A token is an HMAC under the trial's key, so that the repository tells whether two submissions agree, and
nothing else. Tokens compare within a kind only: ``nhs`` (a valid NHS, CHI or H&C number) and ``local``.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rttqa_build.deidentify.charset import squeezed
from rttqa_build.diagnostic import Diagnostic, Location, finding
from rttqa_build.study.identity import is_nhs, is_placeholder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rttqa_build.manifest import Submission
    from rttqa_build.pseudonym import Pseudonyms
    from rttqa_build.resolve import Selected

# A dummy run or a benchmark is planned on whatever patient serves: its identity proves nothing.
EXEMPT = ("dummy-run", "outlining-benchmark", "planning-benchmark")


def patient_tokens(roles: Iterable[Selected], submission: Submission, names: Pseudonyms) -> Mapping[str, str]:
    """Return one token per kind of number that the planning objects carry."""
    return tokens_of(planning_of(roles), submission, names)


def planning_of(roles: Iterable[Selected]) -> list[Selected]:
    """Return the selections but diagnostic images, which may come from another hospital."""
    return [one for one in roles if not one.role.startswith("diagnostic_")]


def tokens_of(roles: Iterable[Selected], submission: Submission, names: Pseudonyms) -> Mapping[str, str]:
    """Return one token per kind of number that these objects carry, where it is one.

    An NHS number that stands as the Patient ID is no local one: two kinds are never compared. What stands
    where there is no number (``9999999999``, ``ANONYMOUS``) is everybody's, and gives none.
    """
    patients = [instance.patient for one in roles for instance in one.instances]
    numbers = {number for p in patients for number in (p.patient_id, *p.other_ids)}
    nhs = sorted(number for number in numbers if is_nhs(number))
    ours = squeezed(submission.subject)
    own = {p.patient_id for p in patients if squeezed(p.patient_id) not in ("", ours)}
    local = sorted(number for number in own - {*nhs} if not is_placeholder(number))
    found = {"nhs": nhs[0] if len(nhs) == 1 else "", "local": local[0] if len(local) == 1 else ""}
    return {kind: names.patient_token(kind, number) for kind, number in found.items() if number}


_SAID: Mapping[str, str] = {
    "R310": "it has the trial ID of {}, but was made from another patient's objects",
    "R311": "it was made from the same patient's objects as {}, under another trial ID",
    "R312": "it has the trial ID of {}, but no kind of patient number in common",
}
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Tokened:
    """One submission as far as patients are compared: name, trial, trial ID, purpose, tokens by kind.

    ``vouched``: the manifest has a person's word (``same_patient``) on whose objects these are.
    """

    name: str
    trial: str
    patient: str
    purpose: str
    tokens: Mapping[str, str]
    vouched: bool = False


def wrong_patient(every: Iterable[Tokened]) -> Iterator[Diagnostic]:
    """Yield findings: for each submission, one a kind of contradiction with others' trial IDs and tokens."""
    judged = sorted((one for one in every if one.purpose not in EXEMPT and one.patient), key=lambda t: t.name)
    sharing: dict[tuple[str, str, str], list[Tokened]] = defaultdict(list)
    for one in judged:
        for key in _keys(one):
            sharing[key].append(one)
    for one in judged:
        others = {other.name: other for key in _keys(one) for other in sharing[key] if other is not one}
        told: dict[str, list[str]] = defaultdict(list)
        for name, other in others.items():
            told[_contradiction(one, other)].append(name)
        yield from _findings(one, told)


def _keys(one: Tokened) -> Iterator[tuple[str, str, str]]:
    """Yield what two submissions must share to contradict each other: a trial ID or a token."""
    yield one.trial, "", one.patient
    for kind, token in one.tokens.items():
        yield one.trial, kind, token


def _contradiction(one: Tokened, other: Tokened) -> str:
    """Return the code of what two submissions that share a trial ID or a token contradict each other in."""
    shared = one.tokens.keys() & other.tokens.keys()
    agree = any(one.tokens[kind] == other.tokens[kind] for kind in shared)
    if one.patient != other.patient:
        return "R311" if agree else ""
    if shared:
        return "" if agree else "R310"
    return "" if one.vouched or other.vouched else "R312"


def _findings(one: Tokened, told: Mapping[str, list[str]]) -> Iterator[Diagnostic]:
    """Yield what is to be said of a submission; ``told``: code → the names of the others."""
    where = Location(f"submissions/{one.name}/lock.yaml", item="patient_tokens")
    for code in sorted(told.keys() & _SAID.keys()):
        yield finding(code, _SAID[code].format(_listed(sorted(told[code]))), where, subject=one.name)


def _listed(names: list[str]) -> str:
    """Return names in words; of many, how many more there are."""
    if len(names) > _MOST_NAMED:
        return f"{', '.join(names[:_MOST_NAMED])} and {len(names) - _MOST_NAMED} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
