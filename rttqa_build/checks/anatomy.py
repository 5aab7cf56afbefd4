"""Family S, as drawn: on the slices, without gaps and leftovers, inside the body, on the right side."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from rttqa_build.checks.planes import Flat, Slices, beyond, by_height, flattened, overlapping, slices_of
from rttqa_build.diagnostic import Location, finding
from rttqa_build.study import StructureFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.checks.case import Case
    from rttqa_build.checks.measured import Measured
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.dose.contours import StructureContours

# What may lie outside the patient, or is the patient.
NOT_INSIDE = frozenset({"EXTERNAL", "SUPPORT", "FIXATION", "BOLUS"})
TARGETS = frozenset({"PTV", "CTV", "GTV"})
OFF_SLICE = 0.1
"""How far from a slice, as a share of the slice distance, a contour still counts as on it."""

DEFAULT_ISLAND_MM2 = 10.0
DEFAULT_OUTSIDE_MM = 2.0
OVERLAP_MM = 1.0
"""Contours of one slice that overlap by no more than this touch each other."""

BESIDE = 10.0
"""A leftover lies beside a contour that is larger by this factor at least."""

MIDLINE_MM = 15.0
"""An organ whose centre is further across the middle of the body than this lies on the other side."""

TARGET_MIDLINE_MM = 30.0
"""The same for a target: tumours and nodes of one side may reach over the middle."""

OTHER_SIDE = "lies on the other side of the patient"

APART_MM = 5.0
"""The centres of the two of a pair are further apart than this: else both are drawn on one organ."""


def contours(case: Case, seen: Measured) -> Iterator[Diagnostic]:
    """Contours lie on slices, on all from first to last, not on each other; none is a speck beside one."""
    smallest = case.tolerance("island_mm2")
    smallest = DEFAULT_ISLAND_MM2 if smallest is None else smallest
    for name, structure in seen.drawn.items():
        slices = slices_of(case, structure.frame_uid)
        flat = flattened(structure, slices) if slices else []
        if slices and flat:
            yield from _off_slices(name, flat, slices)
            planes = by_height(flat, slices.step / 4)
            yield from _gaps(name, planes, slices)
            yield from _islands(name, planes, smallest)
            yield from _overlaps(name, planes)


def _off_slices(name: str, flat: list[Flat], slices: Slices) -> Iterator[Diagnostic]:
    heights = np.array([contour.height for contour in flat])
    distance = np.abs(heights[:, None] - slices.heights).min(axis=1)
    off = heights[distance > OFF_SLICE * slices.step + 0.05]
    if off.size:
        message = f"{off.size} of {len(flat)} contours of {name} do not lie on a slice of the planning image"
        yield finding("S201", message, _place(name), subject=name, local=_at(off))


def _gaps(name: str, planes: list[list[Flat]], slices: Slices) -> Iterator[Diagnostic]:
    """Yield where slices between two contours that lie over each other have none."""
    found = [
        (below[0].height, count)
        for below, above in pairwise(planes)
        if above[0].height - below[0].height > 1.5 * slices.step
        and (count := _slices_between(below[0].height, above[0].height, slices))
        and _overlap(below, above)
    ]
    if found:
        message = f"{name} is not drawn on {sum(count for _, count in found)} slices between its contours"
        heights = np.array([height for height, _ in found])
        yield finding("S202", message, _place(name), subject=name, local=f"after {_at(heights)}")


def _slices_between(below: float, above: float, slices: Slices) -> int:
    """Return how many slices lie between two heights: none where the image itself has wider steps there."""
    near = slices.step / 4
    return int(((slices.heights > below + near) & (slices.heights < above - near)).sum())


def _overlap(below: list[Flat], above: list[Flat]) -> bool:
    """Return whether two planes of a structure lie over each other: separate parts mostly do not."""
    (low, high), (lower, higher) = (_box(plane) for plane in (below, above))
    shared = np.minimum(high, higher) - np.maximum(low, lower)
    if (shared <= 0).any():
        return False
    sizes = min(float(np.prod(high - low)), float(np.prod(higher - lower)))
    return float(np.prod(shared)) > sizes / 2


def _box(plane: list[Flat]) -> tuple[np.ndarray, np.ndarray]:
    boxes = np.array([contour.box for contour in plane])
    return boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)


def _islands(name: str, planes: list[list[Flat]], smallest: float) -> Iterator[Diagnostic]:
    specks = []
    for plane in (plane for plane in planes if len(plane) > 1):
        areas = [contour.area for contour in plane]
        limit = min(smallest, max(areas) / BESIDE)
        specks += [contour.height for contour, area in zip(plane, areas, strict=True) if area < limit]
    if specks:
        message = f"{name} has {len(specks)} tiny islands or holes beside a larger contour"
        yield finding("S203", message, _place(name), subject=name, local=_at(np.array(specks)))


def _overlaps(name: str, planes: list[list[Flat]]) -> Iterator[Diagnostic]:
    """Yield where contours of one slice cross each other or lie there twice: inside is read variously."""
    found = [plane[0].height for plane in planes if overlapping(plane, OVERLAP_MM)]
    if found:
        message = f"contours of {name} overlap on {len(found)} slice{'s' if len(found) > 1 else ''}"
        yield finding("S206", message, _place(name), subject=name, local=_at(np.array(found)))


def inside_body(case: Case, seen: Measured) -> Iterator[Diagnostic]:
    """No structure of the trial reaches out of the external contour."""
    slices = slices_of(case, seen.body.frame_uid) if seen.body else None
    if seen.body is None or slices is None:
        return
    allowed = case.tolerance("outside_body_mm")
    allowed = DEFAULT_OUTSIDE_MM if allowed is None else allowed
    outline = by_height(flattened(seen.body, slices), slices.step / 4)
    kinds = types(case)
    for name, structure in seen.drawn.items():
        if not outline or kinds[name] in NOT_INSIDE or structure.frame_uid != seen.body.frame_uid:
            continue
        reach = [_reach(contour, outline, slices.step / 2) for contour in flattened(structure, slices)]
        out = [distance for distance in reach if distance > allowed]
        if out:
            furthest = f" by up to {max(out):.0f} mm" if np.isfinite(max(out)) else ""
            message = f"{len(out)} contours of {name} lie outside the body{furthest}"
            yield finding("S204", message, _place(name), subject=name)


def _reach(contour: Flat, outline: list[list[Flat]], tolerance: float) -> float:
    """Return how far, in mm, a contour leaves the body on its slice; infinite where the body has none."""
    nearest = min(outline, key=lambda plane: abs(plane[0].height - contour.height))
    if abs(nearest[0].height - contour.height) > tolerance:
        return float("inf")
    return beyond(contour.outermost(), nearest)


def sides(case: Case, seen: Measured) -> Iterator[Diagnostic]:
    """What is called left lies to the patient's left (rising x, PS3.3 C.7.6.2.1.1), or of its partner.

    A target's ``_L`` is a side only where the trial has the other one too: it may stand for low.
    """
    kinds, ruled = types(case), {rule.name for rule in case.trial.structures}
    middles = {n: x for n, one in seen.drawn.items() if (x := _middle(one)) is not None}
    body = _middle(seen.body) if seen.body else None
    for name, x in middles.items():
        sign = {"_L": 1, "_R": -1}.get(name[-2:])
        if sign is None:
            continue
        other = name[:-1] + ("R" if sign > 0 else "L")
        if kinds[name] in TARGETS:
            beyond_it = body is not None and (x - body) * sign < -TARGET_MIDLINE_MM
            wrong = OTHER_SIDE if beyond_it and other in ruled else ""
        else:
            wrong = _wrong_side(x, middles.get(other), body, sign)
        if wrong:
            yield finding("S205", f"{name} {wrong}", _place(name), subject=name)


def _wrong_side(x: float, partner: float | None, body: float | None, sign: int) -> str:
    """Return what is wrong with the side of an organ whose middle lies at x mm, or nothing."""
    if partner is not None and abs(x - partner) < APART_MM:
        return "lies where its partner of the other side lies"
    across = body is not None and (x - body) * sign < -MIDLINE_MM
    wrong = across if partner is None else (x - partner) * sign < 0
    return OTHER_SIDE if wrong else ""


def _middle(structure: StructureContours) -> float | None:
    """Return the middle of a structure's extent in x, in mm; None where it has no closed contour."""
    x = [contour.points[:, 0] for contour in structure.contours if contour.closed]
    return (float(min(map(np.min, x))) + float(max(map(np.max, x)))) / 2 if x else None


def types(case: Case) -> dict[str, str]:
    """Return the type of each structure of the trial that is there: the trial's, else the structure set's."""
    ruled = {rule.name: rule.type for rule in case.trial.structures}
    return {
        name: ruled.get(name) or roi.interpreted_type
        for _, facts in case.facts("structure_set", StructureFacts)
        for name, roi in case.naming(facts).mapped.items()
    }


def _place(name: str) -> Location:
    return Location("structure_set", item=name)


def _at(heights: np.ndarray) -> str:
    shown = ", ".join(f"{height:.1f}" for height in np.unique(heights)[:10])
    return f"slice position {shown} mm"
