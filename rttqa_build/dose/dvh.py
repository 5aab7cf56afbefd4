"""Structure × dose → dose-volume histogram.

Conventions (they decide the last per cent, so they are part of the result):

- **Volume.** Each contour stands for its slice, which reaches half-way to the neighbouring planes of the same
  structure, whatever their spacing. Planes more than 2.5 usual slices apart are not joined. A structure on
  one plane only is as thick as the structure set's slices are apart. ``shape`` says what lies between and
  beyond the contours:

  - ``tapered`` (default): the area of a slice's layers follows the parabola through its own area and its
    neighbours'; an end closes, within one slice, where the last areas run out, and lies half a slice beyond
    the last contour where they do not (see :mod:`rttqa_build.dose.taper`);
  - ``half-slice``, ``none``, ``full-slice``: every slice is a prism, and the structure ends so far beyond its
    last contour.

- **Inside** is even-odd over all closed contours of a plane (CLOSED_PLANAR and CLOSEDPLANAR_XOR alike): a
  contour within a contour is a hole, one within the hole an island; keyholes work; where two contours
  overlap, the overlap is outside. When a structure has closed contours, its points and open lines are
  ignored.
- **Dose** is interpolated trilinearly between voxel centres, in patient coordinates; several doses are
  added point by point. Contours may lie in any orientation, the grid in any other.
- **Sampling** starts at twenty thousand points or one per dose voxel, whichever is finer, so that
  structures below a voxel get as many as large ones. Two interleaved halves of the points each give a
  histogram; while they differ, the pitch is halved, at most three times: finer where the gradient is steep.
- **Outside the grid** nothing is known: curve, mean, minimum and maximum are of the covered part,
  percentages of volume refer to it, and ``covered_fraction`` says how much it is. Any fraction below 1
  needs a person's eye.
- **Minimum and maximum** are over all samples and all contour points, in their plane and on those faces of
  their slice where it is not about to close.
- **POINT and open contours**: a structure without a closed one has no volume and no curve; its minimum,
  mean and maximum are those of the dose at its points.

Accuracy, held by the tests against closed form: spheres, cylinders and cones of 5 to 24 mm, upright, lying
and leaning by 30, 45 and 60 degrees, in gradients of 1 Gy/mm about 30 Gy along each axis, slices 0.2 to 3 mm
and dose points 0.4 to 3 mm apart, at least ten dose voxels:

- on fifteen slices or more: volume 2 %, mean 0.3 %, D95 and D5 1 %, always;
- on seven to fourteen: the same, but for cones that lean. Where one side of a cone lies almost in the slices,
  its area sets in suddenly, and whether before or behind a slice is not in the contours: mean 1.2 %, D95
  1.4 %, D5 2.1 %;
- the solids of Nelms et al. (Med Phys 2015;42:4435: 24 mm, planes at both ends, 1 Gy/mm about 16 Gy, a flat
  end half a slice beyond its contour): volume 0.4 %, mean 0.3 %, D95 and D5 0.6 % on slices of 1 to 3 mm;
- on five or six: volume 7 %, mean 1 %, doses 2.6 %; on three or four: volume 25 %, mean 2 %, doses 5 %. Half
  a slice at either end is a large part of so small a structure. :mod:`rttqa_build.dose.metrics` states these
  as the uncertainty by which a constraint is borderline;
- a flat end is known from the contours only to within half a slice either way: all solids that end between
  the same two slices are drawn alike, and no engine tells them apart;
- minimum and maximum are off by what the dose changes over half a slice: up to 10 % (3 mm slices).

Cross-sections do not move within their slice, though those of a leaning structure would. Moving them with the
middles of their neighbours was measured: means gained a sixth, D95, minimum and maximum lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rttqa_build.diagnostic import Diagnostic, finding
from rttqa_build.dose import grid as dose_grid
from rttqa_build.dose import sampling, slabs, taper
from rttqa_build.dose.addition import not_addable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from rttqa_build.dose.contours import StructureContours
    from rttqa_build.dose.grid import DoseGrid
    from rttqa_build.dose.slabs import Shape, Stack

FEWEST_SAMPLES = 20_000
MOST_SAMPLES = 4_000_000
MOST_CROSSINGS = 2_000_000
REFINEMENTS = 3
PROBED = (0.02, 0.05, 0.5, 0.95, 0.98)
"""Volume fractions whose doses the two halves of the samples must agree on."""


@dataclass(frozen=True, slots=True, eq=False)
class Dvh:
    """A cumulative dose-volume histogram: ``cumulative_cc[i]`` receives ``dose_gy[i]`` or more.

    ``volume_cc`` is the whole structure, ``cumulative_cc[0]`` the part that the dose grid covers. ``dose_gy``
    are evenly spaced bin edges from 0; both arrays are empty for a structure that is made of points.
    ``slices`` is on how many planes the structure is drawn; 0 where that is not known.
    """

    structure: str
    number: int
    volume_cc: float
    covered_fraction: float
    dose_gy: NDArray[np.float64]
    cumulative_cc: NDArray[np.float64]
    min_gy: float
    mean_gy: float
    max_gy: float
    slices: int = 0

    @property
    def covered_cc(self) -> float:
        """Return the volume inside the dose grid."""
        return float(self.cumulative_cc[0]) if self.cumulative_cc.size else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Tally:
    """One pass of sampling: mm³ per bin and in all, by halves; mm³ × Gy inside the grid; extremes in Gy."""

    bins: NDArray[np.float64]
    volume: NDArray[np.float64]
    dose_volume: float
    low: float
    high: float


class Mapper(Protocol):
    """``map`` itself, or the method of that name of an executor."""

    def __call__(
        self, function: Callable[[StructureContours], Dvh | Diagnostic], items: Iterable[StructureContours], /
    ) -> Iterable[Dvh | Diagnostic]:
        """Apply the function to every item, results in the items' order."""


