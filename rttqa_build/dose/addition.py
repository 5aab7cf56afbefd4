"""Which doses may be added to a total: never guessed, refused with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build.diagnostic import finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.dose.grid import DoseGrid

ADDABLE = frozenset(
    {"PLAN", "FRACTION", "BEAM", "BRACHY", "BRACHY_SESSION", "BEAM_SESSION", "FRACTION_SESSION"}
)
"""Dose Summation Types of parts that make a whole."""


def not_addable(grids: Sequence[DoseGrid]) -> Diagnostic | None:
    """Return why these doses must not be added, or ``None``.

    They must lie in one frame, be of one dose type, and of one summation type that makes a total of parts:
    plans, fraction groups, beams, applications. Plan sums and overviews may hold the other dose already, and
    no plan, group or beam may come twice.
    """
    if len(grids) < 2:
        return None
    if len({grid.frame_uid for grid in grids}) > 1:
        return finding("D406", "The doses lie in different frames of reference and cannot be added.")
    if len({grid.dose_type for grid in grids}) > 1:
        return finding("D406", "Physical and effective doses cannot be added.")
    if len({grid.summation for grid in grids}) > 1 or grids[0].summation not in ADDABLE:
        return finding("D406", "Doses of these summation types cannot be added: one may hold the other.")
    if len(frozenset().union(*(grid.parts for grid in grids))) < sum(len(grid.parts) for grid in grids):
        return finding("D406", "Two of the doses are of the same plan or beam, and would count twice.")
    return None
