"""The planning system's own histograms: DVH Sequence of an RTDOSE → curves, and how far ours are from them.

Only the curves are read. DVH Minimum, Maximum and Mean Dose stand in percent, centigray or gray in real
exports, whatever their units say, and are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rttqa_build.diagnostic import Diagnostic, finding
from rttqa_build.dose import metrics
from rttqa_build.dose.contours import decimals, number
from rttqa_build.dose.dvh import Dvh
from rttqa_build.trial.metric import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from pydicom import Dataset

DVH_DATA, DVH_DOSE_SCALING = 0x30040058, 0x30040052

PROBED = (95, 50, 5)
"""The percentages of the volume at whose doses the curves are compared."""

DOSE_TOLERANCE = 0.03
HIGHEST_TOLERANCE = 0.01
PERCENT_TOLERANCE = 3.0
VOLUME_TOLERANCE = 0.10
LEAST_CC = 1.0
"""Curves agree at a percentage of the volume where their doses differ by no more than 3 % of the recorded
one, or 1 % of the highest dose, and a bin; or where the volumes at the recorded dose differ by no more than
3 % of the whole. Volumes agree within 10 % or 1 cc. Programs that use the same contours differ by up to 3 %
in dose, and by more in the volume of what is small."""


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """A histogram as the planning system wrote it.

    ``curve`` has no extremes of its own: its first and last bins stand for them. Where ``absolute`` is false
    its volumes are percentages, not cm³. ``bin_gy`` is its widest bin.
    """

    curve: Dvh
    absolute: bool
    bin_gy: float


def may_belong(dataset: Dataset, structure_set: str) -> bool:
    """Return whether an RTDOSE refers to the structure set of this SOP Instance UID, or to none at all."""
    items = dataset.get("ReferencedStructureSetSequence") or ()
    referenced = {str(item.get("ReferencedSOPInstanceUID")) for item in items}
    return not referenced or structure_set in referenced


def read(dataset: Dataset, structure_set: str) -> dict[int, Recorded | Diagnostic]:
    """Return ROI number → recorded histogram (PS3.3 C.8.8.4), or the finding that says why it is not usable.

    Refused: doses other than in gray, natural histograms, sums or differences of several structures, data
    that are no pairs of a bin width and a volume, volumes that rise. Nothing is read where the dose refers to
    another structure set than the one given: its ROI numbers would mean something else.
    """
    found: dict[int, Recorded | Diagnostic] = {}
    if not may_belong(dataset, structure_set):
        return found
    for item in dataset.get("DVHSequence") or ():
        for roi in item.get("DVHReferencedROISequence") or ():
            key = number(roi, "ReferencedROINumber")
            if key is not None and key not in found:
                found[key] = _read(item, key)
    return found


def _read(item: Dataset, roi: int) -> Recorded | Diagnostic:
    if refused := _refusal(item):
        return _not_comparable(refused)
    pairs, scaling = decimals(item, DVH_DATA), decimals(item, DVH_DOSE_SCALING)
    if pairs.size < 4 or pairs.size % 2 or scaling.size != 1:
        return _not_comparable("its data are no pairs of a bin width and a volume")
    bins, volumes = pairs[::2] * scaling[0], pairs[1::2]
    falling = volumes if item.get("DVHType") == "CUMULATIVE" else np.cumsum(volumes[::-1])[::-1]
    curve = _curve(roi, bins, falling)
    if curve is None:
        return _not_comparable("its doses or volumes run the wrong way")
    return Recorded(curve, item.get("DVHVolumeUnits") == "CM3", float(np.diff(curve.dose_gy).max()))


def _refusal(item: Dataset) -> str:
    rois = list(item.get("DVHReferencedROISequence") or ())
    if len(rois) != 1 or rois[0].get("DVHROIContributionType", "INCLUDED") != "INCLUDED":
        return "it is of several structures"
    if item.get("DoseUnits") != "GY":
        return "its doses are not in gray"
    if item.get("DVHType") not in {"CUMULATIVE", "DIFFERENTIAL"}:
        return "it is neither cumulative nor differential"
    return ""


def _not_comparable(why: str) -> Diagnostic:
    return finding("D208", f"the planning system's own histogram is not compared: {why}")


def _curve(roi: int, widths: NDArray[np.float64], falling: NDArray[np.float64]) -> Dvh | None:
    """Return a cumulative curve from bin widths in gray and the volume at the lower edge of each bin."""
    noise = 1e-6 * float(np.abs(falling).max())
    if not noise or (widths <= 0).any() or (np.diff(falling) > noise).any() or falling.min() < -noise:
        return None
    edges = np.concatenate(([0.0], np.cumsum(widths)))
    volumes = np.concatenate((np.minimum.accumulate(np.maximum(falling, 0.0)), [0.0]))
    lost = volumes[:-1] - volumes[1:]
    filled = np.flatnonzero(lost)
    return Dvh(
        structure="",
        number=roi,
        volume_cc=float(volumes[0]),
        covered_fraction=1.0,
        dose_gy=edges,
        cumulative_cc=volumes,
        min_gy=float(edges[filled[0]]),
        mean_gy=float(np.add.reduce(lost * (edges[:-1] + edges[1:]) / 2)) / float(volumes[0]),
        max_gy=float(edges[filled[-1] + 1]),
    )


def differing(recorded: Recorded, ours: Dvh, highest_gy: float) -> Diagnostic | None:
    """Return the finding that two histograms differ beyond the tolerances stated above, or ``None``.

    ``highest_gy`` is the highest dose of the grid. Structures of points have no curve and never differ.
    """
    respects = list(_differing(recorded, ours, highest_gy)) if ours.dose_gy.size else []
    message = f"the planning system's own histogram differs from ours in {', '.join(respects)}"
    return finding("D206", message) if respects else None


def _differing(recorded: Recorded, ours: Dvh, highest_gy: float) -> Iterator[str]:
    for percent in PROBED:
        metric = parse(f"D{percent}%[Gy]")
        theirs, own = metrics.evaluate(metric, recorded.curve), metrics.evaluate(metric, ours)
        if theirs is None or own is None:
            continue
        allowed = max(DOSE_TOLERANCE * theirs, HIGHEST_TOLERANCE * highest_gy) + recorded.bin_gy
        if abs(own - theirs) > allowed and abs(_percent_at(ours, theirs) - percent) > PERCENT_TOLERANCE:
            yield f"D{percent}%"
    if recorded.absolute:
        # some systems count what lies outside the dose grid, others do not
        gap = min(abs(volume - recorded.curve.volume_cc) for volume in (ours.volume_cc, ours.covered_cc))
        if gap > max(LEAST_CC, VOLUME_TOLERANCE * recorded.curve.volume_cc):
            yield "Volume"


def _percent_at(dvh: Dvh, dose_gy: float) -> float:
    return 100 * metrics.volume_at(dvh, dose_gy) / dvh.covered_cc
