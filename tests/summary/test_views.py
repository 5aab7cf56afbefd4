from __future__ import annotations

import base64
import io
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from rttqa_build.summary.context import LegendEntry
from rttqa_build.summary.views import (
    GREY_STEP,
    PIXELS,
    Cut,
    Overlay,
    legend,
    png_uri,
    squared,
    svg,
    view,
)

if TYPE_CHECKING:
    from rttqa_build.summary.context import View
    from rttqa_build.summary.views import Plane

WINDOW = (0.0, 100.0)
DOWN, ACROSS = np.arange(20, dtype=np.float64) * 2, np.arange(30, dtype=np.float64) - 7


def cut(plane: Plane = "axial", values: np.ndarray | None = None) -> Cut:
    """Return a cut of 40 × 30 mm."""
    return Cut(plane, np.zeros((20, 30)) if values is None else values, DOWN, ACROSS, -3.25)


def pixels(picture: View) -> np.ndarray:
    return np.frombuffer(picture.pixels, np.uint8).reshape(picture.height, picture.width, 3)


def red(picture: View) -> np.ndarray:
    found: np.ndarray = (pixels(picture) == (255, 0, 0)).all(axis=2)
    return found


@pytest.mark.parametrize(
    ("plane", "title", "edges", "axes"),
    [
        ("axial", "Axial, z = −3.2 mm", ("R", "L", "A", "P"), (ACROSS[None, :], DOWN[:, None], [[-3.25]])),
        (
            "coronal",
            "Coronal, y = −3.2 mm",
            ("R", "L", "S", "I"),
            (ACROSS[None, :], [[-3.25]], DOWN[:, None]),
        ),
        (
            "sagittal",
            "Sagittal, x = −3.2 mm",
            ("A", "P", "S", "I"),
            ([[-3.25]], ACROSS[None, :], DOWN[:, None]),
        ),
    ],
)
def test_each_plane_says_where_it_lies(
    plane: Plane, title: str, edges: tuple[str, ...], axes: tuple[np.ndarray, ...]
) -> None:
    picture = view(cut(plane), "PTV")
    assert (picture.title, picture.edges) == (title, edges)
    for found, expected in zip(cut(plane).points, axes, strict=True):
        assert np.array_equal(found, expected)


def test_a_place_is_never_minus_zero() -> None:
    assert view(replace(cut(), at=-0.04), "PTV").title == "Axial, z = 0.0 mm"


def test_pixels_are_square_and_of_one_size_in_all_cuts() -> None:
    large = replace(cut(), down=DOWN * 4)
    pictures = [view(one, "PTV") for one in squared([cut(), large])]
    assert [(p.width_mm, p.height_mm) for p in pictures] == [(30.0, 40.0), (30.0, 160.0)]
    assert [(p.width, p.height) for p in pictures] == [(260, 346), (260, 1386)]
    assert sum(p.width * p.height for p in pictures) == pytest.approx(PIXELS, rel=0.01)
    assert [len(p.pixels) for p in pictures] == [3 * p.width * p.height for p in pictures]


def test_resampling_keeps_every_place_and_value() -> None:
    plane = 3 * DOWN[:, None] + 5 * ACROSS[None, :]
    (fine,) = squared([cut(values=plane)])
    expected = 3 * fine.down[:, None] + 5 * fine.across[None, :]
    within = slice(20, -20)
    assert np.allclose(fine.values[within, within], expected[within, within])
    assert fine.down[0] == pytest.approx(DOWN[0] - 1 + 20 / fine.down.size)
    assert fine.across[-1] == pytest.approx(ACROSS[-1] + 0.5 - 15 / fine.across.size)


@pytest.mark.parametrize(("value", "grey"), [(-1.0, 0), (0.0, 0), (51.0, 130), (100.0, 252), (9e9, 252)])
def test_window(value: float, grey: int) -> None:
    picture = view(cut(values=np.full((20, 30), value)), "PTV", window=WINDOW)
    assert np.unique(pixels(picture)).tolist() == [grey - grey % GREY_STEP]


@pytest.mark.parametrize(("thin", "count"), [(True, 28), (False, 48)])
def test_an_outline_is_drawn_within_the_border_only(thin: bool, count: int) -> None:
    mask = np.zeros((20, 30), bool)
    mask[5:13, 10:18] = True
    found = red(view(cut(), "PTV", [Overlay("Rectum", mask, "#ff0000", thin)]))
    assert found.sum() == count
    assert not (found & ~mask).any()
    assert not found[8:10, 13:15].any()


def test_the_frame_of_the_picture_is_no_border() -> None:
    mask = np.zeros((20, 30), bool)
    mask[:8, :10] = True
    found = red(view(cut(), "PTV", [Overlay("Bowel", mask, "#ff0000", thin=True)]))
    assert found.sum() == 8 + 10 - 1
    assert found[7, 0]
    assert not found[0, 0]


def test_the_first_lies_on_top_and_the_legend_tells_what_is_drawn_somewhere() -> None:
    everywhere, nowhere = np.eye(20, 30) > 0, np.zeros((20, 30), bool)
    first, second = (
        Overlay("PTV", everywhere, "#ff0000"),
        Overlay("57 Gy (95 %)", everywhere, "#00ff00", thin=True),
    )
    third = Overlay("Bowel", nowhere, "#0000ff")
    picture = view(cut(), "PTV", (first, third, second))
    assert red(picture).sum() == everywhere.sum()
    assert picture.alt == "Axial view of the planning image through PTV. Outlines: PTV, 57 Gy (95 %)."
    other = replace(first, mask=nowhere), third, second
    assert legend([(first, third, second), other]) == (
        LegendEntry("#ff0000", "PTV"),
        LegendEntry("#00ff00", "57 Gy (95 %)", thin=True),
    )


def test_png_and_svg_hold_the_same_pixels() -> None:
    picture = view(cut(values=np.indices((20, 30)).sum(axis=0) * 2.0), "PTV", window=WINDOW)
    data = base64.b64decode(png_uri(picture).removeprefix("data:image/png;base64,"))
    assert Image.open(io.BytesIO(data)).tobytes() == picture.pixels
    assert png_uri(picture) in svg(picture)
