from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import summary_example as example
from hypothesis import given
from hypothesis import strategies as st

from rttqa_build.summary.context import Curve, PrescriptionRow
from rttqa_build.summary.figures import curve, plot


def test_curve_is_in_per_cent_of_the_whole_structure() -> None:
    assert curve("a", [0, 1, 2], [5, 4, 0], 10.0) == Curve("a", (0.0, 1.0, 2.0), (50.0, 40.0, 0.0))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=400))
def test_thinning_keeps_the_shape(steps: list[float]) -> None:
    dose = np.arange(len(steps)) * 0.5
    volume = np.sort(np.array(steps))[::-1] * 50
    thin = curve("a", dose, volume, 50.0)
    drawn = np.interp(dose, thin.dose_gy, thin.volume_percent)
    held = np.array([thin.volume_percent[np.searchsorted(thin.dose_gy, x, "right") - 1] for x in dose])
    assert np.all(np.abs(held - volume * 2) <= 0.51)
    assert thin.dose_gy[-1] == dose[-1]
    assert drawn[0] == pytest.approx(volume[0] * 2, abs=0.01)


def test_a_fine_curve_becomes_a_short_one() -> None:
    assert len(example.dvh("Rectum", 70.0, 24.0, 20.0).dose_gy) < 420


@pytest.mark.parametrize(
    ("highest", "top", "ticks"),
    [
        (0.0, 0.1, 2),
        (0.7, 0.7, 8),
        (7.9, 8.0, 9),
        (60.0, 70.0, 8),
        (62.0, 70.0, 8),
        (78.5, 80.0, 9),
        (81.0, 100.0, 6),
    ],
)
def test_axis(highest: float, top: float, ticks: int) -> None:
    bare = replace(example.summary(), prescription=(), curves=(Curve("a", (0.0, highest), (100.0, 0.0)),))
    drawn = plot(bare)
    assert drawn.top == pytest.approx(top)
    assert len(drawn.ticks) == ticks
    assert drawn.ticks[-1] == pytest.approx(top)


def test_prescribed_doses_are_marked_and_on_the_axis() -> None:
    summary = replace(
        example.summary(), prescription=(PrescriptionRow("PTV", "90 Gy", 30, "3 Gy", "", 90.0),)
    )
    assert plot(summary).marks == (90.0,)
    assert plot(summary).top > 90


def test_28_curves_look_different_and_neighbours_differ_twice() -> None:
    curves = tuple(Curve(str(n), (0.0, 1.0), (100.0, 0.0)) for n in range(28))
    lines = plot(replace(example.summary(), curves=curves)).lines
    assert len({(line.colour, line.dash) for line in lines}) == 28
    assert all(a.colour != b.colour and a.dash != b.dash for a, b in pairwise(lines))


def test_a_curve_that_ends_in_the_air_falls_to_the_axis() -> None:
    curves = (Curve("a", (0.0, 2.0), (100.0, 40.0)),)
    assert plot(replace(example.summary(), curves=curves)).lines[0].points[-1] == (2.0, 0.0)
