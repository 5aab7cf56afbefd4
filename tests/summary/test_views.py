from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from rttqa_build.summary.views import Overlay, Volume, orthogonal_views, png_uri, svg

if TYPE_CHECKING:
    from rttqa_build.summary.context import View

WINDOW = (50.0, 100.0)


def pixels(view: View) -> np.ndarray:
    return np.frombuffer(view.pixels, np.uint8).reshape(view.height, view.width, 3)


def volume() -> Volume:
    """Return a volume in which one corner is bright: head, front, patient's right."""
    values = np.zeros((10, 20, 30), np.float32)
    values[5:, :10, :15] = 100.0
    return Volume(values, (4.0, 2.0, 1.0))


@pytest.mark.parametrize(
    ("number", "title", "edges", "bright"),
    [
        (0, "Axial", ("R", "L", "A", "P"), (0, 0)),
        (1, "Coronal", ("R", "L", "S", "I"), (0, 0)),
        (2, "Sagittal", ("A", "P", "S", "I"), (0, 0)),
    ],
)
def test_directions(number: int, title: str, edges: tuple[str, ...], bright: tuple[int, int]) -> None:
    view = orthogonal_views(volume(), (7, 5, 5), window=WINDOW)[number]
    image = pixels(view)
    assert (view.title, view.edges) == (title, edges)
    assert image[bright].tolist() == [255, 255, 255]
    assert image[-1, -1].tolist() == image[0, -1].tolist() == image[-1, 0].tolist() == [0, 0, 0]


def test_extent_is_in_millimetres_and_pixels_are_square() -> None:
    axial, coronal, sagittal = orthogonal_views(volume(), (0, 0, 0))
    assert (axial.width_mm, axial.height_mm) == (30.0, 40.0)
    assert (coronal.width_mm, coronal.height_mm) == (30.0, 40.0)
    assert (sagittal.width_mm, sagittal.height_mm) == (40.0, 40.0)
    assert (axial.width, axial.height) == (240, 320)
    assert len(axial.pixels) == 240 * 320 * 3


def test_outline_is_drawn_at_the_border_only() -> None:
    mask = np.zeros((10, 20, 30), bool)
    mask[:, 5:15, 10:20] = True
    view = orthogonal_views(volume(), (0, 0, 0), [Overlay(mask, (255, 0, 0))])[0]
    red = (pixels(view) == (255, 0, 0)).all(axis=2)
    rows, columns = np.nonzero(red)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (80, 239, 80, 159)
    assert not red[160, 120]
    assert 440 <= red.sum() <= 480


def test_png_and_svg_hold_the_same_pixels() -> None:
    view = orthogonal_views(volume(), (7, 5, 5), window=WINDOW)[0]
    data = base64.b64decode(png_uri(view).removeprefix("data:image/png;base64,"))
    assert Image.open(io.BytesIO(data)).tobytes() == view.pixels
    assert png_uri(view) in svg(view)
