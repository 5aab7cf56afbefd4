"""What is selected → findings where DICOM links, frames of reference or studies do not agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build.diagnostic import Location, finding
from rttqa_build.resolve.roles import CHAIN, NOTHING
from rttqa_build.study import ImageFacts, StructureFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.resolve.roles import Earlier, Selected

_WORDS = ("plan", "structure_set", "images")


def check_links(
    selected: tuple[Selected, ...], unsettled: frozenset[str], earlier: Earlier = NOTHING
) -> Iterator[Diagnostic]:
    """Yield findings about references, frames and studies; none about roles that are still unsettled.

    What was sent ``earlier`` may be referred to as if it were selected.

    References other than RTDOSE → RTPLAN → RTSTRUCT → images and REG → frames may dangle.
    """
    doses, plans, sets = (_of(selected, role) for role in ("dose", "plan", "structure_set"))
    if "plan" not in unsettled:
        yield from (d for dose in doses for d in _plans_of(dose, plans, earlier))
    if "structure_set" not in unsettled:
        yield from (d for plan in plans for d in _structure_set_of(plan, sets, earlier))
    if "planning_image" not in unsettled:
        yield from (d for item in sets for d in _images_of(item, selected, earlier))
        yield from _frames(doses, plans, sets, _of(selected, "planning_image"))
        yield from (d for item in _of(selected, "registration") for d in _joined(item, selected, earlier))
    yield from _studies(selected)


def _of(selected: Iterable[Selected], role: str) -> tuple[Selected, ...]:
    return tuple(item for item in selected if item.role == role)


def _uids(selected: Iterable[Selected]) -> frozenset[str]:
    return frozenset(i.sop_uid for item in selected for i in item.instances)


def _plans_of(dose: Selected, plans: tuple[Selected, ...], earlier: Earlier) -> Iterator[Diagnostic]:
    named = dose.candidate.references("plan")
    where = Location(dose.place, item="ReferencedRTPlanSequence")
    tied = {i.sop_uid for plan in plans if plan.name in dose.of for i in plan.instances}
    if earlier.missing("plan", named - _uids(plans)):
        yield finding("R201", "the dose refers to a plan that is not selected", where, subject=dose.name)
    elif named and tied - named:
        yield finding(
            "R201", "`of:` ties the dose to a plan that it does not refer to", where, subject=dose.name
        )
    elif not named and not dose.of:
        hint = "Say which plans the dose belongs to with `of:` in its selector."
        yield finding("R201", "the dose refers to no plan", where, hint=hint, subject=dose.name)


def _structure_set_of(plan: Selected, sets: tuple[Selected, ...], earlier: Earlier) -> Iterator[Diagnostic]:
    named = plan.candidate.references("structure_set")
    where = Location(plan.place, item="ReferencedStructureSetSequence")
    if not named:
        yield finding("R202", "the plan refers to no structure set", where, subject=plan.name)
    elif earlier.missing("structure_set", named - _uids(sets)):
        message = "the plan refers to a structure set that is not selected"
        yield finding("R202", message, where, subject=plan.name)


def _images_of(item: Selected, selected: tuple[Selected, ...], earlier: Earlier) -> Iterator[Diagnostic]:
    named = item.candidate.references("images")
    where = Location(item.place, item="ContourImageSequence")
    missing = earlier.missing("images", named - _uids(selected))
    if not named:
        yield finding("R203", "the structure set refers to no image", where, subject=item.name)
    elif missing:
        message = (
            f"{len(missing)} of the {len(named)} images that the structure set refers to are not selected"
        )
        yield finding("R203", message, where, subject=item.name)


def _frames(
    doses: tuple[Selected, ...],
    plans: tuple[Selected, ...],
    sets: tuple[Selected, ...],
    series: tuple[Selected, ...],
) -> Iterator[Diagnostic]:
    """Yield where a structure set, or a dose, does not share the frame of the images it belongs to."""
    frame_of_image = {i.sop_uid: i.frame_uid for item in series for i in item.instances}
    for item in sets:
        frames = {frame_of_image[uid] for uid in item.candidate.references("images") if uid in frame_of_image}
        facts = item.instances[0].facts
        own = set(facts.frames) if isinstance(facts, StructureFacts) else set()
        if frames - (own or {item.instances[0].frame_uid}):
            message = "the structure set and its images have different frames of reference"
            yield finding(
                "R204", message, Location(item.place, item="FrameOfReferenceUID"), subject=item.name
            )
        drawn_for = {p.name for p in plans if p.candidate.references("structure_set") & _uids((item,))}
        for upper in (*(p for p in plans if p.name in drawn_for), *(d for d in doses if drawn_for & {*d.of})):
            frame = upper.instances[0].frame_uid
            if frames and frame not in frames and (frame or upper.role == "dose"):
                message = f"the {upper.role} and its images have different frames of reference"
                where = Location(upper.place, item="FrameOfReferenceUID")
                yield finding("R204", message, where, subject=upper.name)


def _joined(item: Selected, selected: tuple[Selected, ...], earlier: Earlier) -> Iterator[Diagnostic]:
    """Yield where fewer than two (or than all) frames of a registration are those of selected images."""
    frames = item.candidate.references("frames")
    of_images = {i.frame_uid for s in selected for i in s.instances if isinstance(i.facts, ImageFacts)}
    if not frames or len(frames & of_images) + earlier.series < min(2, len(frames)):
        message = "the registration joins frames of reference that no selected images have"
        where = Location(item.place, item="RegistrationSequence")
        yield finding("R205", message, where, subject=item.name)


def _studies(selected: tuple[Selected, ...]) -> Iterator[Diagnostic]:
    """Yield where an object of the chain lies in another study than all objects that it refers to."""
    study_of = {i.sop_uid: i.study_uid for item in selected if item.role in CHAIN for i in item.instances}
    for item in (item for item in selected if item.role in CHAIN):
        named = {
            study_of[uid] for word in _WORDS for uid in item.candidate.references(word) if uid in study_of
        }
        if named and item.instances[0].study_uid not in named:
            message = f"the {item.role} lies in another study than the objects that it refers to"
            where = Location(item.place, item="StudyInstanceUID")
            yield finding("R206", message, where, subject=item.name)
