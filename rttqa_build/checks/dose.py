"""Family D: the dose is absolute, of whole plans, fine enough, and all there."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from rttqa_build.checks.case import Case, place
from rttqa_build.diagnostic import finding
from rttqa_build.study import DoseFacts, PlanFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.diagnostic import Diagnostic

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
    tied = {plan_id for selected in case.roles("dose") for plan_id in selected.of}
    referred = {uid for dose in doses for uid in dose.references.get("plan", ())}
    for selected, _ in case.facts("plan", PlanFacts):
        if selected.id in tied or any(i.sop_uid in referred for i in selected.instances):
            continue
        yield finding(
            "D106", "no dose that is sent belongs to this plan", place(selected), subject=selected.name
        )
