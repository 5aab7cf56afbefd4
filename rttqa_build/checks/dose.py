"""Family D: the dose is absolute, of whole plans, fine enough, and all there."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from rttqa_build.checks.case import Case, place
from rttqa_build.diagnostic import finding
from rttqa_build.study import DoseFacts, ImageFacts, PlanFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.resolve import Selected

    Box = list[tuple[float, float]]

WHOLE_PLANS = ("PLAN", "MULTI_PLAN", "PLAN_OVERVIEW")


def quantity(case: Case) -> Iterator[Diagnostic]:
    """Units are gray, the sum is that of whole plans, the values are scaled (PS3.3 C.8.8.3)."""
    for selected, facts in case.facts("dose", DoseFacts):
        where, about = place(selected), selected.name
        if facts.units != "GY":
            yield finding("D101", "the dose is not in gray", where, subject=about)
        if facts.summation not in WHOLE_PLANS:
            yield finding("D102", "the dose is not that of a whole plan", where, subject=about)
        if facts.rows and facts.scaling <= 0:
            yield finding(
                "D103", "the dose has no usable scaling: every value would be zero", where, subject=about
            )
        if facts.type not in ("PHYSICAL", "EFFECTIVE"):
            yield finding("D104", "the dose is neither physical nor effective dose", where, subject=about)
        if not facts.rows:
            yield finding("D105", "the dose object holds no dose grid", where, subject=about)


def grid(case: Case) -> Iterator[Diagnostic]:
    """The grid is as fine as the trial asks, and its planes are evenly spaced."""
    limit = case.tolerance("dose_grid_mm")
    for selected, facts in case.facts("dose", DoseFacts):
        gaps = [abs(after - before) for before, after in pairwise(facts.offsets)]
        steps = [*(facts.spacing or ()), *gaps]
        where, about = place(selected), selected.name
        if gaps and max(gaps) - min(gaps) > 0.01:
            yield finding("D203", "the planes of the dose grid are unevenly spaced", where, subject=about)
        if limit is not None and steps and max(steps) > limit + 0.001:
            message = f"the dose grid is {max(steps):g} mm coarse; the trial allows {limit:g} mm"
            yield finding("D204", message, where, subject=about)


def sums(case: Case) -> Iterator[Diagnostic]:
    """Every plan that is sent has its dose, on its own or in a sum."""
    doses = [i for selected in case.roles("dose") for i in selected.instances]
    if not doses:  # that none is there is told by completeness (R001, R101), where one is asked for
        return
    tied = {plan_id for selected in case.roles("dose") for plan_id in selected.of}
    referred = {uid for dose in doses for uid in dose.references.get("plan", ())}
    for selected, _ in case.facts("plan", PlanFacts):
        if selected.id in tied or any(i.sop_uid in referred for i in selected.instances):
            continue
        yield finding(
            "D106", "no dose that is sent belongs to this plan", place(selected), subject=selected.name
        )


def course(case: Case) -> Iterator[Diagnostic]:
    """Several plans have a dose of the whole course, and no plan has two doses."""
    plans, doses = list(case.roles("plan")), list(case.roles("dose"))
    names = {plan.name for plan in plans}
    several = len(plans) > 1 and not case.alternatives
    if several and doses and not any(names <= set(dose.of) for dose in doses):
        message = f"none of the doses is that of all {len(plans)} plans together"
        yield finding("D107", message, place(doses[0]), subject="dose")
    for plan in plans:
        alone = [dose for dose in doses if dose.of == (plan.name,)]
        if len(alone) > 1:
            message = f"{len(alone)} doses belong to this plan alone"
            yield finding("D108", message, place(plan), subject=plan.name)


def placement(case: Case) -> Iterator[Diagnostic]:
    """The dose grid lies on the planning image: its middle is within the scanned volume."""
    boxes = {
        frame: box
        for selected, images in case.series()
        if selected.role == "planning_image" and (box := _scanned(images))
        for frame in {instance.frame_uid for instance in selected.instances}
    }
    for selected, facts in case.facts("dose", DoseFacts):
        box, middle = boxes.get(selected.instances[0].frame_uid), _middle(facts)
        if box is None or middle is None:
            continue
        if any(not low <= at <= high for at, (low, high) in zip(middle, box, strict=True)):
            message = "the middle of the dose grid lies outside the planning image"
            yield finding("D109", message, place(selected), subject=selected.name)


def _scanned(images: tuple[ImageFacts, ...]) -> Box | None:
    """Return the lowest and highest x, y and z of the images' corners, in mm."""
    corners = [corner for image in images for corner in _corners(image)]
    return [(min(axis), max(axis)) for axis in zip(*corners, strict=True)] or None


