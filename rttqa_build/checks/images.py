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
# A distance between slices that changes by more than this share of itself is uneven (C103).
SPACING_TOLERANCE = 0.1
TOMOGRAPHIC = ("planning_image", "ct_4d", "diagnostic_ct", "diagnostic_mr", "diagnostic_pt")


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
        elif _differ(images):
            yield finding(
                "C104", "the images of the series do not share one orientation", where, subject=about
            )
        elif len({(i.rows, i.columns, i.spacing) for i in images}) > 1:
            yield finding(
                "C106", "the images of the series differ in matrix or pixel spacing", where, subject=about
            )
        else:
            yield from _spacing(images, where, about)


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
    missing = [p for p, gap in zip(positions, gaps, strict=False) if gap > 1.5 * step]
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


def thickness(case: Case) -> Iterator[Diagnostic]:
    """The planning image is as thin as the trial asks."""
    limit = case.tolerance("slice_thickness_mm")
    if limit is None:
        return
    for selected, images in case.series():
        if selected.role not in ("planning_image", "ct_4d"):
            continue
        thickest = max((i.thickness for i in images if i.thickness is not None), default=None)
        if thickest is not None and thickest > limit + POSITION_TOLERANCE_MM:
            message = f"the slice thickness is {thickest:g} mm; the trial allows {limit:g} mm"
            yield finding("C107", message, place(selected), subject=selected.name)


def distance_along_normal(image: ImageFacts) -> float:
    """Return the position of an image along the normal of its plane, in mm (PS3.3 C.7.6.2.1.1)."""
    x1, y1, z1, x2, y2, z2 = image.orientation or (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    normal = (y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2)
    return sum(a * b for a, b in zip(normal, image.position or (0.0, 0.0, 0.0), strict=True))


def _differ(images: tuple[ImageFacts, ...]) -> bool:
    first = images[0].orientation or ()
    return any(
        abs(a - b) > COSINE_TOLERANCE
        for i in images
        for a, b in zip(i.orientation or (), first, strict=False)
    )


def _s(count: int, many: str = "s", one: str = "") -> str:
    return one if count == 1 else many
