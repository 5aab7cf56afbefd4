"""Family D, as calculated: the dose is that of these targets, and its maximum lies in the patient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rttqa_build.checks import prescription
from rttqa_build.checks.planes import beyond, by_height, flattened, slices_of
from rttqa_build.diagnostic import Location, finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.checks.case import Case
    from rttqa_build.checks.measured import Measured
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.dose.grid import DoseGrid
    from rttqa_build.manifest import Prescription
    from rttqa_build.resolve import Selected

DEFAULT_MEDIAN_PERCENT = 10.0


class _Expected(NamedTuple):
    """Gray that a dose should bring to a target, at least and at most."""

    low: float
    high: float


def medians(case: Case, seen: Measured) -> Iterator[Diagnostic]:
    """The median dose of each prescribed target is near its prescription, phase by phase and in the sum.

    The lower targets of a plan hold the higher ones, so for them only too little is told. A target that not
    every plan prescribes to may lie in the others' targets too, and get all that they prescribe.
    """
    share = (case.tolerance("target_median_percent") or DEFAULT_MEDIAN_PERCENT) / 100
    for dose in case.roles("dose"):
        found = seen.medians.get(dose.name, {})
        expected = {name: want for name in found if (want := _expected(case, dose, name))}
        top = max((want.high for want in expected.values()), default=0.0)
        for name, want in expected.items():
            cold = found[name] < want.low * (1 - share)
            hot = want.high == top and found[name] > want.high * (1 + share)
            if cold or hot:
                message = f"the median dose of {name} is far {'below' if cold else 'above'} its prescription"
                where = Location(dose.place, item=name)
                yield finding("D501", message, where, subject=name, local=f"{found[name]:.1f} Gy")


def _expected(case: Case, dose: Selected, target: str) -> _Expected | None:
    """Return what a dose should bring to a target, or None where the manifest does not say."""
    rows = [(line, want) for line, want in _wanted(case) if line.target == target]
    if any(not line.plan for line, _ in rows):
        rows = rows if len(dose.of) == 1 and (case.alternatives or len(list(case.roles("plan"))) == 1) else []
    else:
        rows = [(line, want) for line, want in rows if line.plan in dose.of]
    if not rows:
        return None
    low, high = sum(want.low for _, want in rows), sum(want.high for _, want in rows)
    others = set(dose.of) - {line.plan for line, _ in rows} if len(dose.of) > 1 else set()
    return _Expected(low, high + sum(_most(case, plan) for plan in others))


def _wanted(case: Case) -> Iterator[tuple[Prescription, _Expected]]:
    """Yield each line of the prescription with its dose; of a range, that which the plan prescribes."""
    within = prescription.chosen(case)
    for number, line in enumerate(case.manifest.prescription):
        low, high = float(line.dose_min), float(line.dose_max)
        yield line, _Expected(within.get(number, low), within.get(number, high))


def _most(case: Case, plan: str) -> float:
    """Return the highest dose that a plan prescribes, in Gy; infinity where the manifest does not say."""
    return max((float(r.dose_max) for r in case.manifest.prescription if r.plan == plan), default=math.inf)


def hottest(case: Case, seen: Measured) -> Iterator[Diagnostic]:
    """The highest dose lies inside the external contour."""
    slices = slices_of(case, seen.body.frame_uid) if seen.body else None
    if seen.body is None or slices is None:
        return
    outline = by_height(flattened(seen.body, slices), slices.step / 4)
    for dose_grid in seen.grids.get(seen.main, ()) if outline else ():
        u, v, w = (float(np.add.reduce(axis * _highest(dose_grid))) for axis in slices.axes)
        nearest = min(outline, key=lambda plane: abs(plane[0].height - w))
        voxel = max(dose_grid.step_column, dose_grid.step_row, slices.step)
        away = abs(nearest[0].height - w) - slices.step
        if away > voxel or beyond(np.array([[u, v]]), nearest) > voxel:
            message = "the highest dose lies outside the body"
            yield finding("D502", message, Location(seen.main), subject=seen.main)


def _highest(grid: DoseGrid) -> np.ndarray:
    """Return where the first voxel of the highest dose lies, in mm."""
    plane, row, column = np.unravel_index(int(grid.values.argmax()), grid.values.shape)
    steps = np.array([column * grid.step_column, row * grid.step_row, grid.offsets[plane]])
    place: np.ndarray = grid.origin + (steps[:, None] * grid.axes).sum(axis=0)
    return place
