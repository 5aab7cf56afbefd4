"""How the area of a slice changes through it: the shares that its layers have of the area drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Line: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """The area of each slab's layers, as a share of the area drawn; arrays of shape (2, slabs).

    Row 0 is for what lies below the contours' plane, row 1 for what lies above. At x mm from the plane, along
    the normal, ``1 + slope · x + bend · x²`` is the share to that ``power``; it is then kept between
    ``least`` and ``most``. ``mean``, shape (slabs,), is the share averaged over the slab.
    """

    slope: Line
    bend: Line
    power: Line
    least: Line
    most: Line
    mean: Line

    def at(self, slab: NDArray[np.intp], x: Line) -> Line:
        """Return the share at a distance from the plane of each slab."""
        side = (x > 0).astype(np.intp)
        curve = np.maximum(1 + (self.slope[side, slab] + self.bend[side, slab] * x) * x, 0.0)
        share = rooted(curve, self.power[side, slab])
        return np.minimum(np.maximum(share, self.least[side, slab]), self.most[side, slab])


def rooted(values: Line, power: Line) -> Line:
    """Return values to the power 1 / power."""
    rooted: Line = np.where(power > 1, np.sqrt(values), np.where(power < 1, values * values, values))
    return rooted
