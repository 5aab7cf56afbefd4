"""A stack of slabs × a plane across one of the patient's axes → the points of the plane that are inside.

Inside is even-odd within each slab, and a slab reaches half-way to its neighbours: what is drawn here is the
volume of which :mod:`dvh` makes the histogram.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rttqa_build.dose.slabs import Stack

    Line: TypeAlias = NDArray[np.float64]
    Edges: TypeAlias = tuple[Line, Line]
    Mask: TypeAlias = NDArray[np.bool_]

Z = 2


def section(stack: Stack, through: int, at: float, down: Line, across: Line) -> Mask:
    """Return which points of a plane lie inside a stack of axial slabs: rows ``down`` × columns ``across``.

    ``through`` is the patient axis that the plane stands on (0 x, 1 y, 2 z), at ``at``. Rows lie along z, or
    along y where that is z; columns along the axis that is left, rising. All in millimetres.
    """
    x, y = (stack.u0, stack.u1), (stack.v0, stack.v1)
    if through == Z:
        here = np.flatnonzero(stack.plane == _slab_at(stack, np.array([at])))
        row, _, place = _crossings(_some(x, here), _some(y, here), down)
        return _inside(row, place, down.size, across)
    along, fixed = (y, x) if through == 0 else (x, y)
    _, edge, place = _crossings(along, fixed, np.array([at]))
    slab = _slab_at(stack, down)
    by_slab = _inside(stack.plane[edge], place, stack.lower.size, across)
    inside: Mask = by_slab[slab] & (slab >= 0)[:, None]
    return inside


def is_axial(stack: Stack) -> bool:
    """Return whether the slabs stand on the patient's z axis, as :func:`section` demands."""
    return bool(np.array_equal(stack.axes, np.eye(3)))


def _some(edges: Edges, chosen: NDArray[np.intp]) -> Edges:
    return edges[0][chosen], edges[1][chosen]


def _slab_at(stack: Stack, z: Line) -> NDArray[np.intp]:
    """Return the slab at each height, −1 where there is none."""
    slab = np.searchsorted(stack.lower, z, "right") - 1
    return np.where((slab >= 0) & (z < stack.upper[slab]), slab, -1)


def _crossings(along: Edges, fixed: Edges, levels: Line) -> tuple[NDArray[np.intp], NDArray[np.intp], Line]:
    """Return the level, the edge and the place along it of each crossing of an edge with a level.

    An edge owns its lower end and not its upper one: every level is crossed an even number of times.
    """
    (a0, a1), (b0, b1) = along, fixed
    level, edge = np.nonzero((b0 <= levels[:, None]) != (b1 <= levels[:, None]))
    share = (levels[level] - b0[edge]) / (b1 - b0)[edge]
    return level, edge, a0[edge] + share * (a1 - a0)[edge]


def _inside(line: NDArray[np.intp], place: Line, lines: int, across: Line) -> Mask:
    """Return, line by line, which points of ``across`` have an odd number of crossings before them."""
    width = across.size + 1
    first = np.searchsorted(across, place, "left")
    begun = np.bincount(line * width + first, minlength=lines * width).reshape(lines, width)
    odd: Mask = np.cumsum(begun[:, :-1], axis=1) % 2 == 1
    return odd
