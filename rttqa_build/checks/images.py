"""Family C: the image series is whole, straight and fine enough."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from rttqa_build.checks.case import Case, place
from rttqa_build.diagnostic import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.diagnostic import Diagnostic, Location
    from rttqa_build.study import ImageFacts

# Positions are decimal strings of at most 16 characters: planning systems round them to hundredths of a mm.
POSITION_TOLERANCE_MM = 0.01
COSINE_TOLERANCE = 1e-4
# Corners of one stack written with few digits differ by less than this; a tilted gantry shifts them by more.
SIDEWAYS_TOLERANCE_MM = 0.5
# So many wide gaps alike in a row are how it was scanned; slices that got lost leave no such row.
IN_A_ROW = 3
# A distance between slices that changes by more than this share of itself is uneven (C103).
SPACING_TOLERANCE = 0.1
TOMOGRAPHIC = ("planning_image", "ct_4d", "diagnostic_ct", "diagnostic_mr", "diagnostic_pt")
# Image Type of a maximum or minimum intensity projection (PS3.3 C.8.2.1.1.1, and what scanners write).
PROJECTIONS = frozenset({"MIP", "MINIP", "MIN IP", "PROJECTION IMAGE"})


def slices(case: Case) -> Iterator[Diagnostic]:
    """Orientation and matrix agree; no slice is doubled or missing; the spacing is even."""
    for selected, images in case.series():
        if selected.role not in TOMOGRAPHIC or any(i.frames > 1 for i in images):
            continue
        where, about = place(selected), selected.name
        if any(i.position is None or i.orientation is None for i in images):
            yield finding(
                "C105", "images have no position or orientation in the patient", where, subject=about
            )
        elif orientations_differ(images):
            yield finding(
                "C104", "the images of the series do not share one orientation", where, subject=about
            )
        elif len({(i.rows, i.columns, i.spacing) for i in images}) > 1:
            yield finding(
                "C106", "the images of the series differ in matrix or pixel spacing", where, subject=about
            )
        else:
            for phase in _by_phase(images):
                yield from _spacing(phase, where, about)


def _by_phase(images: tuple[ImageFacts, ...]) -> list[tuple[ImageFacts, ...]]:
    """Return the images of each temporal position: a series may hold all phases of a 4D CT."""
    phases = sorted({image.temporal for image in images})
    return [tuple(image for image in images if image.temporal == phase) for phase in phases]


def _spacing(images: tuple[ImageFacts, ...], where: Location, about: str) -> Iterator[Diagnostic]:
    positions = sorted(distance_along_normal(image) for image in images)
    gaps = [after - before for before, after in pairwise(positions)]
    if not gaps:
        return
    step = sorted(gaps)[len(gaps) // 2]
    doubled = sum(gap < POSITION_TOLERANCE_MM for gap in gaps)
    if doubled:
        yield finding(
            "C101",
            f"{doubled} slice position{_s(doubled)} appear{_s(doubled, '', 's')} twice",
            where,
            subject=about,
        )
        return
    missing = [positions[n] for n, gap in enumerate(gaps) if gap > 1.5 * step and not _scanned_so(gaps, n)]
    if missing:
        text = ", ".join(f"{p:.1f}" for p in missing[:10])
        message = f"slices are missing at {len(missing)} place{_s(len(missing))} of {len(images)} slices"
        yield finding("C102", message, where, subject=about, local=f"after slice position {text} mm")
    elif max(gaps) - min(gaps) > SPACING_TOLERANCE * step + POSITION_TOLERANCE_MM:
        yield finding(
            "C103",
            f"the slice spacing is uneven: {min(gaps):.2f} to {max(gaps):.2f} mm",
            where,
            subject=about,
        )
    if shift := _sideways(images):
        message = f"the slices are not stacked straight: they shift by up to {shift:.1f} mm sideways"
        yield finding("C108", message, where, subject=about)


def _scanned_so(gaps: list[float], number: int) -> bool:
    """Return whether a gap is one of several alike in a row: a part that was scanned in wider steps."""
    rows = (gaps[first : first + IN_A_ROW] for first in range(max(number - IN_A_ROW + 1, 0), number + 1))
    alike = SPACING_TOLERANCE * gaps[number] + POSITION_TOLERANCE_MM
    return any(len(row) == IN_A_ROW and max(row) - min(row) <= alike for row in rows)


def _sideways(images: tuple[ImageFacts, ...]) -> float:
    """Return how far, in mm, slice corners leave the line along the normal; 0 where that is rounding."""
    corners = [across_normal(image) for image in images]
    spread = [max(axis) - min(axis) for axis in zip(*corners, strict=True)]
    return max(spread) if max(spread) > SIDEWAYS_TOLERANCE_MM else 0.0


def thickness(case: Case) -> Iterator[Diagnostic]:
    """The planning image is as thin as the trial asks, and its slices lie as close together."""
    limit = case.tolerance("slice_thickness_mm")
    if limit is None:
        return
    for selected, images in case.series():
        if selected.role not in ("planning_image", "ct_4d"):
            continue
        where, about = place(selected), selected.name
        thickest = max((i.thickness for i in images if i.thickness is not None), default=0.0)
        step = slice_step(images)
        if thickest > limit + POSITION_TOLERANCE_MM:
            message = f"the slice thickness is {thickest:g} mm; the trial allows {limit:g} mm"
            yield finding("C107", message, where, subject=about)
        elif step > limit + POSITION_TOLERANCE_MM:
            message = f"the slices are {step:.2f} mm apart; the trial allows {limit:g} mm"
            yield finding("C107", message, where, subject=about)


def kind(case: Case) -> Iterator[Diagnostic]:
    """The series is one volume in one frame, without localisers; no plan is made on a projection."""
    for selected, images in case.series():
        where, about = place(selected), selected.name
        words = [{word.upper() for word in image.image_type} for image in images]
        if selected.role in TOMOGRAPHIC and any("LOCALIZER" in each for each in words):
            yield finding("C109", "the series holds a localiser", where, subject=about)
        if selected.role == "planning_image" and any(PROJECTIONS & each for each in words):
            message = "the planning image is an intensity projection of a 4D CT"
            yield finding("C110", message, where, subject=about)
        if len({instance.frame_uid for instance in selected.instances}) > 1:
            message = "the images of the series have different frames of reference"
            yield finding("C111", message, where, subject=about)


def slice_step(images: tuple[ImageFacts, ...]) -> float:
    """Return the usual distance between the slices of a series in mm; 0 where there are not two."""
    phase = _by_phase(images)[0] if images else ()
    positions = sorted(distance_along_normal(image) for image in phase)
    gaps = sorted(after - before for before, after in pairwise(positions))
    return gaps[len(gaps) // 2] if gaps else 0.0


def distance_along_normal(image: ImageFacts) -> float:
    """Return the position of an image along the normal of its plane, in mm (PS3.3 C.7.6.2.1.1)."""
    x1, y1, z1, x2, y2, z2 = image.orientation or (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    normal = (y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2)
    return sum(a * b for a, b in zip(normal, image.position or (0.0, 0.0, 0.0), strict=True))


def across_normal(image: ImageFacts) -> tuple[float, float]:
    """Return the position of an image along its own rows and columns, in mm."""
    cosines = image.orientation or (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    x, y, z = image.position or (0.0, 0.0, 0.0)
    along_row, along_column = (cosines[n] * x + cosines[n + 1] * y + cosines[n + 2] * z for n in (0, 3))
    return along_row, along_column


def orientations_differ(images: tuple[ImageFacts, ...]) -> bool:
    """Return whether the images of a series do not all have one orientation."""
    first = images[0].orientation or ()
    return any(
        abs(a - b) > COSINE_TOLERANCE
        for i in images
        for a, b in zip(i.orientation or (), first, strict=False)
    )


def _s(count: int, many: str = "s", one: str = "") -> str:
    return one if count == 1 else many
