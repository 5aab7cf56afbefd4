"""A submission's trial ID × who its objects say the patient is → a finding where the ID is no pseudonym.

That an export holds the trial ID already proves nothing: many sites anonymise in the planning system. But a
name, a birth date, an NHS or hospital number that somebody typed as the trial ID would stand in every object,
in the package's name, in the email and in Git; and what a submission puts there on purpose is never residue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build.deidentify.charset import folded, squeezed
from rttqa_build.deidentify.pattern import DIGITS, LETTERS
from rttqa_build.deidentify.vocabulary import ordinary_words
from rttqa_build.diagnostic import finding
from rttqa_build.schema import matches
from rttqa_build.study.identity import is_nhs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rttqa_build.diagnostic import Diagnostic, Location
    from rttqa_build.study import PatientIdentity
    from rttqa_build.trial import Trial

_SHORTEST_NAME = 4
# a pattern of trial IDs that takes all of these takes anything
_ANYTHING = ("SURNAME", "12345678", "A123456")


def check_subject(
    subject: str, patients: Iterable[PatientIdentity], trial: Trial, where: Location
) -> Iterator[Diagnostic]:
    """Yield a finding where the trial ID is the patient's own name, birth date or number.

    A Patient ID that equals it is the trial's where the trial has a form of its own for these, or where the
    object names nobody: then somebody anonymised it before.
    """
    known = set(patients) if subject else set()
    if any(_is_own(subject, one, trial) for one in known):
        yield finding("A108", "the trial ID is the patient's own name, birth date or NHS number", where)
    elif not _is_distinctive(trial.patient_id_pattern) and any(
        squeezed(subject) in _numbers(one) and _names_somebody(one, subject) for one in known
    ):
        yield finding("A109", "the trial ID is the Patient ID of objects that name a person", where)


def _is_own(subject: str, who: PatientIdentity, trial: Trial) -> bool:
    bare = squeezed(subject)
    year, month, day = who.birth_date[:4], who.birth_date[4:6], who.birth_date[6:8]
    if bare in _numbers(who) and is_nhs(bare):
        return True
    if day and bare in (year + month + day, day + month + year, month + day + year):
        return True
    ours = _words(f"{trial.id} {trial.title}") | ordinary_words()
    own = {word for word in _words(who.name) - ours if len(word) >= _SHORTEST_NAME}
    return _names_somebody(who, subject) and not own.isdisjoint(_words(subject))


def _names_somebody(who: PatientIdentity, subject: str) -> bool:
    """Return whether an object has a person's name: no number, none of its own identifiers, no phantom's."""
    if not who.name or DIGITS.search(who.name) or squeezed(who.name) in {squeezed(subject), *_numbers(who)}:
        return False
    return bool(who.birth_date) or not _words(who.name) <= ordinary_words()


def _numbers(who: PatientIdentity) -> set[str]:
    return {squeezed(number) for number in (who.patient_id, *who.other_ids)} - {""}


def _words(text: str) -> set[str]:
    return {folded(word) for word in LETTERS.findall(text)}


def _is_distinctive(pattern: str) -> bool:
    return bool(pattern) and not all(matches(pattern, text) for text in _ANYTHING)
