"""Family P, the plan itself: approved, of this patient's treatment, made with what the trial permits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build.checks.case import Case, place
from rttqa_build.diagnostic import finding
from rttqa_build.study import ImageFacts, PlanFacts
from rttqa_build.study.classes import ION_PLAN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.resolve import Selected
    from rttqa_build.study import Beam

# Plan Intent of plans that no patient is treated with (PS3.3 C.8.8.9).
NOT_TREATED = frozenset({"VERIFICATION", "MACHINE_QA", "RESEARCH", "SERVICE"})


def approval(case: Case) -> Iterator[Diagnostic]:
    """The plan carries an approval (RT Approval Status)."""
    for selected, plan in case.facts("plan", PlanFacts):
        if plan.approval != "APPROVED":
            yield finding(
                "P105", "the plan is not marked as approved", place(selected), subject=selected.name
            )


def kind(case: Case) -> Iterator[Diagnostic]:
    """The plan treats a patient; ions are planned in an RT Ion Plan."""
    for selected, plan in case.facts("plan", PlanFacts):
        where, about = place(selected), selected.name
        standard = selected.instances[0].sop_class.startswith("1.2.840.10008.")
        if plan.kind == "ion" and standard and selected.instances[0].sop_class != ION_PLAN:
            yield finding("P108", "an ion plan is stored as an ordinary RT plan", where, subject=about)
        if plan.intent in NOT_TREATED:
            message = "the plan's intent says that no patient is treated with it"
            yield finding("P113", message, where, subject=about)


def monitor_units(case: Case) -> Iterator[Diagnostic]:
    """Every treatment beam has a meterset; application setups have times instead."""
    for selected, plan in case.facts("plan", PlanFacts):
        beams = [beam for beam in _treating(plan) if plan.kind != "brachytherapy"]
        empty = sum(not beam.meterset for beam in beams)
        if empty:
            message = f"{empty} of {len(beams)} treatment beams have no monitor units"
            yield finding("P112", message, place(selected), subject=selected.name)
        elif not _treating(plan):
            message = "the plan has no treatment beam and no application setup"
            yield finding("P112", message, place(selected), subject=selected.name)


def permitted(case: Case) -> Iterator[Diagnostic]:
    """Planning system, technique, radiation and energy are among those that the trial permits."""
    for selected, plan in case.facts("plan", PlanFacts):
        yield from _planning_system(case, selected)
        beams = _treating(plan)
        used = {
            "techniques": ("P110", "a technique", {beam.technique for beam in beams}),
            "radiations": ("P111", "a radiation", {beam.radiation for beam in beams}),
            "energies": ("P111", "an energy", {beam.energy for beam in beams}),
        }
        for key, (code, word, values) in used.items():
            listed = case.trial.permitted.get(key, ())
            if listed and not values <= {*listed, ""}:
                message = f"the plan uses {word} that the trial does not list; it lists {', '.join(listed)}"
                told = ", ".join(sorted(values - {*listed, ""}))
                yield finding(code, message, place(selected), subject=selected.name, local=told)


def _planning_system(case: Case, selected: Selected) -> Iterator[Diagnostic]:
    listed = case.trial.permitted.get("planning_systems", ())
    first = selected.instances[0]
    name = f"{first.manufacturer} {first.model}".casefold()
    if listed and name.strip() and not any(system.casefold() in name for system in listed):
        message = f"the trial does not list this planning system; it lists {', '.join(listed)}"
        yield finding("P109", message, place(selected), subject=selected.name)


def dates(case: Case) -> Iterator[Diagnostic]:
    """No plan is older than the image that it was made on."""
    scanned = _earliest(case)
    for selected, plan in case.facts("plan", PlanFacts):
        if scanned and plan.date and plan.date < scanned:
            message = "the plan is dated before its planning image"
            yield finding("P114", message, place(selected), subject=selected.name)


def _earliest(case: Case) -> str:
    """Return the first date of the planning image, as YYYYMMDD; nothing where it has none."""
    dated = (i.date for s, i in case.facts("planning_image", ImageFacts) if len(i.date) == 8)
    return min(dated, default="")


def position(case: Case) -> Iterator[Diagnostic]:
    """The patient is planned in the position in which the planning image was taken."""
    scanned = {i.patient_position for _, i in case.facts("planning_image", ImageFacts)} - {""}
    for selected, plan in case.facts("plan", PlanFacts):
        planned = {beam.patient_position for beam in plan.beams} - {""}
        if scanned and planned and not planned & scanned:
            message = "the plan and its planning image name different patient positions"
            yield finding("P115", message, place(selected), subject=selected.name)


def _treating(plan: PlanFacts) -> list[Beam]:
    """Return the beams and application setups that treat: no setup or imaging fields."""
    return [beam for beam in plan.beams if beam.delivery in ("TREATMENT", "")]
