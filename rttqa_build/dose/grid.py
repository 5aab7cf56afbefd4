"""RTDOSE → a dose grid in gray, placed in the patient coordinate system, and its value at any point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rttqa_build.diagnostic import Diagnostic, finding
from rttqa_build.dose.contours import cross

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from pydicom import Dataset
    from pydicom.uid import UID

HIGHEST_GY = 10_000.0
"""More than any treatment: a grid beyond it is scaled wrongly."""

_EDGE = 1e-6
"""How far outside the grid, in voxels, a point still counts as inside: written coordinates are rounded."""


@dataclass(frozen=True, slots=True, eq=False)
class DoseGrid:
    """A dose distribution.

    ``values`` are the stored integers, shape (planes, rows, columns), in the order of rising ``offsets``;
    times ``scaling`` they are gray. A voxel's centre lies at ``origin + column · step_column · axes[0] +
    row · step_row · axes[1] + offsets[plane] · axes[2]``: millimetres, patient coordinates, unit rows.
    ``parts`` are the plans, fraction groups and beams whose dose it is, as far as it refers to them.
    """

    values: NDArray[np.integer]
    scaling: float
    origin: NDArray[np.float64]
    axes: NDArray[np.float64]
    step_column: float
    step_row: float
    offsets: NDArray[np.float64]
    dose_type: str = "PHYSICAL"
    summation: str = "PLAN"
    frame_uid: str = ""
    parts: frozenset[tuple[str, ...]] = frozenset()

    @property
    def maximum(self) -> float:
        """Return the highest dose of the grid, in gray."""
        return float(self.values.max()) * self.scaling

    @property
    def finest(self) -> float:
        """Return the smallest distance between two voxels, in millimetres."""
        return min(self.step_column, self.step_row, float(np.diff(self.offsets).min()))


def read(dataset: Dataset) -> DoseGrid | Diagnostic:
    """Return the dose grid of an RTDOSE (PS3.3 C.8.8.3), or the finding that says why there is none.

    Refused: Dose Units other than GY, Dose Type ERROR, compressed pixels, an incomplete or degenerate grid,
    frame offsets that neither start at zero (distances along the normal, C.8.8.3.2 a) nor at the third
    component of Image Position (Patient) (patient z, C.8.8.3.2 b).
    """
    try:
        return _read(dataset)
    except (TypeError, ValueError):
        return finding("D403", "An element of the dose grid holds text where a number belongs.")


def _read(dataset: Dataset) -> DoseGrid | Diagnostic:
    refusal = _refused_dose(dataset) or _refused_grid(dataset) or _refused_pixels(dataset)
    if refusal is not None:
        return refusal
    axes = _axes(dataset)
    if axes is None:
        return finding("D403", "The orientation of the dose grid is not two perpendicular unit vectors.")
    offsets = _offsets(dataset, axes[2])
    if offsets is None:
        return finding("D404", "The frame offsets of the dose grid do not say where its planes lie.")
    order = np.argsort(offsets, kind="stable")
    result = DoseGrid(
        values=np.ascontiguousarray(_values(dataset)[order]),
        scaling=float(dataset.DoseGridScaling),
        origin=_numbers(dataset, "ImagePositionPatient"),
        axes=axes,
        step_column=float(dataset.PixelSpacing[1]),
        step_row=float(dataset.PixelSpacing[0]),
        offsets=offsets[order],
        dose_type=str(dataset.get("DoseType") or ""),
        summation=str(dataset.get("DoseSummationType") or ""),
        frame_uid=str(dataset.get("FrameOfReferenceUID") or ""),
        parts=frozenset(_parts(dataset)),
    )
    if not 0 <= result.maximum <= HIGHEST_GY:
        return finding("D403", "The scaling of the dose grid gives doses that no treatment has.")
    return result


def _refused_dose(dataset: Dataset) -> Diagnostic | None:
    if dataset.get("DoseUnits") != "GY":
        return finding("D401", "The dose is not given in gray.")
    if dataset.get("DoseType") not in {"PHYSICAL", "EFFECTIVE"}:
        return finding("D402", "The dose type is neither PHYSICAL nor EFFECTIVE.")
    return None


def _refused_grid(dataset: Dataset) -> Diagnostic | None:
    needed = ("DoseGridScaling", "ImagePositionPatient", "PixelSpacing", "Rows", "Columns", "NumberOfFrames")
    missing = [keyword for keyword in (*needed, "BitsAllocated", "PixelData") if not dataset.get(keyword)]
    if missing:
        return finding("D403", f"The dose grid lacks {', '.join(missing)}, or it is zero.")
    steps = _numbers(dataset, "PixelSpacing")
    if _numbers(dataset, "ImagePositionPatient").size != 3 or steps.size != 2 or not (steps > 0).all():
        return finding("D403", "The position or the spacing of the dose grid is not usable.")
    if min(dataset.Rows, dataset.Columns, int(dataset.NumberOfFrames)) < 2:
        return finding("D403", "The dose grid has fewer than two voxels in one direction.")
    return None


def _refused_pixels(dataset: Dataset) -> Diagnostic | None:
    syntax = _syntax(dataset)
    if syntax is not None and syntax.is_encapsulated:
        return finding("D405", "The dose values are stored compressed.")
    if dataset.BitsAllocated not in {16, 32}:
        return finding("D403", "The dose values are not stored in 16 or 32 bits.")
    if len(dataset.PixelData) < _count(dataset) * dataset.BitsAllocated // 8:
        return finding("D403", "The dose grid is cut short: fewer values than rows × columns × frames.")
    return None


def _numbers(dataset: Dataset, keyword: str) -> NDArray[np.float64]:
    return np.array([float(value) for value in dataset[keyword].value], dtype=np.float64)


def _syntax(dataset: Dataset) -> UID | None:
    """Return the transfer syntax; ``None`` for a file without meta information, which is little endian."""
    return getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)


def _count(dataset: Dataset) -> int:
    return int(dataset.NumberOfFrames) * int(dataset.Rows) * int(dataset.Columns)


def _values(dataset: Dataset) -> NDArray[np.integer]:
    kind = "i" if dataset.get("PixelRepresentation") else "u"
    syntax = _syntax(dataset)
    order = "<" if syntax is None or syntax.is_little_endian else ">"
    stored = np.frombuffer(dataset.PixelData, f"{order}{kind}{dataset.BitsAllocated // 8}", _count(dataset))
    native: NDArray[np.integer] = stored.astype(stored.dtype.newbyteorder("="))
    return native.reshape(int(dataset.NumberOfFrames), dataset.Rows, dataset.Columns)


def _axes(dataset: Dataset) -> NDArray[np.float64] | None:
    """Return unit vectors along rising column, rising row, and their normal; ``None`` if not orthonormal."""
    if not dataset.get("ImageOrientationPatient"):
        return None
    cosines = _numbers(dataset, "ImageOrientationPatient")
    if cosines.size != 6:
        return None
    a, b = cosines[:3], cosines[3:]
    products = np.array([np.add.reduce(a * a) - 1, np.add.reduce(b * b) - 1, np.add.reduce(a * b)])
    return np.array([a, b, cross(a, b)]) if (np.abs(products) < 1e-3).all() else None


def _offsets(dataset: Dataset, normal: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the position of each plane along the normal, from the first; ``None`` when it cannot be told."""
    if not dataset.get("GridFrameOffsetVector"):
        return None
    offsets = _numbers(dataset, "GridFrameOffsetVector")
    height = float(dataset.ImagePositionPatient[2])
    if offsets[0] != 0:
        if abs(offsets[0] - height) > 1e-3 or abs(normal[2]) < 1 - 1e-6:
            return None
        offsets = (offsets - offsets[0]) * normal[2]
    steps = np.diff(offsets)
    one_way = bool((steps > 0).all() or (steps < 0).all())
    return offsets if one_way and offsets.size == int(dataset.NumberOfFrames) else None


