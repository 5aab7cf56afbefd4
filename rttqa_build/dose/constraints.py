"""A value × its limits → a verdict that knows how sure the engine is."""

from __future__ import annotations

import enum
import operator
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal


class Verdict(enum.StrEnum):
    """How a value stands to its limits."""

    PASS = "pass"  # noqa: S105 (a verdict, no password)
    OPTIMAL_MISSED = "optimal missed"
    BORDERLINE = "borderline"
    FAIL = "fail"


Op = Literal["<", "<=", ">", ">="]

MEETS: Mapping[Op, Callable[[float, float], bool]] = MappingProxyType(
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
)


def judge(
    value: float, op: Op, *, optimal: Decimal | None, mandatory: Decimal | None, uncertainty: float
) -> Verdict:
    """Return the verdict on a value.

    ``borderline``: the value is within ``uncertainty`` (same unit, on either side) of the limit that decides:
    the mandatory one, or the optimal one where there is no other; never where nothing is uncertain, as with
    a target that lies wholly above a dose. Else ``fail``: the mandatory limit is
    missed; ``optimal missed``: only the optimal one is; ``pass``: all are met. Without any limit: ``pass``.

    The uncertainty is the histogram engine's own (``metrics.uncertainty``), not that of dose or contours.
    """
    decisive = optimal if mandatory is None else mandatory
    if uncertainty and decisive is not None and abs(value - float(decisive)) <= uncertainty:
        return Verdict.BORDERLINE
    if mandatory is not None and not MEETS[op](value, float(mandatory)):
        return Verdict.FAIL
    if optimal is not None and not MEETS[op](value, float(optimal)):
        return Verdict.OPTIMAL_MISSED
    return Verdict.PASS
