"""Closed contours → a stack of slabs: in which planes they lie, and how thick a slice each stands for."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from rttqa_build.diagnostic import Diagnostic, finding
from rttqa_build.dose.contours import SAME_PLANE_MM, along, plane_axes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rttqa_build.dose.contours import StructureContours
    from rttqa_build.dose.profile import Profile

Shape: TypeAlias = Literal["tapered", "half-slice", "none", "full-slice"]
"""What lies between and beyond the contours; see :mod:`rttqa_build.dose.dvh`."""

CAP: Mapping[Shape, float] = MappingProxyType(
    {"tapered": 0.5, "half-slice": 0.5, "none": 0.0, "full-slice": 1.0}
)
"""How far a stack of prisms goes on beyond its last contour, in slices."""

GAP = 2.5
"""A distance of more than so many slices between two planes is a gap: the structure ends and starts again."""

FLAT_MM = 0.5
"""A contour whose points leave its plane by more than this is not planar."""


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Prisms, one on each plane. Millimetres; u, v lie in the planes, w is the normal (rows of ``axes``).

    ``plane`` names the slab of each contour edge, which runs from (``u0``, ``v0``) to (``u1``, ``v1``); slab
    i is drawn at ``height[i]``, reaches from ``lower[i]`` to ``upper[i]`` along w and goes on without a gap
    in slab i + 1 where ``joined[i]``. ``area`` is the sum of all contours' areas, in mm². ``profile`` says
    how the slabs' layers differ in area; without one they are prisms.
    """

    axes: NDArray[np.float64]
    plane: NDArray[np.intp]
    u0: NDArray[np.float64]
    v0: NDArray[np.float64]
    u1: NDArray[np.float64]
    v1: NDArray[np.float64]
    height: NDArray[np.float64]
    joined: NDArray[np.bool_]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    area: float
    profile: Profile | None = None


def stack(structure: StructureContours, shape: Shape = "half-slice") -> Stack | Diagnostic:
    """Return the prisms of a structure's closed contours, or the finding that says why it has no volume."""
    closed = [contour.points for contour in structure.contours if contour.closed]
    points = np.concatenate(closed)
    axes = plane_axes(closed)
    u, v, w = (along(axis, points) for axis in axes)
    counts = np.array([len(contour) for contour in closed])
    starts = np.cumsum(counts) - counts
    heights = np.add.reduceat(w, starts) / counts
    if np.abs(w - np.repeat(heights, counts)).max() > FLAT_MM:
        return finding("D413", "A structure's contours are not in parallel planes.", local=structure.name)
    planes, plane_of = _planes(heights)
    faces = _faces(planes, structure.slice_spacing, CAP[shape])
    if faces is None:
        return finding("D414", "A structure has one slice, of unknown thickness.", local=structure.name)
    following = np.arange(1, len(points) + 1)
    following[starts + counts - 1] = starts
    u1, v1 = u[following], v[following]
    area = float(np.add.reduce(np.abs(np.add.reduceat(u * v1 - u1 * v, starts)))) / 2
    if not area:
        return finding("D412", "The contours of a structure enclose no area.", local=structure.name)
    return Stack(axes, np.repeat(plane_of, counts), u, v, u1, v1, planes, *faces, area)


def _planes(heights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the heights of the distinct planes, rising, and the plane of each contour."""
    order = np.argsort(heights, kind="stable")
    rising = heights[order]
    first = np.concatenate(([True], np.diff(rising) > SAME_PLANE_MM))
    plane_of = np.empty(len(heights), dtype=np.intp)
    plane_of[order] = np.cumsum(first) - 1
    return rising[first], plane_of


def _faces(
    planes: NDArray[np.float64], slice_spacing: float | None, cap: float
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]] | None:
    """Return which slabs are joined to the next, and the lower and the upper face of each.

    A face lies half-way to the neighbouring plane; where there is none, there is an end cap.

    The cap is a share of the distance to the neighbour on the other side. The slice of a structure with
    at least three planes is the median of their distances, else that of the structure set.
    """
    gaps = np.diff(planes)
    own = float(np.median(gaps)) if gaps.size else None
    usual = own if gaps.size > 1 or slice_spacing is None else slice_spacing
    if usual is None:
        return None
    bridged = np.where(gaps > GAP * usual, np.nan, gaps)
    below = np.concatenate(([np.nan], bridged))
    above = np.concatenate((bridged, [np.nan]))
    beyond_above = cap * np.where(np.isnan(below), usual, below)
    beyond_below = cap * np.where(np.isnan(above), usual, above)
    lower = planes - np.where(np.isnan(below), beyond_below, below / 2)
    upper = planes + np.where(np.isnan(above), beyond_above, above / 2)
    return ~np.isnan(bridged), lower, upper
