"""A stack of prisms → the same stack with cross-sections that change within each slice as the contours do.

The contours say nothing of what lies between them but this: the areas of the cross-sections usually follow a
smooth curve. So within a slice the area follows the parabola through the slice's own area and those of its
neighbours. Between two slices it stays between their areas, but where both bend the same way: there it may
pass the larger, as a ball is thickest between the two slices beside its middle.

Where a structure ends, the parabola through the last three areas says where it closes. A top closes like a
cone (the root of the area falls evenly), like a ball (the area itself) or like a ridge (its square): the one
is taken that best foretells the fourth slice, the ball where several do. The end lies less than a slice
beyond the last contour, for else there would be another. A structure whose areas do not run out, such as an
upright cylinder, ends half a slice beyond its last contour; between one slice and one and a half the two
rules are blended.

All layers of a slice keep the slice's contours; they only weigh as much as their area.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from rttqa_build.dose.profile import Profile, rooted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rttqa_build.dose.slabs import Stack

    Line: TypeAlias = NDArray[np.float64]

POWERS = (1.0, 0.5, 2.0)
"""The power of the area that is a parabola at the end of a ball, a cone and a ridge."""

WIDEST = 1.5
"""Beyond its last contour a cross-section is at most so many times its area."""

WIDENING = 1 / 3
"""A structure that is still widening at its last contour goes on to do so at this part of the rate: it may as
well have the last contour's area to its end, as the half slice of planning systems has."""

GROWTH = 12.0
"""Within its slice a cross-section is at most so many times the area drawn: a speck stays one."""

INFINITE = float("inf")
NEARLY = 0.05
"""A curve that turns at so small a share comes to nothing there."""

ALIKE = 0.001
"""Curves that miss the fourth slice by no more than so much of the last one's area foretell it equally well.
Four slices that mirror each other are foretold by all."""

LAYERS = 32
"""Layers of a slice at which its mean area is taken."""


class _Curve(NamedTuple):
    """``1 + slope · x + bend · x²``, a power of the relative area."""

    slope: float
    bend: float
    power: float


class _End(NamedTuple):
    """How a structure ends: how far beyond the last plane (mm), by which curve, within which shares."""

    reach: float
    curve: _Curve
    least: float
    most: float

    @property
    def widens(self) -> bool:
        """Return whether it is larger at its very end than at the last contour."""
        return self.curve.slope > 0


def tapered(stack: Stack, areas: Line) -> Stack:
    """Return the stack with a profile and with ends where its areas (mm², one a slab) say they are."""
    below, above = _neighbours(stack.height, areas, stack.joined)
    slope, bend = _parabola(below, above)
    first, last = np.flatnonzero(~np.isfinite(below[0])), np.flatnonzero(~np.isfinite(above[0]))
    shares, swell = np.stack((below[1], above[1])), _swell(areas, stack.joined)
    profile = Profile(
        np.stack((slope, slope)),
        np.stack((bend, bend)),
        np.ones(shares.shape),
        np.maximum(np.minimum(shares, 1.0) + np.minimum(swell, 0.0), 0.0),
        np.minimum(np.maximum(shares, 1.0) + np.maximum(swell, 0.0), GROWTH),
        np.ones(areas.size),
    )
    lower, upper = stack.lower.copy(), stack.upper.copy()
    for start, stop in zip(first, last, strict=True):
        if start < stop and areas[start] > 0 and areas[stop] > 0:
            run = np.arange(start, stop + 1)
            lower[start] = stack.height[start] - _close(profile, stack.height, areas, run, 0)
            upper[stop] = stack.height[stop] + _close(profile, stack.height, areas, run[::-1], 1)
    made = replace(stack, lower=lower, upper=upper, profile=profile)
    return replace(made, profile=replace(profile, mean=_mean(made, profile)))


def _neighbours(height: Line, areas: Line, joined: NDArray[np.bool_]) -> tuple[tuple[Line, Line], ...]:
    """Return, for below and above, how far the joined neighbour is and its relative area.

    Where there is none it is infinitely far and as large.
    """
    gap, own = np.where(joined, np.diff(height), np.inf), np.where(areas > 0, areas, 1.0)
    after = np.where(joined & (areas[:-1] > 0), areas[1:] / own[:-1], 1.0)
    before = np.where(joined & (areas[1:] > 0), areas[:-1] / own[1:], 1.0)
    below = np.concatenate(([np.inf], gap)), np.concatenate(([1.0], before))
    above = np.concatenate((gap, [np.inf])), np.concatenate((after, [1.0]))
    return below, above


