"""The grammar of TG-263 metrics, and their values on a curve that can be checked by eye."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rttqa_build.dose import metrics
from rttqa_build.dose.dvh import Dvh
from rttqa_build.trial.metric import Metric, MetricSyntaxError, parse

RAMP = Dvh(
    structure="Ramp",
    number=1,
    volume_cc=200.0,
    covered_fraction=1.0,
    dose_gy=np.arange(0.0, 51.0, 10.0),
    cumulative_cc=np.array([200.0, 200.0, 150.0, 100.0, 50.0, 0.0]),
    min_gy=10.0,
    mean_gy=30.0,
    max_gy=49.0,
)
"""200 cc, spread evenly from 10 to 50 Gy (the highest sample at 49)."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("D95%[Gy]", 12.0),
        ("D50%[Gy]", 30.0),
        ("D50%[%]", 75.0),
        ("D100%[Gy]", 10.0),
        ("D0%[Gy]", 49.0),
        ("D20cc[Gy]", 46.0),
        ("D0.1cc[Gy]", 49.0),
        ("D200cc[Gy]", 10.0),
        ("D201cc[Gy]", None),
        ("DC20cc[Gy]", 14.0),
        ("DC10%[Gy]", 14.0),
        ("V20Gy[%]", 75.0),
        ("V25Gy[cc]", 125.0),
        ("V0Gy[%]", 100.0),
        ("V99Gy[cc]", 0.0),
        ("V50%[%]", 75.0),
        ("V50%[cc]", 150.0),
        ("CV20Gy[cc]", 50.0),
        ("CV50%[%]", 25.0),
        ("Mean[Gy]", 30.0),
        ("Mean[%]", 75.0),
        ("Min[Gy]", 10.0),
        ("Max[Gy]", 49.0),
        ("Volume[cc]", 200.0),
    ],
)
def test_values(text: str, expected: float | None) -> None:
    metric = parse(text)
    value = metrics.evaluate(metric, RAMP, prescription_gy=40.0)
    assert value == (None if expected is None else pytest.approx(expected))
    assert str(metric) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "D95", "D95[Gy]", "95%", "D%[Gy]", "D95%[cc]", "V20[%]", "V20Gy[Gy]", "V20cc[%]", "D101%[Gy]",
        "D-5%[Gy]", "D05%[Gy]", "D.5cc[Gy]", "D5.cc[Gy]", "d95%[Gy]", "D95%[gy]", "D 95%[Gy]", "D95%[Gy] ",
        "D95%[Gy]\n", "Mean[cc]", "Volume[%]", "D٩%[Gy]", "D1e3cc[Gy]",
    ],
)  # fmt: skip
def test_what_is_no_metric(text: str) -> None:
    with pytest.raises(MetricSyntaxError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "relative"), [("V95%[cc]", True), ("D2%[%]", True), ("D2%[Gy]", False), ("V20Gy[%]", False)]
)
def test_a_relative_metric_needs_a_prescription(text: str, relative: bool) -> None:
    metric = parse(text)
    assert metric.relative is relative
    assert (metrics.evaluate(metric, RAMP) is None) is relative
    assert (metrics.uncertainty(metric, RAMP) is None) is relative


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("D50%[Gy]", 0.3),
        ("Mean[Gy]", 0.09),
        ("Volume[cc]", 4.0),
        ("V20Gy[%]", 0.5),
        ("V20Gy[cc]", 1.0 + 3.0),
        ("V5Gy[%]", 0.0),
    ],
)
def test_the_stated_uncertainty(text: str, expected: float) -> None:
    assert metrics.uncertainty(parse(text), RAMP) == pytest.approx(expected)


AMOUNTS = st.decimals(0, 100, places=3)
METRICS = st.one_of(
    st.builds(
        Metric,
        st.sampled_from(["D", "DC"]),
        AMOUNTS,
        st.sampled_from(["%", "cc"]),
        st.sampled_from(["Gy", "%"]),
    ),
    st.builds(
        Metric,
        st.sampled_from(["V", "CV"]),
        AMOUNTS,
        st.sampled_from(["Gy", "%"]),
        st.sampled_from(["%", "cc"]),
    ),
    st.builds(
        Metric, st.sampled_from(["Mean", "Min", "Max"]), st.none(), st.just(""), st.sampled_from(["Gy", "%"])
    ),
    st.just(Metric("Volume", None, "", "cc")),
)


@given(METRICS)
def test_text_and_metric_are_one(metric: Metric) -> None:
    assert parse(str(metric)) == metric


@given(METRICS)
def test_every_metric_has_a_value_and_a_bound_on_it(metric: Metric) -> None:
    """On a wholly covered structure of 200 cc nothing that the grammar can say is without an answer."""
    value = metrics.evaluate(metric, RAMP, 40.0)
    error = metrics.uncertainty(metric, RAMP, 40.0)
    assert value is not None
    assert error is not None
    assert (value >= 0, error >= 0) == (True, True)


@given(percent=st.decimals(0, 100, places=3))
def test_dose_and_volume_are_inverse(percent: Decimal) -> None:
    """On a falling curve, the volume at the dose of x % is x %."""
    dose = metrics.evaluate(Metric("D", percent, "%", "Gy"), RAMP)
    assert dose is not None
    if dose < RAMP.max_gy:
        volume = metrics.evaluate(Metric("V", Decimal(dose), "Gy", "%"), RAMP)
        assert volume == pytest.approx(float(percent), abs=1e-6)
