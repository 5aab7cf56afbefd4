"""Cuts through an image with outlines, as raw pixels.

Only + − × ÷ √, comparisons and indexing: the pixels are in the PDF, whose bytes no machine may change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from rttqa_build.summary import png
from rttqa_build.summary.context import LegendEntry, Slice, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Mask: TypeAlias = NDArray[np.bool_]
    Line: TypeAlias = NDArray[np.float64]
    Grey: TypeAlias = NDArray[np.float64]

Plane: TypeAlias = Literal["axial", "coronal", "sagittal"]

SOFT_TISSUE = (-160.0, 240.0)
"""Darkest and brightest Hounsfield unit: level 40, width 400."""

PIXELS = 450_000
"""How many all cuts have together: as fine as their print needs, and never a large document."""

GREY_STEP = 4
"""Brightness is told in steps of so much: what is finer is noise, and noise does not compress."""

THROUGH: Mapping[Plane, int] = {"axial": 2, "coronal": 1, "sagittal": 0}
_EDGES: Mapping[Plane, tuple[str, str, str, str]] = {
    "axial": ("R", "L", "A", "P"),
    "coronal": ("R", "L", "S", "I"),
    "sagittal": ("A", "P", "S", "I"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A plane through an image, as one looks at it: axial from the feet, sagittal from the patient's left.

    ``values``: rows from the top × columns from the left, in Hounsfield units or any other. ``down`` and
    ``across``: where the centres of rows and columns lie along two axes of the patient, in mm, evenly spaced:
    z falling (in an axial plane y rising), and x rising (in a sagittal one y); ``at``: where the plane stands
    on the third.
    """

    plane: Plane
    values: Grey
    down: Line
    across: Line
    at: float

    @property
    def through(self) -> int:
        """Return the patient's axis that the plane stands on: 0 x, 1 y, 2 z."""
        return THROUGH[self.plane]

    @property
    def points(self) -> tuple[Line, Line, Line]:
        """Return patient x, y and z of the pixels, in mm; the three broadcast to the shape of ``values``."""
        import numpy as np

        points = [np.array([[self.at]])] * 3
        points[0 if self.through else 1] = self.across[None, :]
        points[1 if self.through == 2 else 2] = self.down[:, None]
        return points[0], points[1], points[2]


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """A region on a cut's pixels (a structure, or dose at or above a level), drawn as its outline.

    ``colour`` is ``#rrggbb``; what is ``thin`` (a dose) is drawn half as wide.
    """

    name: str
    mask: Mask
    colour: str
    thin: bool = False


def squared(cuts: Sequence[Cut], pixels: int = PIXELS) -> tuple[Cut, ...]:
    """Return the cuts with square pixels of one size, about so many in all."""
    area = sum(_length(cut.down) * _length(cut.across) for cut in cuts)
    pixel = math.sqrt(area / pixels)
    return tuple(_squared(cut, pixel) for cut in cuts)


def _squared(cut: Cut, pixel: float) -> Cut:
    down, across = (
        _positions(line.size, max(2, int(_length(line) / pixel + 0.5))) for line in (cut.down, cut.across)
    )
    return replace(
        cut,
        values=_resampled(cut.values, down, across),
        down=cut.down[0] + _step(cut.down) * down,
        across=cut.across[0] + _step(cut.across) * across,
    )


def view(
    cut: Cut, target: str, overlays: Sequence[Overlay] = (), window: tuple[float, float] = SOFT_TISSUE
) -> View:
    """Return the picture of a cut, pixel by pixel; the first overlay lies on top.

    ``target`` is what the cut goes through; ``window``: the values that are black and white.
    """
    import numpy as np

    pixels = np.repeat(_grey(cut, window)[:, :, None], 3, axis=2)
    for overlay in reversed(overlays):
        pixels[_outline(overlay.mask, 1 if overlay.thin else 2)] = tuple(bytes.fromhex(overlay.colour[1:]))
    name, drawn = cut.plane.capitalize(), ", ".join(o.name for o in overlays if o.mask.any())
    return View(
        f"{name}, {_place(cut)}",
        pixels.shape[1],
        pixels.shape[0],
        pixels.tobytes(),
        round(_length(cut.across), 3),
        round(_length(cut.down), 3),
        _EDGES[cut.plane],
        f"{name} view of the planning image through {target}. Outlines: {drawn or 'none'}.",
    )


