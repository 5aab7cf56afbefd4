"""What the objects of one synthetic patient share: identity, grids, studies and frames of reference."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rttqa_build.synthetic.anatomy import PTV_HIGH, PTV_LOW
from rttqa_build.synthetic.elements import uid
from rttqa_build.synthetic.geometry import Ellipsoid, Grid
from rttqa_build.synthetic.identity import INVENTED, Identity

if TYPE_CHECKING:
    from pydicom.uid import UID

SCAN_DATE = "20260202"
PLAN_DATE = "20260209"


@dataclass(frozen=True, slots=True)
class Extent:
    """How large the objects are: pixels, slices, control points in an arc, dose grid (mm), outline points."""

    size: int = 256
    slices: int = 64
    mr_size: int = 160
    mr_slices: int = 24
    control_points: int = 91
    leaf_pairs: int = 60
    dose_spacing: float = 2.5
    outline: int = 80
    dose_counts: tuple[int, int, int] | None = None


FULL = Extent()
SMALL = Extent(
    size=32, slices=8, mr_size=16, mr_slices=3, control_points=3, leaf_pairs=5, dose_spacing=10, outline=16
)


@dataclass(frozen=True, slots=True)
class Phase:
    """One plan of the course: its label, what it treats and to what dose."""

    key: str
    label: str
    target: str
    solid: Ellipsoid
    dose_gy: float
    fractions: int


COURSES: dict[str, tuple[Phase, ...]] = {
    "single-phase": (Phase("", "Prostate60", "PTV 60 final", PTV_HIGH, 60, 20),),
    "two-phase": (
        Phase("phase1", "Pelvis46", "PTV 46", PTV_LOW, 46, 23),
        Phase("phase2", "Boost14", "PTV 60 final", PTV_HIGH, 14, 7),
    ),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One patient on one planning CT; lengths in mm, DICOM patient coordinates."""

    who: Identity = INVENTED
    extent: Extent = FULL
    referred_mr: bool = False
    study: UID = field(default=uid("planning study"))
    frame: UID = field(default=uid("planning frame"))
    ct_series: UID = field(default=uid("planning CT"))
    mr_study: UID = field(default=uid("MR study"))
    mr_frame: UID = field(default=uid("MR frame"))
    mr_series: UID = field(default=uid("MR T2"))

    @property
    def ct_grid(self) -> Grid:
        """The planning CT: a 500 mm field of view over 160 mm."""
        size = self.extent.size
        return Grid.covering((-250, -240, -80), (250, 260, 80), (size, size, self.extent.slices))

    @property
    def mr_grid(self) -> Grid:
        """The MR, in the planning CT's coordinates."""
        size = self.extent.mr_size
        return Grid.covering((-160, -150, -48), (160, 170, 72), (size, size, self.extent.mr_slices))

    @property
    def dose_grid(self) -> Grid:
        """The dose grid: the whole body, or as many voxels as the extent says."""
        step = self.extent.dose_spacing
        counts = self.extent.dose_counts
        if counts is None:
            counts = (int(400 // step), int(250 // step), int(160 // step))
        low = (-counts[0] * step / 2, -5 - counts[1] * step / 2)
        height = min(160.0, counts[2] * step)
        return Grid.covering(
            (*low, -height / 2), (low[0] + counts[0] * step, low[1] + counts[1] * step, height / 2), counts
        )
