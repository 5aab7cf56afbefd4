"""How slices taper: within bounds, towards their neighbours, and to an end within a slice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rttqa_build.dose import sampling, slabs, taper
from rttqa_build.dose.contours import Contour, StructureContours
from rttqa_build.dose.slabs import Stack


def tower(*areas: float, spacing: float = 3.0) -> Stack:
    """Squares of these areas, one on each plane, tapered."""
    contours = []
    for number, area in enumerate(areas):
        half = area**0.5 / 2
        corners = [(-half, -half), (half, -half), (half, half), (-half, half)]
        contours.append(Contour("CLOSED_PLANAR", np.array([(x, y, number * spacing) for x, y in corners])))
    found = slabs.stack(StructureContours(1, "Tower", tuple(contours), slice_spacing=spacing), "tapered")
    assert isinstance(found, Stack)
    return taper.tapered(found, sampling.areas(found))


def reach(stack: Stack) -> float:
    """Return how far the stack goes on above its last plane, in slices of 3 mm."""
    return float(stack.upper[-1] - stack.height[-1]) / 3


def volume(stack: Stack, areas: tuple[float, ...]) -> float:
    assert stack.profile is not None
    return float(np.add.reduce((stack.upper - stack.lower) * stack.profile.mean * np.array(areas)))


@pytest.mark.parametrize(
    ("power", "places"),
    [(1.0, (0.3, 1.3, 2.3, 3.3, 4.3)), (0.5, (0.6, 1.6, 2.6, 3.6)), (2.0, (0.9, 1.9, 2.9, 3.9, 4.9))],
    ids=["ball", "cone", "ridge"],
)
def test_an_end_closes_where_its_areas_run_out(power: float, places: tuple[float, ...]) -> None:
    """The distance from the end is an even function of the area, its root or its square."""
    areas = [(40 * x - x * x if power != 0.5 else 9 * x * x) for x in places]
    areas = [area**0.5 * 9 if power == 2.0 else area for area in areas]
    assert reach(tower(*areas[::-1])) == pytest.approx(places[0], abs=0.02)


@pytest.mark.parametrize(
    ("areas", "slices"),
    [
        ((100, 100, 100, 100), 0.5),
        ((100, 90, 80, 70), 0.5),
        ((50, 70, 90, 110), 0.5),
        ((100, 40), 2 / 3),
        ((400, 300, 200, 100), 1.0),
        ((500, 380, 260, 140), 2 - 140 / 120),
        ((100,), 0.5),
    ],
    ids=["upright", "hardly smaller", "growing", "two planes", "just a slice", "a little more", "one"],
)
def test_how_far_an_end_reaches(areas: tuple[float, ...], slices: float) -> None:
    assert reach(tower(*areas)) == pytest.approx(slices, abs=0.02)


def test_both_ends_are_alike() -> None:
    up, down = tower(50, 90, 120, 100, 30), tower(30, 100, 120, 90, 50)
    assert up.height[0] - up.lower[0] == pytest.approx(down.upper[-1] - down.height[-1])
    assert up.profile is not None
    assert down.profile is not None
    assert up.profile.mean == pytest.approx(down.profile.mean[::-1])


def test_a_speck_between_large_slices_stays_small() -> None:
    areas = (400.0, 400.0, 0.01, 400.0, 400.0)
    made = tower(*areas)
    assert made.profile is not None
    assert made.profile.most.max() <= taper.GROWTH
    slices = (made.upper - made.lower) * made.profile.mean * np.array(areas)
    assert slices[2] < 1


def test_a_ball_is_thickest_between_the_slices_beside_its_middle() -> None:
    areas = tuple(36 - z * z for z in (-4.5, -1.5, 1.5, 4.5))
    assert volume(tower(*areas), areas) == pytest.approx(4 / 3 * 6**3, rel=2e-3)


def test_nothing_swells_beside_a_step() -> None:
    made = tower(100, 400, 400, 400)
    assert made.profile is not None
    assert made.profile.most[1][1] == made.profile.most[0][2] == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(1, 900), min_size=1, max_size=9))
def test_whatever_the_areas(areas: list[float]) -> None:
    """Ends lie within a slice, no layer is negative or beyond its bounds, and all volume is accounted for."""
    made = tower(*areas)
    profile = made.profile
    assert profile is not None
    assert 0 <= reach(made) <= 1 + 1e-9
    assert 0 <= float(made.height[0] - made.lower[0]) / 3 <= 1 + 1e-9
    assert (made.lower <= made.height).all()
    assert made.lower[1:].tolist() == pytest.approx(made.upper[:-1].tolist())
    assert (profile.least >= 0).all()
    assert (profile.mean >= 0).all()
    slab = np.repeat(np.arange(len(areas)), 9)
    x = np.tile(np.linspace(-1.5, 1.5, 9), len(areas))
    share = profile.at(slab, x)
    assert ((share >= 0) & (share <= taper.GROWTH)).all()
    pieces = sampling.pieces(made, 1.0)
    sampled = float(np.add.reduce(pieces.length * pieces.section))
    assert sampled == pytest.approx(volume(made, tuple(areas)), rel=1e-6)
