"""What the histograms were made of: contours, doses and medians, read once, for the checks that need them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rttqa_build.dose.contours import StructureContours
    from rttqa_build.dose.grid import DoseGrid


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Contours and doses of one case, in mm of the patient coordinate system and in gray.

    ``drawn``: trial name → contours. ``body``: the external contour. ``main``: name of the dose that is meant
    by default. ``grids``: dose → its grids. ``medians``: dose → trial name → median dose.
    """

    drawn: Mapping[str, StructureContours] = field(default_factory=dict)
    body: StructureContours | None = None
    main: str = ""
    grids: Mapping[str, tuple[DoseGrid, ...]] = field(default_factory=dict)
    medians: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
