"""An axial image series → the three planes through one point of it; the volume is never held whole.

Only uncompressed single-frame images in rows and columns along the patient's axes, evenly spaced: anything
else could not be shown straight, and gives nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from rttqa_build.checks.images import COSINE_TOLERANCE, POSITION_TOLERANCE_MM, SPACING_TOLERANCE
from rttqa_build.evidence.dosimetry import dataset
from rttqa_build.study import ImageFacts
from rttqa_build.study.header import DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE
from rttqa_build.summary.views import Cut

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from rttqa_build.study import Instance

    Line: TypeAlias = NDArray[np.float64]
    Indices: TypeAlias = NDArray[np.intp]

UNCOMPRESSED = (IMPLICIT_LITTLE, EXPLICIT_LITTLE, DEFLATED, EXPLICIT_BIG)
KEYWORDS = (
    *("BitsAllocated", "PixelRepresentation", "SamplesPerPixel"),
    *("RescaleSlope", "RescaleIntercept", "PixelData"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """An axial series, foot to head.

    ``x``, ``y``, ``z``: where the centres of columns, rows and slices lie, in mm, rising; ``columns`` and
    ``rows`` are the indices of these in the stored pixels.
    """

    instances: tuple[Instance, ...]
    x: Line
    y: Line
    z: Line
    columns: Indices
    rows: Indices

    def cropped(self, low: Line, high: Line) -> Series:
        """Return the part of every image between two corners (x, y, …), or all where that is nothing."""
        across = (self.x >= low[0]) & (self.x <= high[0])
        down = (self.y >= low[1]) & (self.y <= high[1])
        if across.sum() < 2 or down.sum() < 2:
            return self
        return replace(
            self, x=self.x[across], y=self.y[down], columns=self.columns[across], rows=self.rows[down]
        )


def series(instances: Sequence[Instance]) -> Series | None:
    """Return images as a series from foot to head, or None where they are no straight axial volume."""
    import numpy as np

    placed = [(_corner(instance), instance) for instance in instances]
    images = sorted(
        ((corner, image) for corner, image in placed if corner), key=lambda row: (row[0][2], row[1].sop_uid)
    )
    if len(images) < len(placed) or not _is_even([corner for corner, _ in images]):
        return None
    first = images[0][1].facts
    if not isinstance(first, ImageFacts) or any(not _alike(first, image.facts) for _, image in images):
        return None
    (x, y, _), (row_mm, column_mm) = images[0][0], first.spacing or (1.0, 1.0)
    signs = first.orientation or (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    columns, rows = _rising(first.columns, signs[0]), _rising(first.rows, signs[4])
    return Series(
        tuple(image for _, image in images),
        x + _sign(signs[0]) * column_mm * columns.astype(np.float64),
        y + _sign(signs[4]) * row_mm * rows.astype(np.float64),
        np.array([corner[2] for corner, _ in images]),
        columns,
        rows,
    )


def cuts(images: Series, folder: Path, centre: Line, slices: Collection[int] = ()) -> tuple[Cut, ...] | None:
    """Return the axial, coronal and sagittal plane nearest to a point (x, y, z in mm).

    After them come the axial planes with the numbers ``slices``, foot to head: each file is read once. None
    where the pixels of an image cannot be used. Raises RttqaError where a file is not there.
    """
    import numpy as np

    x, y, z = (
        int(np.argmin(np.abs(line - at)))
        for line, at in zip((images.x, images.y, images.z), centre, strict=True)
    )
    axial: Line = np.empty((images.y.size, images.x.size))
    coronal: Line = np.empty((images.z.size, images.x.size))
    sagittal: Line = np.empty((images.z.size, images.y.size))
    stack: list[Cut] = []
    for number, instance in enumerate(images.instances):
        image = _image(folder, instance)
        if image is None:
            return None
        coronal[number] = image.values(images.rows[y], images.columns)
        sagittal[number] = image.values(images.rows, images.columns[x])
        if number == z:
            axial = image.values(images.rows[:, None], images.columns)
        if number in slices:
            plane = image.values(images.rows[:, None], images.columns)
            stack.append(Cut("axial", plane, images.y, images.x, float(images.z[number])))
    head_first = images.z[::-1]
    return (
        Cut("axial", axial, images.y, images.x, float(images.z[z])),
        Cut("coronal", coronal[::-1], head_first, images.x, float(images.y[y])),
        Cut("sagittal", sagittal[::-1], head_first, images.y, float(images.x[x])),
        *stack,
    )


class _Image(NamedTuple):
    stored: NDArray[np.integer]
    slope: float
    intercept: float

    def values(self, rows: Indices, columns: Indices) -> Line:
        """Return what stored pixels mean (in CT Hounsfield units); rows and columns broadcast."""
        return self.stored[rows, columns].astype("f8") * self.slope + self.intercept


def _image(folder: Path, instance: Instance) -> _Image | None:
    """Return the pixels of one image as they are stored, or None where they are not of 16 bits each."""
    import numpy as np

    facts, found = instance.facts, dataset(folder, instance, KEYWORDS)
    try:
        layout = (found.get("BitsAllocated"), found.get("SamplesPerPixel"))
        kind = "i2" if found.get("PixelRepresentation") else "u2"
        slope, intercept = float(found.get("RescaleSlope") or 1), float(found.get("RescaleIntercept") or 0)
    except (TypeError, ValueError):
        return None
    data = found.get("PixelData") or b""
    if not isinstance(facts, ImageFacts) or layout != (16, 1) or not math.isfinite(slope + intercept):
        return None
    count = facts.rows * facts.columns
    if len(data) < 2 * count:
        return None
    order = ">" if instance.transfer_syntax == EXPLICIT_BIG else "<"
    stored = np.frombuffer(data, order + kind, count)
    return _Image(stored.reshape(facts.rows, facts.columns), slope, intercept)


def _corner(instance: Instance) -> tuple[float, float, float] | None:
    """Return where the first pixel of an axial image lies, or None where it is none that can be used."""
    facts = instance.facts
    if not isinstance(facts, ImageFacts) or instance.transfer_syntax not in UNCOMPRESSED:
        return None
    if facts.frames != 1 or min(facts.rows, facts.columns) < 2 or facts.spacing is None:
        return None
    cosines = facts.orientation or (0.0,) * 6
    wanted = (_sign(cosines[0]), 0.0, 0.0, 0.0, _sign(cosines[4]), 0.0)
    straight = all(abs(a - b) <= COSINE_TOLERANCE for a, b in zip(cosines, wanted, strict=True))
    return facts.position if straight and min(facts.spacing) > 0 else None


def _alike(first: ImageFacts, other: object) -> bool:
    """Return whether an image has the matrix, spacing and direction of the first."""
    if not isinstance(other, ImageFacts):
        return False
    a, b = first.orientation or (), other.orientation or ()
    return (first.rows, first.columns, first.spacing) == (other.rows, other.columns, other.spacing) and all(
        abs(p - q) <= 2 * COSINE_TOLERANCE for p, q in zip(a, b, strict=True)
    )


def _is_even(corners: Sequence[tuple[float, float, float]]) -> bool:
    """Return whether at least three images lie straight above each other, at one distance."""
    gaps = [after[2] - before[2] for before, after in pairwise(corners)]
    if len(gaps) < 2 or min(gaps) < POSITION_TOLERANCE_MM:
        return False
    straight = all(
        max(corner[axis] for corner in corners) - min(corner[axis] for corner in corners)
        <= 2 * POSITION_TOLERANCE_MM
        for axis in (0, 1)
    )
    return straight and max(gaps) - min(gaps) <= SPACING_TOLERANCE * min(gaps) + POSITION_TOLERANCE_MM


def _sign(cosine: float) -> float:
    return -1.0 if cosine < 0 else 1.0


def _rising(count: int, cosine: float) -> Indices:
    """Return the indices of rows or columns in the order of rising coordinates."""
    import numpy as np

    indices = np.arange(count)
    return indices[::-1] if cosine < 0 else indices