def compute_all(
    structures: Iterable[StructureContours],
    grids: Sequence[DoseGrid],
    *,
    shape: Shape = "tapered",
    mapper: Mapper = map,
) -> tuple[Dvh | Diagnostic, ...]:
    """Return one result per structure, in their order, the same whatever ``mapper`` is (``executor.map``)."""
    return tuple(mapper(partial(compute, grids=grids, shape=shape), structures))


def compute(
    structure: StructureContours, grids: Sequence[DoseGrid], *, shape: Shape = "tapered"
) -> Dvh | Diagnostic:
    """Return the histogram of the summed dose in a structure, or the finding that says why there is none.

    See the module for the conventions. That structure and dose share a frame is for the caller to check.
    """
    refusal = not_addable(grids) or _unusable(structure)
    if refusal is not None:
        return refusal
    if not any(contour.closed for contour in structure.contours):
        return _at_points(structure, grids)
    stack = slabs.stack(structure, shape)
    if isinstance(stack, Diagnostic):
        return stack
    if shape == "tapered":
        stack = taper.tapered(stack, sampling.areas(stack))
    per_gray = _bins_per_gray(sum(grid.maximum for grid in grids))
    tally = _converged(stack, grids, per_gray)
    if not tally.volume.any():
        return finding("D412", "The contours of a structure enclose no volume.", local=structure.name)
    if not tally.bins.any():
        return finding("D415", "A structure lies wholly outside the dose grid.", local=structure.name)
    return _histogram(structure, tally, per_gray, stack.height.size)


def _unusable(structure: StructureContours) -> Diagnostic | None:
    if structure.unreadable:
        return finding("D411", "A structure has contours that cannot be read.", local=structure.name)
    if not structure.contours:
        return finding("D412", "A structure has no contours.", local=structure.name)
    return None


def _at_points(structure: StructureContours, grids: Sequence[DoseGrid]) -> Dvh | Diagnostic:
    points = np.concatenate([contour.points for contour in structure.contours])
    dose, inside = dose_grid.summed(grids, points[:, 0], points[:, 1], points[:, 2])
    known = dose[inside]
    if not known.size:
        return finding("D415", "A structure lies wholly outside the dose grid.", local=structure.name)
    return Dvh(
        structure=structure.name,
        number=structure.number,
        volume_cc=0.0,
        covered_fraction=known.size / dose.size,
        dose_gy=np.empty(0),
        cumulative_cc=np.empty(0),
        min_gy=float(known.min()),
        mean_gy=float(np.add.reduce(known)) / known.size,
        max_gy=float(known.max()),
    )


def _bins_per_gray(maximum: float) -> int:
    """Return a hundred, or ten times more until the highest dose spans a thousand bins (not beyond 1 µGy)."""
    per_gray = 100
    while per_gray < 1_000_000 and maximum * per_gray < 1000:
        per_gray *= 10
    return per_gray


