"""RTSTRUCT → the planar contours of each structure, in millimetres of the patient coordinate system."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from pydicom import Dataset

CONTOUR_DATA = 0x30060050
SAME_PLANE_MM = 0.05
"""Contours no further apart than this lie in one plane (coordinates are often written with few digits)."""


@dataclass(frozen=True, slots=True, eq=False)
class Contour:
    """One contour: Contour Geometric Type and points, shape (n, 3), millimetres, patient coordinates."""

    geometric_type: str
    points: NDArray[np.float64]

    @property
    def closed(self) -> bool:
        """Whether the contour encloses an area: CLOSED_PLANAR or CLOSEDPLANAR_XOR."""
        return self.geometric_type.startswith("CLOSED")


@dataclass(frozen=True, slots=True, eq=False)
class StructureContours:
    """One region of interest as it is drawn.

    ``frame_uid`` is the frame of reference it is drawn in. ``slice_spacing`` is the usual distance between
    the planes of the whole structure set, in millimetres: the thickness of a structure drawn on one slice
    only; ``None`` where no structure of the set has two planes. ``unreadable`` counts contours whose data are
    missing, not numeric, or not triplets, and those that do not say whether they are closed.
    """

    number: int
    name: str
    contours: tuple[Contour, ...]
    frame_uid: str = ""
    slice_spacing: float | None = None
    unreadable: int = 0


def read(dataset: Dataset) -> tuple[StructureContours, ...]:
    """Return every ROI of an RTSTRUCT, in the order of its Structure Set ROI Sequence (PS3.3 C.8.8.5).

    ROIs without contours are listed too, with none; ROIs without a number are not. Contour Data are read from
    the raw bytes of the element where pydicom has not decoded them yet, which is ten times faster than going
    through its DS values.
    """
    drawn = _drawn(dataset)
    listed = [(number(item, "ROINumber"), item) for item in dataset.get("StructureSetROISequence") or ()]
    frame = _only_frame(dataset)
    structures = tuple(
        _structure(key, item, drawn.get(key, ()), frame) for key, item in listed if key is not None
    )
    spacing = _slice_spacing(structures)
    return tuple(replace(structure, slice_spacing=spacing) for structure in structures)


def number(item: Dataset, keyword: str) -> int | None:
    """Return a whole number, or ``None`` where it is missing or none."""
    try:
        return int(item.get(keyword))
    except (TypeError, ValueError):
        return None


def _only_frame(dataset: Dataset) -> str:
    """Return the frame of reference of a structure set that has one: for ROIs that do not say theirs."""
    listed = [str(item.get("FrameOfReferenceUID") or "") for item in _frames(dataset)]
    frames = {frame for frame in (*listed, str(dataset.get("FrameOfReferenceUID") or "")) if frame}
    return frames.pop() if len(frames) == 1 else ""


def _frames(dataset: Dataset) -> Iterable[Dataset]:
    return dataset.get("ReferencedFrameOfReferenceSequence") or ()


def _structure(number: int, item: Dataset, drawn: Sequence[Contour | None], frame: str) -> StructureContours:
    return StructureContours(
        number=number,
        name=str(item.get("ROIName") or ""),
        contours=tuple(contour for contour in drawn if contour is not None),
        frame_uid=str(item.get("ReferencedFrameOfReferenceUID") or "") or frame,
        unreadable=sum(contour is None for contour in drawn),
    )


def _drawn(dataset: Dataset) -> dict[int | None, list[Contour | None]]:
    drawn: dict[int | None, list[Contour | None]] = {}
    for item in dataset.get("ROIContourSequence") or ():
        contours = drawn.setdefault(number(item, "ReferencedROINumber"), [])
        contours.extend(_contour(contour) for contour in item.get("ContourSequence") or ())
    return drawn


def _contour(item: Dataset) -> Contour | None:
    """Return the contour, or ``None`` when it cannot be read."""
    numbers = decimals(item, CONTOUR_DATA)
    kind = str(item.get("ContourGeometricType") or "")
    if numbers.size % 3 or not numbers.size or not kind:
        return None
    return Contour(kind, numbers.reshape(-1, 3))


def decimals(item: Dataset, tag: int) -> NDArray[np.float64]:
    """Return the values of a DS element, from its raw bytes while it is not decoded; none if any is odd."""
    value = item.get_item(tag).value if tag in item else ()
    try:
        numbers = np.array([float(text) for text in _texts(value)], dtype=np.float64)
    except (TypeError, ValueError):
        return np.empty(0)
    return numbers if np.isfinite(numbers).all() else np.empty(0)


def _texts(value: object) -> Iterable[bytes | float]:
    if isinstance(value, bytes):
        # Python would read 1_0 as ten; in DICOM it is no number
        return () if b"_" in value else value.rstrip(b" \0").split(b"\\")
    if isinstance(value, int | float | Decimal):
        return (float(value),)
    return value if hasattr(value, "__iter__") else ()


def _slice_spacing(structures: Iterable[StructureContours]) -> float | None:
    """Return the median distance between neighbouring planes, over all structures."""
    closed = [[contour.points for contour in s.contours if contour.closed] for s in structures]
    gaps = [gap for contours in closed for gap in _gaps(contours)]
    return float(np.median(gaps)) if gaps else None


def _gaps(closed: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    if not closed:
        return np.empty(0)
    normal = plane_axes(closed)[2]
    steps = np.diff(np.sort(np.array([along(normal, points[:1])[0] for points in closed])))
    return steps[steps > SAME_PLANE_MM]


def along(axis: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the coordinate of points, shape (n, 3), along a unit vector, without a matrix product."""
    place: NDArray[np.float64] = points[:, 0] * axis[0] + points[:, 1] * axis[1] + points[:, 2] * axis[2]
    return place


def plane_axes(closed: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the axes of the plane the contours are drawn in: unit rows u, v (in plane) and w (the normal).

    The normal is that of the contour with the largest area, pointing along its largest component; a normal
    that is within rounding of a patient axis is that axis. Axial contours give exactly x, y, z.
    """
    normals = [_normal(points) for points in closed]
    sizes = [_squared(normal) for normal in normals]
    largest = int(np.argmax(sizes))
    if not sizes[largest]:
        return np.eye(3)
    normal = normals[largest] / np.sqrt(sizes[largest])
    main = int(np.argmax(np.abs(normal)))
    normal = normal if normal[main] > 0 else -normal
    w = np.where(np.abs(normal) < 1e-6, 0.0, normal)
    w = w / np.sqrt(_squared(w))
    u = np.eye(3)[(main + 1) % 3]
    u = u - w * w[(main + 1) % 3]
    u = u / np.sqrt(_squared(u))
    return np.array([u, cross(w, u), w])


def _normal(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the vector area of a closed contour, times two (Newell's sum), from its first point."""
    here = points - points[0]
    there = np.concatenate((here[1:], here[:1]))
    x, y, z = here.T
    next_x, next_y, next_z = there.T
    areas = (y * next_z - z * next_y, z * next_x - x * next_z, x * next_y - y * next_x)
    return np.array([np.add.reduce(area) for area in areas])


def _squared(vector: NDArray[np.float64]) -> float:
    return float(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2])


def cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the vector product of two vectors."""
    return np.array([a[(k + 1) % 3] * b[(k + 2) % 3] - a[(k + 2) % 3] * b[(k + 1) % 3] for k in range(3)])
