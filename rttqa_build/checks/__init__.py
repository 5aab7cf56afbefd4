"""The checks on what was selected: one module a family, one registry, severities and waivers in one place.

A check is a generator over a :class:`Case`, or over a case and what was :class:`Measured` for its histograms;
it neither reads nor prints. What it yields is weighed by trial and purpose and met with the manifest's
waivers in :mod:`rttqa_build.checks.judgement`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build.checks import dose, images, plans, prescription, series, structures
from rttqa_build.checks.case import Case
from rttqa_build.checks.measured import Measured
from rttqa_build.diagnostic import ordered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rttqa_build.diagnostic import Diagnostic

__all__ = ["CHECKS", "Case", "Measured", "run", "run_measured"]

CHECKS: dict[str, Callable[[Case], Iterator[Diagnostic]]] = {
    "slices": images.slices,
    "thickness": images.thickness,
    "kind of series": images.kind,
    "registration": series.registration,
    "4D CT": series.phases,
    "uptake": series.uptake,
    "shared series": series.sharing,
    "mapping": structures.mapping,
    "usual names": structures.usual_names,
    "contours": structures.contours,
    "frame of reference": structures.frames,
    "closed contours": structures.closed,
    "names": structures.names,
    "further structures": structures.further,
    "laterality": structures.laterality,
    "approved structures": structures.approval,
    "phases": prescription.phases,
    "fractionation": prescription.fractionation,
    "prescribed dose": prescription.prescribed_dose,
    "approval": plans.approval,
    "kind of plan": plans.kind,
    "monitor units": plans.monitor_units,
    "permitted": plans.permitted,
    "dates": plans.dates,
    "patient position": plans.position,
    "dose quantity": dose.quantity,
    "dose grid": dose.grid,
    "dose sum": dose.sums,
    "course": dose.course,
    "dose placement": dose.placement,
    "radiation": dose.radiation,
    "permitted dose": dose.permitted,
}


def run(case: Case) -> tuple[Diagnostic, ...]:
    """Return what every check of the headers finds, in file order."""
    return ordered(found for check in CHECKS.values() for found in check(case))


def run_measured(case: Case, seen: Measured) -> tuple[Diagnostic, ...]:
    """Return what the checks of contours and doses find, in file order; nothing where nothing was read."""
    if not seen.drawn:
        return ()
    from rttqa_build.checks import anatomy, delivered

    measured = (
        *(anatomy.contours, anatomy.inside_body, anatomy.sides),
        *(delivered.medians, delivered.hottest),
    )
    return ordered(found for check in measured for found in check(case, seen))
