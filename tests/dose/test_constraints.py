"""Verdicts: both limits, either, none, and the band in which the engine cannot tell."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rttqa_build.dose.constraints import Op, Verdict, judge


@pytest.mark.parametrize(
    ("value", "op", "optimal", "mandatory", "verdict"),
    [
        (19.0, "<", "20", "25", Verdict.PASS),
        (22.0, "<", "20", "25", Verdict.OPTIMAL_MISSED),
        (24.6, "<", "20", "25", Verdict.BORDERLINE),
        (25.5, "<", "20", "25", Verdict.BORDERLINE),
        (25.6, "<", "20", "25", Verdict.FAIL),
        (20.2, "<", "20", "25", Verdict.OPTIMAL_MISSED),
        (20.2, "<", "20", None, Verdict.BORDERLINE),
        (20.6, "<", "20", None, Verdict.OPTIMAL_MISSED),
        (19.0, "<", "20", None, Verdict.PASS),
        (24.0, "<", None, "25", Verdict.PASS),
        (20.0, "<=", "20", "25", Verdict.PASS),
        (20.0, "<", "20", "25", Verdict.OPTIMAL_MISSED),
        (58.0, ">=", "57", "54", Verdict.PASS),
        (56.0, ">", "57", "54", Verdict.OPTIMAL_MISSED),
        (54.4, ">=", "57", "54", Verdict.BORDERLINE),
        (53.0, ">", "57", "54", Verdict.FAIL),
        (99.0, "<", None, None, Verdict.PASS),
    ],
)
def test_verdicts(value: float, op: Op, optimal: str | None, mandatory: str | None, verdict: Verdict) -> None:
    best, needed = (None if limit is None else Decimal(limit) for limit in (optimal, mandatory))
    assert judge(value, op, optimal=best, mandatory=needed, uncertainty=0.5) is verdict


@pytest.mark.parametrize(
    ("value", "op", "limit", "verdict"),
    [
        (100.0, ">=", "100", Verdict.PASS),  # all of a target far above the dose
        (0.0, "<=", "0", Verdict.PASS),
        (0.0, "<", "0", Verdict.FAIL),
    ],
)
def test_what_is_certain_is_never_borderline(value: float, op: Op, limit: str, verdict: Verdict) -> None:
    assert judge(value, op, optimal=None, mandatory=Decimal(limit), uncertainty=0.0) is verdict