def slice_of(cut: Cut, overlays: Sequence[Overlay], window: tuple[float, float] = SOFT_TISSUE) -> Slice:
    """Return a cut in layers, one pixel wide lines: image, structures, doses."""
    import numpy as np

    layers = {thin: np.zeros(cut.values.shape, np.uint8) for thin in (False, True)}
    for number, overlay in reversed(tuple(enumerate(overlays[:255], 1))):
        layers[overlay.thin][_outline(overlay.mask, 1)] = number
    height, width = cut.values.shape
    grey = _grey(cut, window)
    return Slice(_place(cut), width, height, *(one.tobytes() for one in (grey, *layers.values())))


def _grey(cut: Cut, window: tuple[float, float]) -> NDArray[np.uint8]:
    import numpy as np

    black, white = window
    grey = np.clip((cut.values - black) * (255.0 / (white - black)) + 0.5, 0, 255).astype(np.uint8)
    return grey - grey % np.uint8(GREY_STEP)


def _place(cut: Cut) -> str:
    return f"{'xyz'[cut.through]} = {_signed(cut.at)} mm"


def legend(overlays: Iterable[Sequence[Overlay]]) -> tuple[LegendEntry, ...]:
    """Return what the outlines stand for, of several views with the same overlays; none that is nowhere."""
    return tuple(
        LegendEntry(same[0].colour, same[0].name, same[0].thin)
        for same in zip(*overlays, strict=True)
        if any(overlay.mask.any() for overlay in same)
    )


def svg(view: View) -> str:
    """Return the view as an SVG that holds nothing but the picture.

    Typst takes no binary sources from memory, only text. It decodes the PNG and compresses the pixels
    itself, so the PDF's bytes do not depend on how zlib compressed them here.
    """
    size = f'width="{view.width}" height="{view.height}"'
    picture = f'<image {size} href="{png_uri(view)}"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{picture}</svg>'


def png_uri(view: View) -> str:
    """Return the view as a ``data:`` URI with a PNG."""
    return png.uri(view.width, view.height, view.pixels, png.RGB)


def _step(line: Line) -> float:
    """Return the distance between neighbours, with its sign."""
    return float(line[-1] - line[0]) / (line.size - 1)


def _length(line: Line) -> float:
    """Return the extent of rows or columns, from border to border."""
    return abs(_step(line)) * line.size


def _signed(mm: float) -> str:
    text = f"{abs(mm):.1f}"
    return f"−{text}" if mm < 0 and text != "0.0" else text


def _positions(old: int, new: int) -> Line:
    """Return where the centres of ``new`` pixels lie, counted in ``old`` ones, over the same extent."""
    import numpy as np

    return (np.arange(new, dtype=np.float64) + 0.5) * (old / new) - 0.5


def _resampled(plane: Grey, down: Line, across: Line) -> Grey:
    """Return the plane at rows × columns between its own, bilinearly, held at the border."""
    rows, lower, row_part = _neighbours(plane.shape[0], down)
    columns, right, column_part = _neighbours(plane.shape[1], across)
    lines = plane[rows] * (1 - row_part)[:, None] + plane[lower] * row_part[:, None]
    result: Grey = lines[:, columns] * (1 - column_part) + lines[:, right] * column_part
    return result


def _neighbours(count: int, places: Line) -> tuple[NDArray[np.intp], NDArray[np.intp], Line]:
    import numpy as np

    held = np.clip(places, 0, count - 1)
    low = held.astype(np.intp)
    return low, np.minimum(low + 1, count - 1), held - low


def _outline(mask: Mask, width: int) -> Mask:
    """Return the pixels of the mask that are ``width`` or less from its border, which the frame is not."""
    import numpy as np

    inside = mask
    for _ in range(width):
        padded = np.pad(inside, 1, mode="edge")
        inside = inside & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    result: Mask = mask & ~inside
    return result
