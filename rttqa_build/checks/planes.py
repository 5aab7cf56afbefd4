"""Contours of one structure as they lie on the slices of an image: heights, areas, boxes, what is inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rttqa_build.checks.images import distance_along_normal, orientations_differ, slice_step
from rttqa_build.dose.contours import along

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from rttqa_build.checks.case import Case
    from rttqa_build.dose.contours import StructureContours
    from rttqa_build.study import ImageFacts

    Line: TypeAlias = NDArray[np.float64]

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
_TURN = np.arange(16) * (np.pi / 8)
DIRECTIONS = np.array([np.cos(_TURN), np.sin(_TURN)])
"""Sixteen directions in a plane: a contour's outermost points along them show how far it reaches."""

MOST_IN_PLANE, MOST_POINTS = 50, 64
"""Planes with more contours than this are specks: how they lie to each other is not looked at. Of a contour
about so many points are."""


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """Where the slices of the planning image lie: unit vectors u, v, w (rows), heights along w, distance."""

    axes: Line
    heights: Line
    step: float


@dataclass(frozen=True, slots=True, eq=False)
class Flat:
    """One closed contour on its plane: height along w, points (u, v), all in mm."""

    height: float
    points: Line

    @property
    def area(self) -> float:
        """Return the enclosed area in mm²."""
        u, v = (self.points - self.points[0]).T
        return abs(float(np.add.reduce(u * np.roll(v, -1) - np.roll(u, -1) * v))) / 2

    @property
    def box(self) -> Line:
        """Return the lowest and the highest u and v, shape (2, 2)."""
        return np.array([self.points.min(axis=0), self.points.max(axis=0)])

    def outermost(self) -> Line:
        """Return the points that reach furthest in sixteen directions."""
        reach = self.points[:, :1] * DIRECTIONS[0] + self.points[:, 1:] * DIRECTIONS[1]
        furthest: Line = self.points[np.unique(reach.argmax(axis=0))]
        return furthest


def slices_of(case: Case, frame_uid: str) -> Slices | None:
    """Return the slices of the planning image in a frame of reference; None where there is no stack."""
    for selected, images in case.series():
        frames = {instance.frame_uid for instance in selected.instances}
        if selected.role != "planning_image" or frames != {frame_uid}:
            continue
        if all(map(_placed, images)) and not orientations_differ(images):
            return _slices(images)
    return None


def _placed(image: ImageFacts) -> bool:
    return image.position is not None and image.orientation is not None and image.frames == 1


def _slices(images: tuple[ImageFacts, ...]) -> Slices | None:
    cosines = images[0].orientation or AXIAL
    u, v = np.array(cosines[:3]), np.array(cosines[3:])
    axes = np.array([u, v, np.cross(u, v)])
    step = slice_step(images)
    heights = np.sort(np.array([distance_along_normal(image) for image in images]))
    return Slices(axes, heights, step) if step else None


def flattened(structure: StructureContours, slices: Slices) -> list[Flat]:
    """Return the closed contours of a structure in the coordinates of the slices."""
    found = []
    for contour in structure.contours:
        if contour.closed and len(contour.points) > 2:
            u, v, w = (along(axis, contour.points) for axis in slices.axes)
            found.append(Flat(float(w.mean()), np.column_stack((u, v))))
    return found


def by_height(contours: Iterable[Flat], tolerance: float) -> list[list[Flat]]:
    """Return contours plane by plane, rising; heights closer than the tolerance are one plane."""
    planes: list[list[Flat]] = []
    for contour in sorted(contours, key=lambda flat: flat.height):
        if planes and contour.height - planes[-1][0].height <= tolerance:
            planes[-1].append(contour)
        else:
            planes.append([contour])
    return planes


def beyond(points: Line, outline: list[Flat]) -> float:
    """Return by how many mm the furthest of some points (u, v) lies outside an outline; 0 where none does."""
    start = np.concatenate([contour.points for contour in outline])
    end = np.concatenate([np.roll(contour.points, -1, axis=0) for contour in outline])
    outside = points[~_inside(points, start, end)]
    return float(np.sqrt(_squared_distance(outside, start, end)).max()) if outside.size else 0.0


def overlapping(plane: list[Flat], least: float) -> bool:
    """Return whether two contours of a plane overlap by more than ``least`` mm, and none holds the other."""
    if not 1 < len(plane) <= MOST_IN_PLANE:
        return False
    low, high = (np.array([contour.box[side] for contour in plane]) for side in (0, 1))
    shared = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    near = np.triu((shared > least).all(axis=2), 1)
    return any(_crossing(plane[one], plane[other], least) for one, other in np.argwhere(near))


def _crossing(one: Flat, other: Flat, least: float) -> bool:
    """Return whether the outlines of two contours cross, or are the same."""
    alike = float(np.abs(one.box - other.box).max()) <= least
    if alike and not _away(_some(one), other, least).any():
        return True
    return _astride(one, other, least) or _astride(other, one, least)


def _astride(contour: Flat, outline: Flat, least: float) -> bool:
    """Return whether a contour has points clearly inside of another one, and points clearly outside."""
    points = _some(contour)
    (_, low), (_, high) = contour.box
    start, end = outline.points, np.roll(outline.points, -1, axis=0)
    level = (np.minimum(start[:, 1], end[:, 1]) <= high) & (np.maximum(start[:, 1], end[:, 1]) >= low)
    inside = _inside(points, start[level], end[level])
    if inside.all() or not inside.any():
        return False
    clear = _away(points, outline, least)
    return bool((inside & clear).any() and (clear & ~inside).any())


def _some(contour: Flat) -> Line:
    """Return points of a contour and of the middles of its edges: a square may cross another by its sides."""
    points = contour.points[:: len(contour.points) // MOST_POINTS + 1]
    return np.concatenate((points, (points + np.roll(points, -1, axis=0)) / 2))


def _away(points: Line, outline: Flat, least: float) -> NDArray[np.bool_]:
    """Return which points lie further than so many mm from an outline."""
    away = _squared_distance(points, outline.points, np.roll(outline.points, -1, axis=0))
    far: NDArray[np.bool_] = away > least * least
    return far


def _inside(points: Line, start: Line, end: Line) -> NDArray[np.bool_]:
    """Return which points lie inside by the even-odd rule over all edges."""
    u, v = points[:, :1], points[:, 1:]
    crosses = (start[:, 1] <= v) != (end[:, 1] <= v)
    rise = np.where(end[:, 1] == start[:, 1], 1.0, end[:, 1] - start[:, 1])
    at = start[:, 0] + (v - start[:, 1]) * (end[:, 0] - start[:, 0]) / rise
    odd: NDArray[np.bool_] = (crosses & (at > u)).sum(axis=1) % 2 == 1
    return odd


def _squared_distance(points: Line, start: Line, end: Line) -> Line:
    """Return the squared distance of each point from the nearest edge, in mm²."""
    edge = end - start
    length = np.maximum((edge * edge).sum(axis=1), 1e-12)
    away = points[:, None, :] - start
    share = np.clip((away * edge).sum(axis=2) / length, 0.0, 1.0)
    rest = away - share[:, :, None] * edge
    nearest: Line = (rest * rest).sum(axis=2).min(axis=1)
    return nearest
