"""A stack of slabs → sample points that fill it evenly, each with the volume it stands for.

Every slab is cut into parallel rows. A row is cut exactly where it crosses the contours (even-odd: inside
after an odd number of crossings), and each piece inside is cut into cells with one sample each. The heights
of the rows within the slab, the samples' places within their cells and the rows' places in the slab follow
additive sequences of irrational steps (low discrepancy): so the samples lie in as many places along *every*
direction as there are rows, and the dose to a small part of the volume does not come in steps of the pitch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rttqa_build.dose.slabs import Stack

PLASTIC = 0.7548776662466927
PLASTIC_SQUARED = 0.5698402909980532
GOLDEN = 0.6180339887498949
"""1/p, 1/p² (p³ = p + 1) and 1/φ: multiples of them, modulo one, fill a square and a line most evenly."""

FEWEST_ROWS = 8
AREA_ROWS = 64
CHUNK = 1 << 15
"""Samples made at a time: small enough for the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """The parts of the rows inside the structure: where each starts, its length, its number of cells.

    ``v`` and ``w`` place its row, ``section`` is the row's cross-section in mm² times the profile's share,
    ``phase`` the samples' place within their cells, ``half`` whether the row belongs to the even or the odd
    half of all rows.
    """

    start: NDArray[np.float64]
    length: NDArray[np.float64]
    cells: NDArray[np.intp]
    v: NDArray[np.float64]
    w: NDArray[np.float64]
    section: NDArray[np.float64]
    phase: NDArray[np.float64]
    half: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Points in patient coordinates (mm), the volume of each (mm³), and the half it belongs to (0 or 1)."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    z: NDArray[np.float64]
    volume: NDArray[np.float64]
    half: NDArray[np.intp]


def areas(stack: Stack) -> NDArray[np.float64]:
    """Return the area inside the contours of each slab in mm², from ``AREA_ROWS`` rows."""
    bottom, extent = _extent(stack)
    rows = np.full(bottom.size, AREA_ROWS)
    step = np.where(extent > 0, extent, 1.0) / rows
    number, u = _crossings(stack, bottom, step, np.full(bottom.size, 0.5), rows)
    slab = number[::2] // AREA_ROWS
    return np.bincount(slab, (u[1::2] - u[::2]) * step[slab], bottom.size).astype(np.float64)


def pieces(stack: Stack, pitch: float) -> Pieces:
    """Cut the stack into rows about ``pitch`` mm apart, and the rows at the contours."""
    slabs = np.arange(len(stack.lower))
    bottom, extent = _extent(stack)
    rows = np.maximum(np.ceil(extent / pitch), FEWEST_ROWS).astype(np.intp)
    step = np.where(extent > 0, extent, 1.0) / rows
    shift = _multiples(GOLDEN, slabs + 1)
    number, u = _crossings(stack, bottom, step, shift, rows)
    row, start, length = number[::2], u[::2], u[1::2] - u[::2]
    slab = np.repeat(slabs, rows)[row]
    place = row - (np.cumsum(rows) - rows)[slab]
    thickness = (stack.upper - stack.lower)[slab]
    w = stack.lower[slab] + _multiples(PLASTIC, row) * thickness
    return Pieces(
        start=start,
        length=length,
        cells=np.maximum(np.ceil(length / pitch), 1).astype(np.intp),
        v=bottom[slab] + (place + shift[slab]) * step[slab],
        w=w,
        section=step[slab] * thickness * _weights(stack, slab, w, length, row % 2),
        phase=_multiples(PLASTIC_SQUARED, row),
        half=row % 2,
    )


