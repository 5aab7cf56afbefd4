"""The DVH plot as data: thinned curves, axis, line styles. Typst and the report's SVG draw the same lines.

Only + − × ÷ and comparisons: the points reach the PDF, whose bytes must not depend on the machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rttqa_build.summary.context import Curve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rttqa_build.summary.context import Summary

# Okabe and Ito's colours (safe for colour-blind readers) without the yellow that paper swallows; seven
# colours and four patterns are coprime, so 28 curves differ and neighbours differ in both.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#000000", "#cc79a7", "#56b4e9", "#e69f00")
_DASHES: tuple[tuple[float, ...], ...] = ((), (5.0, 2.0), (1.2, 1.6), (6.0, 1.6, 1.2, 1.6))

_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
_MOST_TICKS = 8
_FINENESS = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One curve to draw: ``(Gy, per cent)`` points, colour ``#rrggbb``, dash pattern in points."""

    name: str
    points: tuple[tuple[float, float], ...]
    colour: str
    dash: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """A DVH plot: lines, the dose axis from 0 to ``top`` Gy with its ticks, prescribed doses to mark."""

    lines: tuple[Line, ...]
    top: float
    ticks: tuple[float, ...]
    marks: tuple[float, ...]


def curve(structure: str, dose_gy: Iterable[float], volume_cc: Iterable[float], total_cc: float) -> Curve:
    """Return a cumulative DVH, thinned for drawing.

    ``dose_gy`` ascends; ``volume_cc`` is the volume receiving at least that dose; ``total_cc`` the
    structure's volume, above zero. A point is kept where it lies half a per cent of volume or 1/200 of the
    dose range from the last one kept: finer than a printed line is wide.
    """
    dose = [float(x) for x in dose_gy]
    volume = [100.0 * float(v) / total_cc for v in volume_cc]
    span = max(dose, default=0.0) / _FINENESS
    kept: list[int] = []
    for i, (x, y) in enumerate(zip(dose, volume, strict=True)):
        last = kept[-1] if kept else i
        if (
            not kept
            or x - dose[last] >= span
            or abs(y - volume[last]) >= 100 / _FINENESS
            or i == len(dose) - 1
        ):
            kept.append(i)
    return Curve(
        structure,
        tuple(round(dose[i], 3) for i in kept),
        tuple(round(volume[i], 2) for i in kept),
    )


def plot(summary: Summary) -> Plot:
    """Return the plot of the summary's curves, in their order."""
    curves = summary.curves
    marks = sorted({row.dose_gy for row in summary.prescription if row.dose_gy > 0})
    highest = max([*marks, *(c.dose_gy[-1] for c in curves if c.dose_gy)], default=0.0)
    step = next((s for s in _STEPS if s * _MOST_TICKS >= highest), highest / _MOST_TICKS)
    count = int(highest / step) + 1
    return Plot(
        tuple(map(_line, range(len(curves)), curves)),
        step * count,
        tuple(round(step * i, 3) for i in range(count + 1)),
        tuple(marks),
    )


def _line(index: int, item: Curve) -> Line:
    """Return a curve with its style; a curve that ends above zero falls to the axis at its last dose."""
    points = list(zip(item.dose_gy, item.volume_percent, strict=True))
    if points and points[-1][1] > 0:
        points.append((points[-1][0], 0.0))
    return Line(item.structure, tuple(points), _COLOURS[index % len(_COLOURS)], _DASHES[index % len(_DASHES)])
