"""Slabs × plane → mask: holes, slices, and that all three planes tell the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rttqa_build.dose.contours import Contour, StructureContours
from rttqa_build.dose.sections import is_axial, section
from rttqa_build.dose.slabs import Stack, stack

# on no line between corners that are whole numbers: there rounding would decide
X = np.arange(-10, 11, dtype=np.float64) + 0.2501234567
Y = np.arange(-8, 9, dtype=np.float64) + 0.2507654321
Z = np.arange(-4, 14, dtype=np.float64) * 0.75


def square(half: float, z: float) -> Contour:
    corners = [(-half, -half, z), (half, -half, z), (half, half, z), (-half, half, z)]
    return Contour("CLOSED_PLANAR", np.array(corners, dtype=np.float64))


def slabs(*contours: Contour) -> Stack:
    found = stack(StructureContours(1, "PTV", contours))
    assert isinstance(found, Stack)
    return found


def frame() -> Stack:
    """Return a hollow box: 12 mm wide, a hole of 4 mm, slices at 0, 3 and 6 mm; the last is whole."""
    return slabs(square(6, 0), square(2, 0), square(6, 3), square(2, 3), square(6, 6))


def expected(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    outer, hole = np.maximum(abs(x), abs(y)) < 6, np.maximum(abs(x), abs(y)) < 2
    found: np.ndarray = outer & (z >= -1.5) & (z < 7.5) & ~(hole & (z < 4.5))
    return found


@pytest.mark.parametrize("z", [-1.6, -1.4, 0.0, 1.6, 4.4, 4.6, 7.4, 7.6])
def test_axial(z: float) -> None:
    assert np.array_equal(section(frame(), 2, z, Y, X), expected(X[None, :], Y[:, None], np.array(z)))


@pytest.mark.parametrize("at", [-6.1, -5.9, -1.0, 0.0, 1.9, 2.1, 5.9, 6.1])
def test_upright_and_seen_from_the_head_down(at: float) -> None:
    down = Z[::-1]
    coronal = expected(X[None, :], np.array(at), down[:, None])
    assert np.array_equal(section(frame(), 1, at, down, X), coronal)
    sagittal = expected(np.array(at), Y[None, :], down[:, None])
    assert np.array_equal(section(frame(), 0, at, down, Y), sagittal)


def test_a_gap_between_slices_stays_empty() -> None:
    separate = slabs(*(square(6, z) for z in (0.0, 1.0, 2.0, 9.0, 10.0)))
    found = section(separate, 1, 0.0, np.array([2.4, 2.6, 5.0, 8.4, 8.6]), X)
    assert found.any(axis=1).tolist() == [True, False, False, False, True]


def test_slabs_of_other_orientation_are_not_axial() -> None:
    upright = [Contour("CLOSED_PLANAR", square(6, y).points[:, [0, 2, 1]]) for y in (0.0, 3.0)]
    assert not is_axial(slabs(*upright))
    assert is_axial(frame())


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(-7, 7)), min_size=3, max_size=9), st.integers(0, 16)
)
def test_the_planes_agree_where_they_meet(corners: list[tuple[int, int]], row: int) -> None:
    contours = [
        Contour("CLOSED_PLANAR", np.array([(x * (1 + z / 9), y, z) for x, y in corners]))
        for z in (0.0, 3.0, 6.0)
    ]
    found = stack(StructureContours(1, "PTV", tuple(contours)))
    if isinstance(found, Stack):
        axial = section(found, 2, 3.3, Y, X)
        assert np.array_equal(axial[row], section(found, 1, float(Y[row]), np.array([3.3]), X)[0])
        column = section(found, 0, float(X[row]), np.array([3.3]), Y)[0]
        assert np.array_equal(axial[:, row], column)
