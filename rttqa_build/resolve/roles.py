"""The nouns of resolution: roles, the objects that could play one, and the objects that do."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rttqa_build.study import DoseFacts, ImageFacts, Kind, PlanFacts, StructureFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.manifest import SamePatient, Submission
    from rttqa_build.source import Path
    from rttqa_build.study import Fate, Instance, Study
    from rttqa_build.trial import ObjectRule, Trial

CHAIN = ("dose", "plan", "structure_set", "planning_image")
"""The roles that DICOM links join, in the order in which the links are followed."""

_ORDER = ("planning_image", "ct_4d", "structure_set", "plan", "dose", "registration")
_KINDS = {
    "structure_set": Kind.STRUCTURE_SET,
    "plan": Kind.PLAN,
    "dose": Kind.DOSE,
    "registration": Kind.REGISTRATION,
}
_MODALITIES = {"structure_set": "RTSTRUCT", "plan": "RTPLAN", "dose": "RTDOSE", "registration": "REG"}
_SHOWN_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Candidate:
    """What can play a role: one object, or all images of one series in the order of their position."""

    instances: tuple[Instance, ...]

    @property
    def first(self) -> Instance:
        """Return the object, or the series' first image."""
        return self.instances[0]

    @property
    def uids(self) -> frozenset[str]:
        """Return the SOP Instance UIDs."""
        return frozenset(instance.sop_uid for instance in self.instances)

    def references(self, word: str) -> frozenset[str]:
        """Return the UIDs of one kind that the object refers to."""
        return frozenset(self.first.references.get(word, ()))


@dataclass(frozen=True, slots=True)
class Selected:
    """One object or series in its role.

    ``selector_path`` is the place in the manifest that chose it, empty when it was found by its links; ``of``
    names the plans that a dose belongs to, by its references or by ``of:``.
    """

    role: str
    id: str
    instances: tuple[Instance, ...]
    selector_path: Path = ()
    of: tuple[str, ...] = ()
    same_patient: SamePatient | None = None

    @property
    def name(self) -> str:
        """Return the id that the manifest calls it by, else its role."""
        return self.id or self.role

    @property
    def place(self) -> str:
        """Return ``role`` or ``role:id``: where findings about it lie."""
        return f"{self.role}:{self.id}" if self.id else self.role

    @property
    def candidate(self) -> Candidate:
        """Return its objects as a candidate."""
        return Candidate(self.instances)


def _as_it_is(uid: str) -> str:
    return uid


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was received before a supplement to it; nothing for any other submission.

    ``roles`` are filled already. ``sent``: word under which others refer to an object (``plan``) → base UIDs;
    ``base`` gives that of an original UID.
    """

    roles: frozenset[str] = frozenset()
    sent: Mapping[str, frozenset[str]] = field(default_factory=dict)
    base: Callable[[str], str] = _as_it_is

    @property
    def series(self) -> int:
        """Return how many roles of images are filled. No record lists their UIDs: any may be among them."""
        return sum(is_series(role) for role in self.roles)

    def missing(self, word: str, uids: frozenset[str]) -> frozenset[str]:
        """Return those of some objects, referred to under a word, that were not sent before."""
        if word == "images" and self.series:
            return frozenset()
        known = self.sent.get(word, frozenset())
        return frozenset(uid for uid in uids if self.base(uid) not in known) if known else uids


NOTHING = Earlier()


@dataclass(frozen=True, slots=True)
class Resolution:
    """Which object plays which role, what is left out and why, and what is wrong with that."""

    roles: tuple[Selected, ...] = ()
    left_out: tuple[Fate, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = field(default=())

    def of(self, role: str) -> tuple[Selected, ...]:
        """Return what plays one role, in the manifest's order."""
        return tuple(selected for selected in self.roles if selected.role == role)

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Return every selected object once, in the order of the roles."""
        return tuple({i.file.sha256: i for selected in self.roles for i in selected.instances}.values())


def role_order(role: str) -> tuple[int, str]:
    """Return the sort key of a role: planning objects, registrations, then diagnostic series by name."""
    return (_ORDER.index(role) if role in _ORDER else len(_ORDER), role)


def rules_for(role: str, trial: Trial, submission: Submission) -> tuple[ObjectRule, ...]:
    """Return the trial's rules for a role that hold for this submission."""
    return tuple(rule for rule in trial.objects if rule.role == role and rule.when.holds(submission))