def _swell(areas: Line, joined: NDArray[np.bool_]) -> Line:
    """Return by what share of its own a slab's area may leave the range up to its neighbour's: (2, slabs).

    An eighth of how far the areas bend, by which a parabola passes two equal ones, at whichever of the two
    slabs they bend less; none where they do not bend the same way, as beside a sudden step.
    """
    bend = np.zeros(areas.size)
    bend[1:-1] = np.where(joined[:-1] & joined[1:], 2 * areas[1:-1] - areas[:-2] - areas[2:], 0.0)
    here, there = bend[:-1], bend[1:]
    least = np.where(np.abs(here) < np.abs(there), here, there) / 8
    between, none = np.where(joined & (here * there > 0), least, 0.0), np.zeros(1)
    own: Line = np.where(areas > 0, areas, 1.0)
    return np.stack((np.concatenate((none, between)), np.concatenate((between, none)))) / own


def _parabola(below: tuple[Line, Line], above: tuple[Line, Line]) -> tuple[Line, Line]:
    """Return slope and bend of the parabola through the neighbours; a line, or level, without them."""
    (down, down_share), (up, up_share) = below, above
    falling, rising = (1 - down_share) / down, (up_share - 1) / up
    bend = (rising - falling) / (down + up)
    slope = np.where(np.isfinite(up), rising - bend * np.where(np.isfinite(up), up, 0.0), falling)
    return slope, bend


def _close(profile: Profile, height: Line, areas: Line, run: NDArray[np.intp], side: int) -> float:
    """Shape one end of a run of joined planes, the outermost first; return how far it reaches beyond (mm)."""
    places = np.abs(height[run] - height[run[0]])
    end = _end(places, areas[run] / areas[run[0]])
    outwards = 1.0 if side else -1.0
    slab = run[0]
    profile.slope[:, slab], profile.bend[:, slab] = end.curve.slope * outwards, end.curve.bend
    profile.power[:, slab] = end.curve.power
    if end.widens:
        profile.slope[side, slab] *= WIDENING
        profile.bend[side, slab] *= WIDENING
    profile.least[side, slab], profile.most[side, slab] = end.least, end.most
    return end.reach


def _end(places: Line, shares: Line) -> _End:
    """Return how a structure ends whose planes lie at these distances inwards, with these relative areas."""
    slice_mm = float(places[1])
    curve = min(_curves(places, shares), key=lambda one: (one.slope >= 0, _miss(one, places, shares)))
    zero = _zero(curve) / slice_mm
    if zero < 1.5:
        return _End(slice_mm * (zero if zero <= 1 else 2 - zero), curve, 0.0, WIDEST)
    return _End(slice_mm / 2, _through(places, shares, 1.0), 1 / 2, WIDEST)


def _curves(places: Line, shares: Line) -> list[_Curve]:
    powers = POWERS if places.size > 3 else POWERS[:1]
    return [_through(places, shares, power) for power in powers]


def _through(places: Line, shares: Line, power: float) -> _Curve:
    """Return the parabola through the last three slices, or the line through two, in x outwards."""
    near, far = float(places[1]), float(places[min(2, places.size - 1)])
    raised = [float(_raised(share, power)) for share in shares[:3]]
    inwards = (raised[1] - 1) / near
    bend = ((raised[2] - 1) / far - inwards) / (far - near) if places.size > 2 else 0.0
    return _Curve(bend * near - inwards, bend, power)


def _miss(curve: _Curve, places: Line, shares: Line) -> float:
    """Return how far off the curve is at the fourth slice, as a share of the last one's area; or ALIKE."""
    if places.size <= 3:
        return 0.0
    x = -places[3:4]
    foretold = rooted(np.maximum(1 + (curve.slope + curve.bend * x) * x, 0.0), np.array([curve.power]))
    return max(ALIKE, float(np.abs(foretold - shares[3])[0]))


def _zero(curve: _Curve) -> float:
    """Return where outwards the curve first comes to nothing; infinity where it does not."""
    root = curve.slope * curve.slope - 4 * curve.bend
    # a cone's area touches zero and turns: rounding may leave its lowest point, 1 − slope² / (4 bend), above
    if -4 * NEARLY * curve.bend < root < 0:
        root = 0.0
    if root < 0:
        return INFINITE
    # 2/(−b ± √…), the form that has no quotient of two small numbers
    below = [-curve.slope + sign * float(np.sqrt(root)) for sign in (1, -1)]
    return min((2 / value for value in below if value > 0), default=INFINITE)


def _raised(share: float, power: float) -> float:
    return float(np.sqrt(share)) if power < 1 else share * share if power > 1 else share


def _mean(stack: Stack, profile: Profile) -> Line:
    """Return each slab's area as a share of that drawn, averaged over its thickness."""
    slabs = np.arange(stack.lower.size)
    thickness = stack.upper - stack.lower
    total = np.zeros(stack.lower.size)
    for layer in range(LAYERS):
        x = stack.lower + (layer + 0.5) / LAYERS * thickness - stack.height
        total += profile.at(slabs, x)
    return total / LAYERS
