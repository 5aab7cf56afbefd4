"""Spheres, cylinders and cones of any size, leaning from the slices' normal: contours, and their true doses.

A cylinder and a cone are as long as they are wide. Their contours are cut from a prism or pyramid on 256
corners that has the round solid's cross-section; their doses are those of points that fill the solid evenly.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import solids

from rttqa_build.dose.contours import Contour, StructureContours

if TYPE_CHECKING:
    from numpy.typing import NDArray

CORNERS = 256
POINTS = 200_000
SPUN = 25.0
NARROWEST = 0.1
RATIOS = (0.8191725133961645, 0.6710436067037893, 0.5497004779019703)
"""1/g, 1/g², 1/g³ (g⁴ = g + 1): multiples of them, modulo one, fill a cube most evenly."""

Kind = Literal["sphere", "cylinder", "cone"]


class Solid(NamedTuple):
    """``lean``: degrees between the axis and the slices' normal; ``size``: mm."""

    kind: Kind
    size: float
    lean: float = 0.0

    @property
    def volume(self) -> float:
        return math.pi * self.size**3 / {"sphere": 6, "cylinder": 4, "cone": 12}[self.kind]


def _turned(points: NDArray[np.float64], lean: float) -> NDArray[np.float64]:
    """Lean towards x, then turn about z, so that the axis lies in no plane of the patient."""
    tilt, spin = math.radians(lean), math.radians(SPUN)
    x, y, z = points.T
    x, z = x * math.cos(tilt) + z * math.sin(tilt), z * math.cos(tilt) - x * math.sin(tilt)
    return np.column_stack(
        (x * math.cos(spin) - y * math.sin(spin), x * math.sin(spin) + y * math.cos(spin), z)
    )


def _edges(solid: Solid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    angle = np.arange(CORNERS) * (2 * math.pi / CORNERS)
    fit = solid.size / 2 * math.sqrt(math.pi / (CORNERS / 2 * math.sin(2 * math.pi / CORNERS)))
    base = np.column_stack((fit * np.cos(angle), fit * np.sin(angle), np.full(CORNERS, -solid.size / 2)))
    top = base * [1, 1, -1] if solid.kind == "cylinder" else base * [0, 0, -1]
    starts, ends = (
        np.concatenate((base, base, top)),
        np.concatenate((np.roll(base, -1, 0), top, np.roll(top, -1, 0))),
    )
    return _turned(starts, solid.lean), _turned(ends, solid.lean)


def _outline(starts: NDArray[np.float64], ends: NDArray[np.float64], z: float) -> NDArray[np.float64] | None:
    """Cut the edges at a height; the solid is convex, so its corners stand around their middle."""
    cut = (starts[:, 2] <= z) != (ends[:, 2] <= z)
    low, high = starts[cut], ends[cut]
    share = (z - low[:, 2]) / (high[:, 2] - low[:, 2])
    points = (low + (high - low) * share[:, None])[:, :2]
    if len(points) < 3 or np.ptp(points, axis=0).max() < NARROWEST:
        return None
    x, y = (points - points.mean(axis=0)).T
    around: NDArray[np.float64] = points[np.argsort(np.arctan2(y, x))]
    return around


def structure(solid: Solid, spacing: float, shift: float) -> StructureContours:
    """Contours on planes ``spacing`` apart, the first ``shift`` spacings above the solid's lower end."""
    starts, ends = _edges(solid)
    z = -solid.size / 2 if solid.kind == "sphere" else float(min(starts[:, 2].min(), ends[:, 2].min()))
    top = -z if solid.kind == "sphere" else float(max(starts[:, 2].max(), ends[:, 2].max()))
    z += shift * spacing
    contours = []
    while z < top - 1e-9:
        radius = math.sqrt(max(solid.size**2 / 4 - z * z, 0.0))
        drawn = solids.disc(radius) if solid.kind == "sphere" else _outline(starts, ends, z)
        if drawn is not None:
            contours.append(Contour("CLOSED_PLANAR", np.column_stack((drawn, np.full(len(drawn), z)))))
        z += spacing
    return StructureContours(1, solid.kind, tuple(contours), slice_spacing=spacing)


@functools.cache
def truth(solid: Solid, axis: int) -> dict[str, float]:
    """Volume (cc) and doses in 30 Gy + 1 Gy/mm along a patient axis."""
    doses = np.sort(_filled(solid)[:, axis]) + solids.CENTRE_GY
    marks = {f"D{q}": float(np.quantile(doses, 1 - q / 100)) for q in (99, 95, 5, 1)}
    ends = {"min": float(doses[0]), "max": float(doses[-1])}
    return {"volume": solid.volume / 1000, "mean": float(doses.mean()), **marks, **ends}


def _filled(solid: Solid) -> NDArray[np.float64]:
    a, b, c = (((np.arange(POINTS) + 0.5) * ratio) % 1 for ratio in RATIOS)
    if solid.kind == "sphere":
        cube = np.column_stack((a, b, c)) * 2 - 1
        ball: NDArray[np.float64] = cube[(cube**2).sum(axis=1) <= 1] * (solid.size / 2)
        return ball
    height = np.cbrt(c) if solid.kind == "cone" else np.ones(POINTS)
    radius, angle = np.sqrt(a) * height * solid.size / 2, 2 * math.pi * b
    along = (0.5 - height if solid.kind == "cone" else c - 0.5) * solid.size
    return _turned(np.column_stack((radius * np.cos(angle), radius * np.sin(angle), along)), solid.lean)
