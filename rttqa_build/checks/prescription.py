"""Family P, what is prescribed: the manifest's lines against the selected plans, phase by phase."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rttqa_build.checks.case import Case, place
from rttqa_build.diagnostic import finding
from rttqa_build.study import PlanFacts, StructureFacts
from rttqa_build.trial import folded, structure_called

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.manifest import Prescription
    from rttqa_build.resolve import Selected
    from rttqa_build.study import DoseTarget

    Line = tuple[int, Prescription, Selected, PlanFacts]

DEFAULT_DOSE_TOLERANCE_GY = 0.01


def lines(case: Case) -> Iterator[Line]:
    """Yield each prescription line with the plan that it is about, where that is certain.

    Of a plan library a line that names no plan is about every one.
    """
    plans = list(case.facts("plan", PlanFacts))
    for number, line in enumerate(case.manifest.prescription):
        found = [(s, p) for s, p in plans if not line.plan or s.id == line.plan]
        for selected, plan in found if len(found) == 1 or case.alternatives else ():
            yield number, line, selected, plan


def phases(case: Case) -> Iterator[Diagnostic]:
    """Where there are several plans, each line names its plan and each plan has a line."""
    plans, prescription = list(case.roles("plan")), case.manifest.prescription
    if len(plans) < 2 or not prescription or case.alternatives:
        return
    for number, line in enumerate(prescription):
        if not line.plan:
            message = f"{len(plans)} plans are sent; the prescription of {line.target} does not name its plan"
            where = case.manifest.document.at(("prescription", number))
            yield finding("P106", message, where, subject=line.target)
    named = {line.plan for line in prescription}
    for plan in plans if all(named) else ():
        if plan.id not in named:
            message = "the prescription does not mention this plan"
            yield finding("P107", message, place(plan), subject=plan.name)


def fractionation(case: Case) -> Iterator[Diagnostic]:
    """The plan has as many fractions as the manifest says."""
    for number, line, selected, plan in lines(case):
        planned = sum(plan.fractions)
        if planned and planned != line.fractions:
            message = (
                f"the plan has {planned} fractions; the prescription of {line.target} says {line.fractions}"
            )
            where = case.manifest.document.at(("prescription", number, "fractions"))
            yield finding("P101", message, where, subject=selected.name)
        elif not planned:
            yield finding(
                "P102",
                "the plan does not say how many fractions it has",
                place(selected),
                subject=selected.name,
            )


def prescribed_dose(case: Case) -> Iterator[Diagnostic]:
    """Each target that the plan prescribes a dose to has the manifest's; the highest dose is in the plan."""
    for about, group in groupby(sorted(lines(case), key=_plan_and_line), key=_plan_name):
        rows = list(group)
        plan = rows[0][3]
        doses = [t.prescription_gy for t in plan.targets if t.prescription_gy is not None]
        own = {number: _dose_of(case, line, plan) for number, line, _, _ in rows}
        highest = max(rows, key=lambda row: row[1].dose_max)
        if not doses and plan.setup_dose_gy is not None:
            doses = [plan.setup_dose_gy]
        if not doses:
            message = "the plan holds no target prescription dose to compare with the manifest"
            where = case.manifest.document.at(("prescription", highest[0], "dose_gy"))
            yield finding("P104", message, where, subject=about)
            continue
        for row in rows:
            told = own[row[0]]
            if told or row is highest:
                yield from _compared(case, row, told or doses)


def chosen(case: Case) -> dict[int, float]:
    """Return, for lines that give a range, the dose in Gy within it that the plan prescribes.

    Line number → dose; nothing where the plan has none, or several of which none is the target's.
    """
    found: dict[int, set[float]] = {}
    for number, line, _, plan in lines(case):
        if line.dose_min < line.dose_max:
            every = [t.prescription_gy for t in plan.targets if t.prescription_gy is not None]
            doses = _dose_of(case, line, plan) or every
            low, high = float(line.dose_min), float(line.dose_max)
            found.setdefault(number, set()).update(dose for dose in doses if low <= dose <= high)
    return {number: doses.pop() for number, doses in found.items() if len(doses) == 1}


def _plan_name(row: Line) -> str:
    return row[2].name


def _plan_and_line(row: Line) -> tuple[str, int]:
    return row[2].name, row[0]


def _compared(case: Case, row: Line, doses: list[float]) -> Iterator[Diagnostic]:
    """Yield a finding unless one of some doses, in Gy, is what a line of the manifest prescribes."""
    number, line, selected, _ = row
    tolerance = case.tolerance("dose_gy") or DEFAULT_DOSE_TOLERANCE_GY
    low, high = float(line.dose_min) - tolerance, float(line.dose_max) + tolerance
    if not any(low <= dose <= high for dose in doses):
        message = f"no target of the plan has the dose that the manifest prescribes for {line.target}"
        found = ", ".join(f"{dose:g}" for dose in sorted(set(doses)))
        where = case.manifest.document.at(("prescription", number, "dose_gy"))
        yield finding("P103", message, where, subject=selected.name, local=f"the plan has {found} Gy")


def _dose_of(case: Case, line: Prescription, plan: PlanFacts) -> list[float]:
    """Return the doses, in Gy, that a plan prescribes to the very target of a line, by ROI or by name."""
    numbers = {
        roi.number
        for _, facts in case.facts("structure_set", StructureFacts)
        if (roi := case.naming(facts).mapped.get(line.target))
    }
    return [
        target.prescription_gy
        for target in plan.targets
        if target.prescription_gy is not None
        and (target.roi_number in numbers or _called(case, line, target))
    ]


def _called(case: Case, line: Prescription, target: DoseTarget) -> bool:
    """Return whether a dose reference without a structure bears a target's name or one of its aliases."""
    if target.roi_number is not None or not target.description:
        return False
    rule = structure_called(case.trial, target.description)
    return line.target == (rule.name if rule else "") or folded(target.description) == folded(line.target)
