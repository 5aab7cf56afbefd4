"""What is selected → a finding for each object that is another patient's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build.diagnostic import finding
from rttqa_build.study.identity import identifier, is_nhs, is_placeholder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.manifest import Manifest
    from rttqa_build.resolve.roles import Selected
    from rttqa_build.study import PatientIdentity

_ANCHORS = ("structure_set", "plan", "dose", "planning_image")


def check_patients(selected: tuple[Selected, ...], manifest: Manifest) -> Iterator[Diagnostic]:
    """Yield a finding for each selected object that is another patient's than the planning objects.

    Two objects are of one patient when a number agrees, or name and birth date. A number does not count
    when both name and birth date contradict it (hospitals use the same numbers), unless it is the trial's.
    NHS numbers that differ are never of one patient.
    """
    subject = identifier(manifest.submission.subject)
    ordered = sorted(selected, key=lambda s: _ANCHORS.index(s.role) if s.role in _ANCHORS else len(_ANCHORS))
    vouched = {identity for item in selected if item.same_patient for identity in _identities(item)}
    every = {identity for item in selected for identity in _identities(item)}
    known = _connected({*list(_identities(ordered[0]))[:1], *vouched} if ordered else set(), every, subject)
    for item in selected:
        if not item.same_patient and not set(_identities(item)) <= known:
            where = manifest.document.at(item.selector_path or ("source",))
            message = f"{item.place} carries another patient's identity than the other objects"
            yield finding("R301", message, where, subject=item.name)


def _identities(item: Selected) -> tuple[PatientIdentity, ...]:
    return tuple(dict.fromkeys(instance.patient for instance in item.instances))


def _connected(
    known: set[PatientIdentity], every: set[PatientIdentity], subject: str
) -> set[PatientIdentity]:
    """Return every identity that agrees with a known one, or with one that does, and so on."""
    while joining := {e for e in every - known if any(_agree(e, k, subject) for k in known)}:
        known = known | joining
    return known


def _agree(one: PatientIdentity, two: PatientIdentity, subject: str) -> bool:
    if _national(one) and _national(two) and not _national(one) & _national(two):
        return False
    shared = {one.patient_id, *one.other_ids} & {two.patient_id, *two.other_ids}
    numbers = {n for n in shared if n and (n == subject or not is_placeholder(n))}
    same_name, same_birth = one.name == two.name, one.birth_date == two.birth_date
    if same_name and same_birth and one.name and one.birth_date:
        return True
    told = all((one.name, two.name, one.birth_date, two.birth_date))
    contradicted = told and not same_name and not same_birth
    return subject in numbers or (bool(numbers) and not contradicted)


def _national(who: PatientIdentity) -> set[str]:
    """Return the NHS, CHI and H&C numbers of a patient."""
    return {number for number in (who.patient_id, *who.other_ids) if is_nhs(number)}
