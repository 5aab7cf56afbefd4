"""A metric (:mod:`rttqa_build.trial.metric`) × a histogram → its value, and how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from rttqa_build.dose.dvh import Dvh
    from rttqa_build.trial.metric import Metric


class Errors(NamedTuple):
    """Stated uncertainties, relative: of a dose at a volume, of a mean dose, of a volume."""

    dose: float
    mean: float
    volume: float


BAR: Final = Errors(0.01, 0.003, 0.02)
"""What the analytic tests hold structures to that are drawn on enough slices."""

FEW: Final = ((5, Errors(0.05, 0.02, 0.25)), (7, Errors(0.025, 0.01, 0.07)))
"""What they hold structures to that are drawn on fewer slices than so many: where these end, no contour says.
Worst of solids of 5 to 24 mm at every angle, in 1 Gy/mm about 30 Gy."""


def errors(dvh: Dvh) -> Errors:
    """Return the uncertainties of a structure's figures; those of curves from elsewhere are the bar."""
    few = (stated for below, stated in FEW if 0 < dvh.slices < below)
    return next(few, BAR)


def evaluate(metric: Metric, dvh: Dvh, prescription_gy: float | None = None) -> float | None:
    """Return the value in the metric's unit.

    ``None`` where there is none: a relative metric without a prescribed dose, a structure of points asked for
    volumes, or more cubic centimetres than the dose grid covers of the structure.
    """
    if metric.relative and not prescription_gy:
        return None
    if metric.quantity == "Volume":
        return dvh.volume_cc
    if metric.quantity in {"V", "CV"}:
        return _volume(metric, dvh, _gray(metric, prescription_gy))
    dose = _dose(metric, dvh)
    if dose is None or metric.result == "Gy" or not prescription_gy:
        return dose
    return dose / prescription_gy * 100


def uncertainty(metric: Metric, dvh: Dvh, prescription_gy: float | None = None) -> float | None:
    """Return how far the value may be off by this engine's own stated accuracy, in the metric's unit.

    Doses at a volume, minimum and maximum: 1 %; mean: 0.3 %; volumes: 2 %; more for structures on few slices.
    A volume at a dose carries what the uncertainty of the dose would move it by, and in cc also that of the
    volume. ``None`` where there is no value.
    """
    value = evaluate(metric, dvh, prescription_gy)
    if value is None:
        return None
    stated = errors(dvh)
    if metric.quantity not in {"V", "CV"}:
        return value * {"Mean": stated.mean, "Volume": stated.volume}.get(metric.quantity, stated.dose)
    dose = _gray(metric, prescription_gy)
    sides = [_volume(metric, dvh, dose * (1 + sign * stated.dose)) for sign in (-1, 1)]
    moved = max(abs(side - value) for side in sides if side is not None)
    return moved + (stated.volume * value if metric.result == "cc" else 0.0)


def _gray(metric: Metric, prescription_gy: float | None) -> float:
    amount = float(metric.amount or 0)
    return amount if metric.unit == "Gy" else amount / 100 * (prescription_gy or 0.0)


def _volume(metric: Metric, dvh: Dvh, dose_gy: float) -> float | None:
    if not dvh.covered_cc:
        return None
    hot = volume_at(dvh, dose_gy)
    volume = hot if metric.quantity == "V" else dvh.covered_cc - hot
    return volume if metric.result == "cc" else volume / dvh.covered_cc * 100


def _dose(metric: Metric, dvh: Dvh) -> float | None:
    simple = {"Mean": dvh.mean_gy, "Min": dvh.min_gy, "Max": dvh.max_gy}
    if metric.quantity in simple:
        return simple[metric.quantity]
    covered, amount = dvh.covered_cc, float(metric.amount or 0)
    volume = amount if metric.unit == "cc" else amount / 100 * covered
    if not covered or volume > covered:
        return None
    return _dose_at(dvh, volume if metric.quantity == "D" else covered - volume)


def volume_at(dvh: Dvh, dose_gy: float) -> float:
    """Return the volume (cc) that receives the dose or more, linear between the edges of the histogram."""
    edges, falling = dvh.dose_gy, dvh.cumulative_cc
    above = int(np.searchsorted(edges, dose_gy, "right"))
    if above == 0:
        return float(falling[0])
    if above == len(edges):
        return 0.0
    share = (dose_gy - edges[above - 1]) / (edges[above] - edges[above - 1])
    return float(falling[above - 1] + share * (falling[above] - falling[above - 1]))


def _dose_at(dvh: Dvh, volume_cc: float) -> float:
    """Return the highest dose that so much volume still receives; never beyond the structure's extremes."""
    edges, falling = dvh.dose_gy, dvh.cumulative_cc
    enough = len(falling) - int(np.searchsorted(falling[::-1], volume_cc, "left"))
    if enough == len(falling):
        return dvh.max_gy
    low, high = falling[enough - 1], falling[enough]
    share = (low - volume_cc) / (low - high)
    dose = float(edges[enough - 1] + share * (edges[enough] - edges[enough - 1]))
    return min(max(dose, dvh.min_gy), dvh.max_gy)