def sample(
    grid: DoseGrid, x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the dose in gray at points of the patient coordinate system (mm), and which lie inside the grid.

    The shapes of x, y and z are the same, or broadcast to one.
    Trilinear between voxel centres; the grid ends at the outermost centres. Outside, the dose is meaningless.
    """
    dx, dy, dz = x - grid.origin[0], y - grid.origin[1], z - grid.origin[2]
    planes, rows, columns = grid.values.shape
    column, f_column, inside = _cell(_component(grid.axes[0], dx, dy, dz) / grid.step_column, columns)
    row, f_row, inside_row = _cell(_component(grid.axes[1], dx, dy, dz) / grid.step_row, rows)
    height = _component(grid.axes[2], dx, dy, dz)
    plane, f_plane, inside_plane = _cell(_plane_index(grid.offsets, height), planes)
    corner = (plane * rows + row) * columns + column
    flat = grid.values.reshape(-1)

    def line(shift: int) -> NDArray[np.float64]:
        return _between(flat.take(corner + shift), flat.take(corner + (shift + 1)), f_column)

    def face(shift: int) -> NDArray[np.float64]:
        return _between(line(shift), line(shift + columns), f_row)

    stored = _between(face(0), face(rows * columns), f_plane)
    return stored * grid.scaling, inside & inside_row & inside_plane


def summed(
    grids: Sequence[DoseGrid], x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the sum of doses in gray at points as :func:`sample` takes them, and which every grid covers."""
    dose, inside = sample(grids[0], x, y, z)
    for grid in grids[1:]:
        more, covered = sample(grid, x, y, z)
        dose, inside = dose + more, inside & covered
    return dose, inside


def _between(
    low: NDArray[np.integer | np.float64], high: NDArray[np.integer | np.float64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return ``low + (high − low) · share`` in double precision (stored integers have no minus)."""
    start = low.astype(np.float64, copy=False)
    step: NDArray[np.float64] = np.subtract(high, start, dtype=np.float64)
    return start + step * share


def _component(
    axis: NDArray[np.float64], dx: NDArray[np.float64], dy: NDArray[np.float64], dz: NDArray[np.float64]
) -> NDArray[np.float64]:
    terms = [delta * cosine for delta, cosine in zip((dx, dy, dz), axis, strict=True) if cosine]
    total: NDArray[np.float64] = sum(terms[1:], start=terms[0])
    return total


def _cell(
    index: NDArray[np.float64], count: int
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.bool_]]:
    """Return the voxel below a fractional index, the rest, and whether it is inside the grid."""
    inside = (index >= -_EDGE) & (index <= count - 1 + _EDGE)
    bounded = np.minimum(np.maximum(index, 0.0), count - 1.0)
    lower = np.minimum(bounded.astype(np.intp), count - 2)
    return lower, bounded - lower, inside


def _plane_index(offsets: NDArray[np.float64], height: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the fractional plane number at each height; planes may be unevenly spaced."""
    steps = np.diff(offsets)
    if float(steps.max() - steps.min()) < 1e-6:
        even: NDArray[np.float64] = (height - offsets[0]) / ((offsets[-1] - offsets[0]) / (offsets.size - 1))
        return even
    lower = np.minimum(np.maximum(np.searchsorted(offsets, height, "right") - 1, 0), offsets.size - 2)
    uneven: NDArray[np.float64] = lower + (height - offsets[lower]) / steps[lower]
    return uneven


def _parts(dataset: Dataset) -> Iterator[tuple[str, ...]]:
    """Yield the plans, fraction groups and beams (or application setups) referred to (PS3.3 C.8.8.3)."""
    for plan in dataset.get("ReferencedRTPlanSequence") or ():
        uid = str(plan.get("ReferencedSOPInstanceUID") or "")
        groups = plan.get("ReferencedFractionGroupSequence") or ()
        if not groups:
            yield (uid,)
        for group in groups:
            number = str(group.get("ReferencedFractionGroupNumber"))
            beams = group.get("ReferencedBeamSequence") or ()
            setups = group.get("ReferencedBrachyApplicationSetupSequence") or ()
            if not beams and not setups:
                yield uid, number
            yield from ((uid, number, "beam", str(beam.get("ReferencedBeamNumber"))) for beam in beams)
            for setup in setups:
                yield uid, number, "setup", str(setup.get("ReferencedBrachyApplicationSetupNumber"))
