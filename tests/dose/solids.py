"""Solids with a closed form: contours, volume, and the dose to any fraction of it in a linear gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rttqa_build.dose.contours import Contour, StructureContours
from rttqa_build.dose.grid import DoseGrid

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

RADIUS = 12.0
LENGTH = 24.0
CENTRE_GY = 30.0
SLOPE = 1.0


@dataclass(frozen=True)
class Solid:
    """``outline(z)``: cross-section at a height, (n, 2), or None; densities: volume per mm of y and of z."""

    name: str
    outline: Callable[[float], NDArray[np.float64] | None]
    volume: float
    extent: tuple[float, float]
    density_y: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    density_z: Callable[[NDArray[np.float64]], NDArray[np.float64]]


def disc(radius: float) -> NDArray[np.float64] | None:
    """A circle of a radius about z, or nothing where it is a speck."""
    if radius < 0.05:
        return None
    angle = np.arange(256) * (2 * math.pi / 256)
    # vertices a little outside the circle, so that the polygon has the circle's area
    fit = radius * math.sqrt(math.pi / (128 * math.sin(2 * math.pi / 256)))
    return np.column_stack((fit * np.cos(angle), fit * np.sin(angle)))


def _root(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(np.maximum(values, 0.0))


def _chord(y: NDArray[np.float64]) -> NDArray[np.float64]:
    return _root(RADIUS**2 - y**2)


def _rectangle(z: float) -> NDArray[np.float64] | None:
    half = math.sqrt(max(RADIUS**2 - z**2, 0.0))
    if half < 0.05:
        return None
    return np.array([[-LENGTH / 2, -half], [LENGTH / 2, -half], [LENGTH / 2, half], [-LENGTH / 2, half]])


def _hyperbola(z: float) -> NDArray[np.float64] | None:
    """A cone lying along x, base at −LENGTH/2, apex at +LENGTH/2, cut at height z."""
    if abs(z) > RADIUS - 0.05:
        return None
    reach = LENGTH * (1 - abs(z) / RADIUS) - LENGTH / 2
    share = np.linspace(0, 1, 200)
    x = -LENGTH / 2 + (reach + LENGTH / 2) * (1 - (1 - share) ** 2)
    radius = RADIUS * (LENGTH / 2 - x) / LENGTH
    half = _root(radius**2 - z**2)
    return np.concatenate((np.column_stack((x, -half)), np.column_stack((x, half))[::-1]))


def _cone_shadow(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area of the cone's section at a distance from its axis (a segment of a hyperbola), over its length."""
    distance = np.maximum(np.abs(y), 1e-9)
    root = _root(RADIUS**2 - distance**2)
    return (root - distance**2 / RADIUS * np.log((RADIUS + root) / distance)) / 2


SOLIDS = {
    solid.name: solid
    for solid in (
        Solid(
            "sphere",
            lambda z: disc(math.sqrt(max(RADIUS**2 - z**2, 0.0))),
            4 / 3 * math.pi * RADIUS**3,
            (-RADIUS, RADIUS),
            lambda y: np.maximum(RADIUS**2 - y**2, 0),
            lambda z: np.maximum(RADIUS**2 - z**2, 0),
        ),
        Solid(
            "cylinder",
            lambda z: disc(RADIUS) if abs(z) < LENGTH / 2 else None,
            math.pi * RADIUS**2 * LENGTH,
            (-LENGTH / 2, LENGTH / 2),
            _chord,
            lambda z: (np.abs(z) <= LENGTH / 2).astype(float),
        ),
        Solid(
            "lying cylinder",
            _rectangle,
            math.pi * RADIUS**2 * LENGTH,
            (-RADIUS, RADIUS),
            _chord,
            _chord,
        ),
        Solid(
            "cone",
            lambda z: disc(RADIUS * (LENGTH / 2 - z) / LENGTH) if abs(z) < LENGTH / 2 else None,
            math.pi * RADIUS**2 * LENGTH / 3,
            (-LENGTH / 2, LENGTH / 2),
            _cone_shadow,
            lambda z: (LENGTH / 2 - z) ** 2 * (np.abs(z) <= LENGTH / 2),
        ),
        Solid(
            "lying cone",
            _hyperbola,
            math.pi * RADIUS**2 * LENGTH / 3,
            (-RADIUS, RADIUS),
            _cone_shadow,
            _cone_shadow,
        ),
    )
}


def structure(solid: Solid, spacing: float, shift: float = 0.5, *, centre: float = 0.0) -> StructureContours:
    """Contours on planes ``spacing`` apart, the first ``shift`` spacings above the solid's lower end."""
    contours = []
    z = solid.extent[0] + shift * spacing
    while z < solid.extent[1]:
        outline = solid.outline(z)
        if outline is not None:
            points = np.column_stack((outline + centre, np.full(len(outline), z + centre)))
            contours.append(Contour("CLOSED_PLANAR", points))
        z += spacing
    return StructureContours(1, solid.name, tuple(contours), slice_spacing=spacing)


def gradient(axis: int, step: float, *, half_width: float = 20.0, origin: float = 0.137) -> DoseGrid:
    """30 Gy at the origin, rising by 1 Gy/mm along a patient axis; voxel centres off every symmetry."""
    count = int(2 * half_width / step) + 2
    places = np.arange(count, dtype=np.float64) * step - half_width + origin * step
    levels = np.rint((CENTRE_GY + SLOPE * places) / 1e-5).astype(np.uint32)
    shape = [1, 1, 1]
    shape[2 - axis] = count
    values = np.ascontiguousarray(np.broadcast_to(levels.reshape(shape), (count, count, count)))
    offsets = places - places[0]
    return DoseGrid(values, 1e-5, np.full(3, places[0]), np.eye(3), step, step, offsets)


def truth(solid: Solid, axis: int, fraction: float) -> float:
    """The dose that a fraction of the volume receives at least; axis 1: in the slices, 2: along z."""
    places = np.linspace(-LENGTH / 2, LENGTH / 2, 24001)
    middles = (places[1:] + places[:-1]) / 2
    density = (solid.density_y if axis == 1 else solid.density_z)(middles)
    below = np.concatenate(([0.0], np.cumsum(density)))
    return CENTRE_GY + SLOPE * float(np.interp((1 - fraction) * below[-1], below, places))


def mean_truth(solid: Solid, axis: int) -> float:
    """The mean dose: only the upright cone's centroid is off its middle."""
    return CENTRE_GY + (-LENGTH / 4 * SLOPE if solid.name == "cone" and axis == 2 else 0.0)
