"""The checks on what was selected: one module a family, one registry, severities and waivers in one place.

A check is a generator over a :class:`Case`; it neither reads nor prints. What it yields is weighed by trial
and purpose and met with the manifest's waivers in :mod:`rttqa_build.checks.judgement`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build.checks import dose, images, plans, structures
from rttqa_build.checks.case import Case
from rttqa_build.diagnostic import ordered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rttqa_build.diagnostic import Diagnostic

__all__ = ["CHECKS", "Case", "run"]

CHECKS: dict[str, Callable[[Case], Iterator[Diagnostic]]] = {
    "slices": images.slices,
    "thickness": images.thickness,
    "mapping": structures.mapping,
    "contours": structures.contours,
    "names": structures.names,
    "laterality": structures.laterality,
    "fractionation": plans.fractionation,
    "prescribed dose": plans.prescribed_dose,
    "approval": plans.approval,
    "dose quantity": dose.quantity,
    "dose grid": dose.grid,
    "dose sum": dose.sums,
}


def run(case: Case) -> tuple[Diagnostic, ...]:
    """Return what every check finds, in file order."""
    return ordered(found for check in CHECKS.values() for found in check(case))
