"""Grids and solids: where voxels lie, and the cross-section of an ellipsoid or a column at any level.

Coordinates are millimetres in the DICOM patient system: x to the left, y to the back, z to the head.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Axis: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grid:
    """A lattice of voxel centres along the patient axes: first centre, spacing (mm), counts; (x, y, z)."""

    origin: tuple[float, float, float]
    spacing: tuple[float, float, float]
    counts: tuple[int, int, int]

    @classmethod
    def covering(
        cls, low: tuple[float, float, float], high: tuple[float, float, float], counts: tuple[int, int, int]
    ) -> Grid:
        """Return the grid whose voxels fill a box."""
        x, y, z = (round((b - a) / n, 4) for a, b, n in zip(low, high, counts, strict=True))
        first = (round(low[0] + x / 2, 4), round(low[1] + y / 2, 4), round(low[2] + z / 2, 4))
        return cls(first, (x, y, z), counts)

    def axis(self, number: int) -> Axis:
        """Return the voxel centres along one axis (0: x, 1: y, 2: z), in mm."""
        centres: Axis = self.origin[number] + self.spacing[number] * np.arange(
            self.counts[number], dtype=np.float64
        )
        return centres

    def levels(self) -> list[float]:
        """Return the z of each plane, to 0.1 µm, as it is written into headers and contours."""
        return [round(float(z), 4) for z in self.axis(2)]


@dataclass(frozen=True, slots=True)
class Ellipse:
    """A cross-section: middle and semi-axes, mm."""

    x: float
    y: float
    a: float
    b: float

    def inside(self, x: Axis, y: Axis) -> NDArray[np.bool_]:
        """Return which points lie inside; ``x`` and ``y`` broadcast."""
        u, v = (x - self.x) / self.a, (y - self.y) / self.b
        inside: NDArray[np.bool_] = u * u + v * v <= 1
        return inside

    def outline(self, points: int) -> list[tuple[float, float]]:
        """Return the polygon, anticlockwise from +x, to 0.01 mm."""
        turns = (2 * math.pi * k / points for k in range(points))
        return [
            (round(self.x + self.a * math.cos(t), 2), round(self.y + self.b * math.sin(t), 2)) for t in turns
        ]


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A cross-section: middle and half sides, mm."""

    x: float
    y: float
    a: float
    b: float

    def inside(self, x: Axis, y: Axis) -> NDArray[np.bool_]:
        """Return which points lie inside; ``x`` and ``y`` broadcast."""
        inside: NDArray[np.bool_] = (np.abs(x - self.x) <= self.a) & (np.abs(y - self.y) <= self.b)
        return inside

    def outline(self, points: int) -> list[tuple[float, float]]:
        """Return the polygon: the corners and the same number of points on each side."""
        corners = ((1, -1), (1, 1), (-1, 1), (-1, -1), (1, -1))
        share = max(1, points // 4)
        return [
            (
                round(self.x + self.a * (p[0] + (q[0] - p[0]) * k / share), 2),
                round(self.y + self.b * (p[1] + (q[1] - p[1]) * k / share), 2),
            )
            for p, q in itertools.pairwise(corners)
            for k in range(share)
        ]


Section: TypeAlias = Ellipse | Rectangle


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """An organ: middle and semi-axes along x, y, z."""

    middle: tuple[float, float, float]
    semi: tuple[float, float, float]

    def at(self, z: float) -> Section | None:
        """Return the cross-section at a level, or None above and below the organ."""
        rest = 1 - ((z - self.middle[2]) / self.semi[2]) ** 2
        if rest <= 0.01:
            return None
        scale = math.sqrt(rest)
        return Ellipse(self.middle[0], self.middle[1], self.semi[0] * scale, self.semi[1] * scale)

    def grown(self, margin: float) -> Ellipsoid:
        """Return the organ with a margin in mm."""
        a, b, c = self.semi
        return Ellipsoid(self.middle, (a + margin, b + margin, c + margin))


@dataclass(frozen=True, slots=True)
class Column:
    """A long organ between two levels; its middle leans and bends (mm per mm, mm per mm²) away from z = 0."""

    low: float
    high: float
    middle: tuple[float, float]
    semi: tuple[float, float]
    lean: tuple[float, float] = (0.0, 0.0)
    bend: float = 0.0
    section: type[Ellipse] | type[Rectangle] = Ellipse

    def at(self, z: float) -> Section | None:
        """Return the cross-section at a level, or None beyond the ends."""
        if not self.low <= z <= self.high:
            return None
        x = self.middle[0] + self.lean[0] * z
        y = self.middle[1] + self.lean[1] * z + self.bend * z * z
        return self.section(x, y, *self.semi)


Solid: TypeAlias = Ellipsoid | Column


def _window(axis: Axis, middle: float, reach: float) -> slice:
    first, last = np.searchsorted(axis, (middle - reach, middle + reach))
    return slice(int(first), int(last) + 1)


def section_mask(section: Section, x: Axis, y: Axis) -> tuple[slice, slice, NDArray[np.bool_]]:
    """Return the rows and columns around a cross-section and which of their voxels lie inside it."""
    rows, columns = _window(y, section.y, section.b), _window(x, section.x, section.a)
    return rows, columns, section.inside(x[None, columns], y[rows, None])