def _corners(image: ImageFacts | DoseFacts) -> list[tuple[float, float, float]]:
    if image.position is None or image.orientation is None or image.spacing is None:
        return []
    (x, y, z), (a, b, c, d, e, f), (row, column) = image.position, image.orientation, image.spacing
    return [
        (x + a * s + d * t, y + b * s + e * t, z + c * s + f * t)
        for s in (0.0, column * (image.columns - 1))
        for t in (0.0, row * (image.rows - 1))
    ]


def _middle(facts: DoseFacts) -> tuple[float, ...] | None:
    """Return the middle of a dose grid in mm; offsets that begin at a height are patient z (C.8.8.3.2 b)."""
    corners = _corners(facts)
    if not corners or facts.orientation is None or not facts.offsets:
        return None
    a, b, c, d, e, f = facts.orientation
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    depth = (facts.offsets[-1] - facts.offsets[0]) / 2 * (normal[2] if facts.offsets[0] else 1)
    middle = [(min(axis) + max(axis)) / 2 for axis in zip(*corners, strict=True)]
    return tuple(at + depth * along for at, along in zip(middle, normal, strict=True))


def radiation(case: Case) -> Iterator[Diagnostic]:
    """The dose of ions is effective dose with a stated RBE, that of photons and electrons is physical."""
    kinds = {s.name: plan.kind for s, plan in case.facts("plan", PlanFacts)}
    for selected, facts in case.facts("dose", DoseFacts):
        of = {kinds[name] for name in selected.of if name in kinds}
        where, about = place(selected), selected.name
        if "ion" in of and facts.type == "PHYSICAL":
            message = "the dose of an ion plan is physical dose: it does not include the RBE"
            yield finding("D110", message, where, subject=about)
        elif of and "ion" not in of and facts.type == "EFFECTIVE":
            message = "the dose is effective dose, but none of its plans is of ions"
            yield finding("D110", message, where, subject=about)
        elif facts.type == "EFFECTIVE" and case.trial.rbe is None:
            message = "the dose is effective dose, and the trial does not say which RBE it includes"
            yield finding("D111", message, where, subject=about)


def permitted(case: Case) -> Iterator[Diagnostic]:
    """Summation and heterogeneity correction are among those that the trial permits."""
    for selected, facts in case.facts("dose", DoseFacts):
        yield from _permitted(case, selected, facts)


def _permitted(case: Case, selected: Selected, facts: DoseFacts) -> Iterator[Diagnostic]:
    where, about, listed = place(selected), selected.name, case.trial.permitted
    summations = listed.get("dose_summations", ())
    if summations and facts.summation in WHOLE_PLANS and facts.summation not in summations:
        message = f"the trial takes doses of {' or '.join(summations)}, not of {facts.summation}"
        yield finding("D112", message, where, subject=about)
    corrections = listed.get("heterogeneity", ())
    if corrections and not set(facts.heterogeneity) <= {*corrections, ""}:
        message = f"the trial asks for a heterogeneity correction by {' or '.join(corrections)}"
        yield finding("D113", message, where, subject=about)
