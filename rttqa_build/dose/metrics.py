"""Dose-volume metrics in TG-263 notation: a grammar, a value read off a histogram, and how sure it is.

========================  =====================================================================
``D95%[Gy]``              dose that 95 % of the volume receives at least; also ``[%]`` of prescription
``D0.1cc[Gy]``            dose that the hottest 0.1 cc receive at least
``DC5cc[Gy]``             dose that the coldest 5 cc receive at the most (``DC5%`` likewise)
``V20Gy[%]``, ``[cc]``    volume that receives 20 Gy or more
``V95%[%]``, ``[cc]``     volume that receives 95 % of the prescription or more
``CV20Gy[cc]``            complement: volume that receives less than 20 Gy (``[%]``, ``CV95%`` likewise)
``Mean[Gy]``, ``Min``, ``Max``   dose over the structure; also ``[%]`` of prescription
``Volume[cc]``            the structure's volume
========================  =====================================================================

Source: AAPM TG-263, section 8 (DVH metrics); the complement forms follow its DC and CV.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from rttqa_build.dose.dvh import Dvh

DOSE_ERROR: Final = 0.01
"""Stated uncertainty of a dose at a volume, relative: the bar the analytic tests hold D95 and D5 to."""
MEAN_ERROR: Final = 0.003
VOLUME_ERROR: Final = 0.02

_NUMBER = r"(?P<amount>0|[1-9]\d*|0\.\d+|[1-9]\d*\.\d+)"
_GRAMMAR: Final = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        rf"(?P<quantity>DC|D){_NUMBER}(?P<unit>%|cc)\[(?P<result>Gy|%)\]",
        rf"(?P<quantity>CV|V){_NUMBER}(?P<unit>Gy|%)\[(?P<result>%|cc)\]",
        r"(?P<quantity>Mean|Min|Max)\[(?P<result>Gy|%)\]",
        r"(?P<quantity>Volume)\[(?P<result>cc)\]",
    )
)


class MetricSyntaxError(ValueError):
    """A text that is no metric in TG-263 notation."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A parsed metric: the quantity (``D``, ``DC``, ``V``, ``CV``, ``Mean``, …), at how much, the unit."""

    quantity: str
    amount: Decimal | None
    unit: str
    result: str

    def __str__(self) -> str:
        """Return the metric in TG-263 notation."""
        return f"{self.quantity}{'' if self.amount is None else self.amount}{self.unit}[{self.result}]"

    @property
    def relative(self) -> bool:
        """Whether the prescribed dose is needed to evaluate it."""
        return (self.quantity in {"V", "CV"} and self.unit == "%") or (
            self.quantity not in {"V", "CV"} and self.result == "%"
        )


def parse(text: str) -> Metric:
    """Return the metric that a text stands for.

    Raises:
        MetricSyntaxError: the text is not in the grammar above, or asks for more than 100 % of a volume.

    """
    match = next((found for pattern in _GRAMMAR if (found := pattern.fullmatch(text))), None)
    if match is None:
        raise MetricSyntaxError("not a metric such as D95%[Gy], D0.1cc[Gy], V20Gy[%] or Mean[Gy]")
    parts = match.groupdict()
    amount = Decimal(parts["amount"]) if parts.get("amount") else None
    metric = Metric(parts["quantity"], amount, parts.get("unit") or "", parts["result"])
    if metric.quantity in {"D", "DC"} and metric.unit == "%" and amount is not None and amount > 100:
        raise MetricSyntaxError("a metric cannot ask for the dose to more than 100 % of a volume")
    return metric


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

    Doses at a volume, minimum and maximum: 1 %; mean: 0.3 %; volumes: 2 %. A volume at a dose carries what
    1 % of dose would move it by, and in cc also 2 % of itself. ``None`` where there is no value.
    """
    value = evaluate(metric, dvh, prescription_gy)
    if value is None:
        return None
    if metric.quantity not in {"V", "CV"}:
        return value * {"Mean": MEAN_ERROR, "Volume": VOLUME_ERROR}.get(metric.quantity, DOSE_ERROR)
    dose = _gray(metric, prescription_gy)
    sides = [_volume(metric, dvh, dose * (1 + sign * DOSE_ERROR)) for sign in (-1, 1)]
    moved = max(abs(side - value) for side in sides if side is not None)
    return moved + (VOLUME_ERROR * value if metric.result == "cc" else 0.0)


def _gray(metric: Metric, prescription_gy: float | None) -> float:
    amount = float(metric.amount or 0)
    return amount if metric.unit == "Gy" else amount / 100 * (prescription_gy or 0.0)


def _volume(metric: Metric, dvh: Dvh, dose_gy: float) -> float | None:
    if not dvh.covered_cc:
        return None
    hot = _volume_at(dvh, dose_gy)
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


def _volume_at(dvh: Dvh, dose_gy: float) -> float:
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
