"""Family P: the plan delivers what the manifest prescribes, and is the approved one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build.checks.case import Case, place
from rttqa_build.diagnostic import finding
from rttqa_build.study import PlanFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.manifest import Prescription
    from rttqa_build.resolve import Selected

DEFAULT_DOSE_TOLERANCE_GY = 0.01


def _prescribed(case: Case) -> Iterator[tuple[int, Prescription, Selected, PlanFacts]]:
    """Yield each prescription line with the plan that it is about, where there is exactly one."""
    plans = list(case.facts("plan", PlanFacts))
    for number, line in enumerate(case.manifest.prescription):
        found = [(s, p) for s, p in plans if not line.plan or s.id == line.plan]
        if len(found) == 1:
            yield number, line, *found[0]


def fractionation(case: Case) -> Iterator[Diagnostic]:
    """The plan has as many fractions as the manifest says."""
    for number, line, selected, plan in _prescribed(case):
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
    """Some target of the plan has the highest dose that the manifest prescribes for it."""
    tolerance = case.tolerance("dose_gy") or DEFAULT_DOSE_TOLERANCE_GY
    by_plan: dict[str, list[tuple[int, Prescription, PlanFacts]]] = {}
    for number, line, selected, plan in _prescribed(case):
        by_plan.setdefault(selected.name, []).append((number, line, plan))
    for about, lines in by_plan.items():
        number, line, plan = max(lines, key=lambda entry: entry[1].dose_max)
        doses = [t.prescription_gy for t in plan.targets if t.prescription_gy is not None]
        where = case.manifest.document.at(("prescription", number, "dose_gy"))
        if not doses:
            message = "the plan holds no target prescription dose to compare with the manifest"
            yield finding("P104", message, where, subject=about)
        elif not any(
            float(line.dose_min) - tolerance <= dose <= float(line.dose_max) + tolerance for dose in doses
        ):
            message = f"no target of the plan has the dose that the manifest prescribes for {line.target}"
            found = ", ".join(f"{dose:g}" for dose in sorted(set(doses)))
            yield finding("P103", message, where, subject=about, local=f"the plan has {found} Gy")


def approval(case: Case) -> Iterator[Diagnostic]:
    """The plan and the structure set carry an approval (RT Approval Status)."""
    for selected, plan in case.facts("plan", PlanFacts):
        if plan.approval != "APPROVED":
            yield finding(
                "P105", "the plan is not marked as approved", place(selected), subject=selected.name
            )