def _extent(stack: Stack) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest v of each slab, and how far it reaches from there."""
    order = np.argsort(stack.plane, kind="stable")
    first = np.searchsorted(stack.plane[order], np.arange(len(stack.lower)))
    bottom = np.minimum.reduceat(stack.v0[order], first)
    return bottom, np.maximum.reduceat(stack.v0[order], first) - bottom


def _weights(
    stack: Stack,
    slab: NDArray[np.intp],
    w: NDArray[np.float64],
    length: NDArray[np.float64],
    half: NDArray[np.intp],
) -> NDArray[np.float64] | float:
    """Return the share of the drawn area at the height of each piece; 1 for prisms.

    The shares are scaled so that both halves of the rows give a slab the volume that its profile says,
    however few they are.
    """
    profile = stack.profile
    if profile is None:
        return 1.0
    share = profile.at(slab, w - stack.height[slab])
    key = 2 * slab + half
    drawn, found = (np.bincount(key, part, 2 * stack.lower.size) for part in (length, length * share))
    scale = np.repeat(profile.mean, 2) * drawn / np.where(found > 0, found, 1.0)
    weights: NDArray[np.float64] = share * scale[key]
    return weights


def _multiples(step: float, numbers: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the multiples of an irrational step, modulo one."""
    values = numbers.astype(np.float64) * step
    return values - np.floor(values)


def _crossings(
    stack: Stack,
    bottom: NDArray[np.float64],
    step: NDArray[np.float64],
    shift: NDArray[np.float64],
    rows: NDArray[np.intp],
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the row and the u of every crossing of a row with an edge, sorted by row, then by u.

    An edge owns its lower end and not its upper one, so that a closed contour crosses every row an even
    number of times, whatever its shape. Rounding never makes a row beyond a slab's last: it would be counted
    as the next slab's first.
    """
    plane = stack.plane
    from_row = (stack.v0 - bottom[plane]) / step[plane] - shift[plane]
    to_row = (stack.v1 - bottom[plane]) / step[plane] - shift[plane]
    lowest = np.minimum(np.ceil(np.minimum(from_row, to_row)), rows[plane])
    count = (np.minimum(np.ceil(np.maximum(from_row, to_row)), rows[plane]) - lowest).astype(np.intp)
    edge = np.repeat(np.arange(len(plane)), count)
    within = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    row = lowest[edge] + within
    share = (row - from_row[edge]) / (to_row - from_row)[edge]
    u = stack.u0[edge] + share * (stack.u1 - stack.u0)[edge]
    number = (np.cumsum(rows) - rows)[plane[edge]] + row.astype(np.intp)
    order = np.lexsort((u, number))
    return number[order], u[order]


def samples(stack: Stack, cut: Pieces) -> Iterator[Samples]:
    """Yield the samples of all pieces, about ``CHUNK`` at a time, in a fixed order."""
    total = np.cumsum(cut.cells)
    last = int(total[-1]) if total.size else 0
    bounds = np.searchsorted(total, np.arange(0, last, CHUNK), "left")
    for low, high in zip(bounds, [*bounds[1:], len(total)], strict=True):
        if high > low:
            yield _chunk(stack, cut, slice(int(low), int(high)))


def _chunk(stack: Stack, cut: Pieces, part: slice) -> Samples:
    cells = cut.cells[part]
    cell = cut.length[part] / cells
    within = np.arange(int(cells.sum())) - np.repeat(np.cumsum(cells) - cells, cells)
    u = np.repeat(cut.start[part] + cut.phase[part] * cell, cells) + within * np.repeat(cell, cells)
    v, w = np.repeat(cut.v[part], cells), np.repeat(cut.w[part], cells)
    x, y, z = to_patient(stack, u, v, w)
    return Samples(x, y, z, np.repeat(cell * cut.section[part], cells), np.repeat(cut.half[part], cells))


def to_patient(
    stack: Stack, u: NDArray[np.float64], v: NDArray[np.float64], w: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return patient coordinates (mm) of points of the stack."""
    a, b, c = stack.axes
    if np.array_equal(stack.axes, np.eye(3)):
        return u, v, w
    x, y, z = (u * a[k] + v * b[k] + w * c[k] for k in range(3))
    return x, y, z
