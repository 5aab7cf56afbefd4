from __future__ import annotations

from typing import Any

import pytest
from case_builder import case, codes, selected

from rttqa_build.checks import images
from rttqa_build.checks.images import distance_along_normal
from rttqa_build.resolve import Selected
from rttqa_build.study import ImageFacts

HEAD_FIRST = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def image(z: float = 0, **fields: Any) -> ImageFacts:
    given: dict[str, Any] = {
        "position": (0.0, 0.0, z),
        "orientation": HEAD_FIRST,
        "spacing": (1.0, 1.0),
        "thickness": 3.0,
        "rows": 512,
        "columns": 512,
    }
    return ImageFacts(**(given | fields))


def stack(*levels: float, **fields: Any) -> list[ImageFacts]:
    return [image(z, **fields) for z in levels]


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (stack(0, 3, 6, 9), []),
        (stack(9, 0, 6, 3), []),
        (stack(0), []),
        (stack(0, 3.004, 6, 8.996), []),  # positions rounded to hundredths of a millimetre
        (stack(0, 3, 3, 6), ["C101"]),
        (stack(0, 3, 3.005, 6), ["C101"]),
        (stack(0, 3, 9, 12), ["C102"]),
        (stack(0, 3, 9, 12, 30, 33, 36), ["C102"]),
        (stack(0, 3, 6.5, 9, 12), ["C103"]),
        (stack(0, 2.5, 5, 8, 11, 14), ["C103"]),
        (stack(0, 2, 4, 6, 8, 12, 16, 20), ["C103"]),  # scanned in two steps
        (stack(0, 2, 4, 6, 8, 10, 12, 16, 20, 28, 32, 36), ["C102"]),  # and a slice is lost
        (stack(0, 2, 4, 6, 8, 12, 16), ["C102"]),
        ([*stack(0, 3), image(6, orientation=(0, 1, 0, 0, 0, -1))], ["C104"]),
        ([*stack(0, 3), image(6, orientation=(1, 0, 0.00001, 0, 1, 0))], []),
        ([*stack(0, 3), image(6, position=None)], ["C105"]),
        ([*stack(0, 3), image(6, orientation=None)], ["C105"]),
        ([*stack(0, 3), image(6, rows=256)], ["C106"]),
        ([*stack(0, 3), image(6, spacing=(0.9, 0.9))], ["C106"]),
        ([image(0, position=None, frames=60)], []),  # one multi-frame object has its positions elsewhere
    ],
)
def test_slices(series: list[ImageFacts], expected: list[str]) -> None:
    assert codes(images.slices, case(selected("planning_image", *series))) == expected
    assert codes(images.slices, case(selected("diagnostic_mr", *series, name="t2"))) == expected


def test_where_slices_are_missing_is_told_locally_only() -> None:
    (found,) = images.slices(case(selected("planning_image", *stack(0, 3, 6, 12, 15))))
    assert "6.0 mm" in found.local
    assert "1 place " in found.message
    assert "5 slices" in found.message


def test_oblique_stacks_are_measured_along_their_normal() -> None:
    tilted = (1.0, 0.0, 0.0, 0.0, 0.8, -0.6)
    series = [
        image(0, orientation=tilted, position=(5.0, 0.6 * step, 0.8 * step)) for step in (0.0, 3.0, 6.0)
    ]
    assert [distance_along_normal(one) for one in series] == pytest.approx([0, 3, 6])
    assert codes(images.slices, case(selected("planning_image", *series))) == []


@pytest.mark.parametrize(
    ("thickness", "limit", "expected"),
    [(3.0, "3", []), (3.005, "3", []), (3.2, "3", ["C107"]), (5.0, None, []), (None, "3", [])],
)
def test_thickness(thickness: float | None, limit: str | None, expected: list[str]) -> None:
    tolerances = {"slice_thickness_mm": limit} if limit else {}
    planning = selected("planning_image", *stack(0, 3, thickness=thickness))
    diagnostic = selected("diagnostic_mr", *stack(0, 6, thickness=6.0))
    assert codes(images.thickness, case(planning, diagnostic, tolerances=tolerances)) == expected


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ([image(z, position=(0.0, 0.3 * (z > 3), float(z))) for z in (0, 3, 6)], []),
        ([image(z, position=(0.0, 0.2 * z, float(z))) for z in (0, 3, 6, 9)], ["C108"]),
        ([image(z, temporal=phase) for phase in (1, 2) for z in (0, 3, 6)], []),
        ([image(z, temporal=phase) for phase in (1, 2) for z in (0, 3, 3)], ["C101", "C101"]),
    ],
)
def test_stacks(series: list[ImageFacts], expected: list[str]) -> None:
    assert codes(images.slices, case(selected("planning_image", *series))) == expected


@pytest.mark.parametrize(
    ("series", "role", "expected"),
    [
        (stack(0, 3, image_type=("ORIGINAL", "PRIMARY", "AXIAL")), "planning_image", []),
        (stack(0, 3, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER")), "planning_image", ["C109"]),
        (stack(0, 3, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER")), "diagnostic_xa", []),
        (stack(0, 3, image_type=("DERIVED", "SECONDARY", "MIP")), "planning_image", ["C110"]),
        (stack(0, 3, image_type=("DERIVED", "SECONDARY", "MIP")), "ct_4d", []),
        (stack(0, 3, image_type=("DERIVED", "SECONDARY", "AVERAGE")), "planning_image", []),
    ],
)
def test_kind(series: list[ImageFacts], role: str, expected: list[str]) -> None:
    assert codes(images.kind, case(selected(role, *series))) == expected


def test_images_of_a_series_share_one_frame() -> None:
    both = (
        *selected("planning_image", image(0)).instances,
        *selected("planning_image", image(3), frame_uid="g").instances,
    )
    assert codes(images.kind, case(Selected("planning_image", "", both))) == ["C111"]


def test_slices_further_apart_than_the_trial_allows_are_told_though_they_are_thin() -> None:
    far = case(
        selected("planning_image", *stack(0, 5, 10, thickness=2.5)), tolerances={"slice_thickness_mm": "3"}
    )
    assert codes(images.thickness, far) == ["C107"]
