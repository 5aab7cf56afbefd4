"""Dose-volume metrics in TG-263 notation: the grammar, for trial definitions and histograms alike.

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
from typing import Final

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
        raise MetricSyntaxError("this is no metric in TG-263 notation")
    parts = match.groupdict()
    amount = Decimal(parts["amount"]) if parts.get("amount") else None
    metric = Metric(parts["quantity"], amount, parts.get("unit") or "", parts["result"])
    if metric.quantity in {"D", "DC"} and metric.unit == "%" and amount is not None and amount > 100:
        raise MetricSyntaxError("a metric cannot ask for the dose to more than 100 % of a volume")
    return metric