def _converged(stack: Stack, grids: Sequence[DoseGrid], per_gray: int) -> _Tally:
    """Sample ever finer until both halves of the samples agree; slivers get a bounded number of rows."""
    rise = float(np.add.reduce(np.abs(stack.v1 - stack.v0)))
    finest = max(float(np.sqrt(stack.area / MOST_SAMPLES)), rise / MOST_CROSSINGS)
    pitch = max(finest, min(float(np.sqrt(stack.area / FEWEST_SAMPLES)), *(grid.finest for grid in grids)))
    tally = _tally(stack, grids, per_gray, pitch)
    for _ in range(REFINEMENTS):
        if pitch <= finest or _agree(tally):
            break
        pitch = max(finest, pitch / 2)
        tally = _tally(stack, grids, per_gray, pitch)
    return tally


def _agree(tally: _Tally) -> bool:
    """Return whether the halves agree: volume to 0.5 %, mean to 0.1 %, doses to 0.3 % + 0.1 % of the top."""
    one, other = tally.volume
    if abs(one - other) > 0.005 * min(one, other):
        return False
    here, there = (_mean_bin(bins) for bins in tally.bins)
    if abs(here - there) > 0.001 * min(here, there):
        return False
    first, second = (_probe(bins) for bins in tally.bins)
    allowed = 0.003 * np.minimum(first, second) + 0.001 * max(first.max(), second.max()) + 1
    return bool((np.abs(first - second) <= allowed).all())


def _mean_bin(bins: NDArray[np.float64]) -> float:
    """Return the mean dose in bins, counted from the middle of the first; 0 for an empty half."""
    volume = float(np.add.reduce(bins))
    return float(np.add.reduce(bins * (np.arange(bins.size) + 0.5))) / volume if volume else 0.0


def _probe(bins: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the bins up to which the probed fractions of the volume lie."""
    rising = np.cumsum(bins)
    probed: NDArray[np.intp] = np.searchsorted(rising, rising[-1] * np.array(PROBED))
    return probed


def _tally(stack: Stack, grids: Sequence[DoseGrid], per_gray: int, pitch: float) -> _Tally:
    count = int(sum(grid.maximum for grid in grids) * per_gray) + 2
    bins, volume, dose_volume = np.zeros(2 * count), np.zeros(2), 0.0
    low, high = _extremes(stack, grids)
    for part in sampling.samples(stack, sampling.pieces(stack, pitch)):
        volume += np.bincount(part.half, part.volume, 2)
        dose, inside = dose_grid.summed(grids, part.x, part.y, part.z)
        known, weight, half = dose[inside], part.volume[inside], part.half[inside]
        if known.size:
            number = np.minimum(np.maximum(known * per_gray, 0.0).astype(np.intp), count - 1)
            bins += np.bincount(number + half * count, weight, 2 * count)
            dose_volume += float(np.add.reduce(known * weight))
            low, high = min(low, float(known.min())), max(high, float(known.max()))
    return _Tally(bins.reshape(2, count), volume, dose_volume, low, high)


def _extremes(stack: Stack, grids: Sequence[DoseGrid]) -> tuple[float, float]:
    """Return the lowest and the highest dose at the contours' points: in their plane, on faces as large."""
    low, high = float("inf"), float("-inf")
    for face in (stack.height, stack.lower, stack.upper):
        here = _drawn_on(stack, face)[stack.plane]
        places = stack.u0[here], stack.v0[here], face[stack.plane[here]]
        dose, inside = dose_grid.summed(grids, *sampling.to_patient(stack, *places))
        known = dose[inside]
        if known.size:
            low, high = min(low, float(known.min())), max(high, float(known.max()))
    return low, high


def _drawn_on(stack: Stack, face: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the slabs that have at least half of the area drawn at a height: there their outline holds."""
    slabs = np.arange(face.size)
    if stack.profile is None:
        return np.ones(face.size, dtype=np.bool_)
    return stack.profile.at(slabs, face - stack.height) >= 0.5


def _histogram(structure: StructureContours, tally: _Tally, per_gray: int, slices: int) -> Dvh:
    bins = tally.bins[0] + tally.bins[1]
    bins = bins[: int(np.flatnonzero(bins)[-1]) + 1]
    covered, total = float(np.add.reduce(bins)), float(tally.volume[0] + tally.volume[1])
    falling = np.cumsum(bins[::-1])[::-1]
    return Dvh(
        structure=structure.name,
        number=structure.number,
        volume_cc=total / 1000,
        covered_fraction=min(1.0, covered / total) if covered < total * (1 - 1e-9) else 1.0,
        dose_gy=np.arange(len(bins) + 1) / per_gray,
        cumulative_cc=np.concatenate((falling, [0.0])) / 1000,
        min_gy=tally.low,
        mean_gy=tally.dose_volume / covered,
        max_gy=tally.high,
        slices=slices,
    )