def asked_for(role: str, trial: Trial, submission: Submission) -> bool:
    """Return whether the trial takes this role here; a trial without object rules takes every role."""
    return not trial.objects or bool(rules_for(role, trial, submission))


def is_series(role: str) -> bool:
    """Return whether a role is played by a series of images rather than by one object."""
    return role not in _KINDS


def modalities_of(role: str, rules: Iterable[ObjectRule]) -> frozenset[str]:
    """Return the modalities an image role takes: the trial's, else CT or what the role is named after."""
    named = role.removeprefix("diagnostic_").upper() if role.startswith("diagnostic_") else "CT"
    return frozenset(modality for rule in rules for modality in rule.modalities) or frozenset({named})


def modalities_taken(trial: Trial, submission: Submission) -> Container[str]:
    """Return the modalities of all roles of a trial: the SOP classes that it takes are those of its roles."""
    roles = {rule.role for rule in trial.objects} or {*_ORDER, "diagnostic_mr", "diagnostic_pt"}
    series = (modalities_of(role, rules_for(role, trial, submission)) for role in roles if is_series(role))
    return frozenset(_MODALITIES[role] for role in roles if not is_series(role)).union(*series)


def candidates(instances: Iterable[Instance], role: str, modalities: frozenset[str]) -> tuple[Candidate, ...]:
    """Return what could play a role among some objects, in an order that does not depend on file names."""
    if role in _KINDS:
        found = [Candidate((i,)) for i in instances if i.kind is _KINDS[role]]
    else:
        series: dict[str, list[Instance]] = defaultdict(list)
        for instance in instances:
            if instance.kind is Kind.IMAGE and instance.modality in modalities:
                series[instance.series_uid].append(instance)
        found = [Candidate(in_slice_order(images)) for images in series.values()]
    return tuple(sorted(found, key=lambda c: (c.first.sop_uid, c.first.file.sha256)))


def in_slice_order(images: Iterable[Instance]) -> tuple[Instance, ...]:
    """Return images by their position along the slice normal, then by number."""
    return tuple(sorted(images, key=_slice_key))


def _slice_key(image: Instance) -> tuple[float, int, str, str]:
    facts = image.facts
    if not isinstance(facts, ImageFacts):
        return 0.0, 0, image.sop_uid, image.file.sha256
    return _height(facts), facts.instance_number, image.sop_uid, image.file.sha256


def _height(facts: ImageFacts) -> float:
    """Return the position along the normal (row × column cosines), mm; 0 where the header gives none."""
    if facts.position is None or facts.orientation is None:
        return 0.0
    a, b, c, d, e, f = facts.orientation
    x, y, z = facts.position
    return x * (b * f - c * e) + y * (c * d - a * f) + z * (a * e - b * d)


def short_digest(candidate: Candidate, study: Study) -> str:
    """Return the first digits of a candidate's first file's digest: eight, or as many as tell it apart."""
    digest = candidate.first.file.sha256
    others = [i.file.sha256 for i in study.instances if i.file.sha256 != digest]
    return next(
        digest[:n]
        for n in range(_SHOWN_DIGITS, len(digest) + 1)
        if n == len(digest) or not any(other.startswith(digest[:n]) for other in others)
    )


def describe(candidate: Candidate, study: Study) -> str:
    """Return a candidate in words for the terminal: label, kind, size; no date and no identity."""
    instance = candidate.first
    match instance.facts:
        case ImageFacts():
            size = _count(len(candidate.instances), "image")
            text = f"{instance.modality}, {size}, “{instance.series_description}”"
        case StructureFacts(rois=rois):
            text = f"structure set “{instance.label}”, {len(rois)} structures"
        case PlanFacts(kind=kind, beams=beams, fractions=fractions):
            size = f"{_count(len(beams), 'beam')}, {_count(sum(fractions), 'fraction')}"
            text = f"{kind} plan “{instance.label}”, {size}"
        case DoseFacts(summation=summation):
            text = f"{summation or 'unnamed'} dose{_of_plans(candidate, study)}"
        case _:
            text = f"{instance.modality} “{instance.series_description or instance.label}”"
    return text


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _of_plans(dose: Candidate, study: Study) -> str:
    uids = dose.references("plan")
    labels = sorted(i.label for i in study.instances if i.kind is Kind.PLAN and i.sop_uid in uids)
    return (
        " of plan " + ", ".join(f"“{label}”" for label in labels) if labels else " of no plan in the source"
    )
