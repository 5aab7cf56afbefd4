"""Three orthogonal pictures of an image volume with outlines, as raw pixels.

Only + − × ÷, comparisons and indexing: the pixels reach the PDF, whose bytes must not depend on the machine.
"""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rttqa_build.summary.context import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
    Grey = NDArray[np.float64]
    Rgb = NDArray[np.uint8]

_LONG_SIDE = 320
_AXIAL = ("R", "L", "A", "P")
_CORONAL = ("R", "L", "S", "I")
_SAGITTAL = ("A", "P", "S", "I")


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """An axial image volume in patient directions.

    ``values``: slices (foot to head) × rows (front to back) × columns (patient's right to left), in
    Hounsfield units or any other; ``spacing`` in mm in the same order.
    """

    values: NDArray[np.float32] | NDArray[np.int16]
    spacing: tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """A region on the volume's grid (a structure, or dose at or above a level), drawn as its outline."""

    mask: Mask
    colour: tuple[int, int, int]


def orthogonal_views(
    volume: Volume,
    centre: tuple[int, int, int],
    overlays: Sequence[Overlay] = (),
    window: tuple[float, float] = (40.0, 400.0),
) -> tuple[View, View, View]:
    """Return the axial, coronal and sagittal view through a voxel.

    ``centre`` is (slice, row, column); ``window`` is level and width in the volume's units. Seen as usual:
    axial from the feet, coronal from the front, sagittal from the patient's left.
    """
    z, y, x = centre
    dz, dy, dx = volume.spacing
    cuts = (
        ("Axial", (z, slice(None), slice(None)), (dy, dx), _AXIAL),
        ("Coronal", (slice(None, None, -1), y, slice(None)), (dz, dx), _CORONAL),
        ("Sagittal", (slice(None, None, -1), slice(None), x), (dz, dy), _SAGITTAL),
    )
    axial, coronal, sagittal = (
        _view(
            title, volume.values[index], [(o.mask[index], o.colour) for o in overlays], spacing, edges, window
        )
        for title, index, spacing, edges in cuts
    )
    return axial, coronal, sagittal


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
    stride = 3 * view.width
    rows = (b"\0" + view.pixels[i : i + stride] for i in range(0, len(view.pixels), stride))
    header = struct.pack(">IIBBBBB", view.width, view.height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(rows), 1)
    chunks = b"".join(map(_chunk, (b"IHDR", b"IDAT", b"IEND"), (header, body, b"")))
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunks).decode("ascii")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _view(
    title: str,
    plane: NDArray[np.float32] | NDArray[np.int16],
    outlines: list[tuple[Mask, tuple[int, int, int]]],
    spacing: tuple[float, float],
    edges: tuple[str, str, str, str],
    window: tuple[float, float],
) -> View:
    import numpy as np

    height_mm, width_mm = plane.shape[0] * spacing[0], plane.shape[1] * spacing[1]
    pixel = max(height_mm, width_mm) / _LONG_SIDE
    size = (max(1, int(height_mm / pixel + 0.5)), max(1, int(width_mm / pixel + 0.5)))
    level, width = window
    grey = (_resampled(plane.astype(np.float64), size) - (level - width / 2)) * (255.0 / width)
    pixels = np.repeat(np.clip(grey + 0.5, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
    for mask, colour in outlines:
        pixels[_outline(_resampled(mask.astype(np.float64), size) >= 0.5)] = colour
    return View(
        title,
        size[1],
        size[0],
        pixels.tobytes(),
        width_mm,
        height_mm,
        edges,
        f"{title} view of the planning image",
    )


def _resampled(plane: Grey, size: tuple[int, int]) -> Grey:
    """Return the plane at another size, bilinearly between pixel centres, held at the border."""
    rows, upper, row_part = _grid(plane.shape[0], size[0])
    columns, right, column_part = _grid(plane.shape[1], size[1])
    lines = plane[rows] * (1 - row_part)[:, None] + plane[upper] * row_part[:, None]
    result: Grey = lines[:, columns] * (1 - column_part) + lines[:, right] * column_part
    return result


def _grid(old: int, new: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Grey]:
    import numpy as np

    position = np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0, old - 1)
    low = position.astype(np.intp)
    return low, np.minimum(low + 1, old - 1), position - low


def _outline(mask: Mask) -> Mask:
    """Return the pixels of the mask that have a neighbour outside it."""
    import numpy as np

    padded = np.pad(mask, 1)
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    result: Mask = mask & ~inside
    return result
