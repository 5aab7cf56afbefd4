"""The planning image with the trial's structures and the dose → three views through the target.

An image that cannot be shown straight (:mod:`axial`) is not shown: the summary then has no views, and says
nothing of it. Only + − × ÷, comparisons, sums and interpolation: the pixels are part of the package's bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from rttqa_build.diagnostic import Diagnostic
from rttqa_build.evidence import axial, dosimetry
from rttqa_build.summary.context import LegendEntry, Slices
from rttqa_build.summary.views import SOFT_TISSUE, Cut, Overlay, legend, slice_of, squared, view
from rttqa_build.summary.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from rttqa_build.checks import Case
    from rttqa_build.dose.contours import StructureContours
    from rttqa_build.dose.grid import DoseGrid
    from rttqa_build.dose.slabs import Stack
    from rttqa_build.evidence.axial import Series
    from rttqa_build.evidence.dosimetry import Dosimetry
    from rttqa_build.summary.context import View

    Line: TypeAlias = NDArray[np.float64]

TARGETS = ("PTV", "CTV", "GTV")
# Bright on grey: warm colours for targets, others for organs, and neither for doses.
TARGET_COLOURS = ("#ff3b30", "#ff9f0a", "#ff7ab8", "#d64bff", "#ffc7a0", "#c4003a")
ORGAN_COLOURS = ("#b87a3d", "#4fc3ff", "#2ee6c8", "#b39dff", "#e0c8a0", "#9fd6a8", "#7d8cff", "#c0c8d0")
ISODOSES = ((95, "#fff04d"), (80, "#5df25d"), (50, "#3d7bff"))
"""Per cent of the highest prescribed dose, and colour."""

MARGIN_MM = 10.0
"""How much is shown around the patient's outline."""

SLICES, SLICE_PIXELS = 32, 1_280_000
"""How many slices the report shows at most, and how many pixels they have together: 2 MB at the worst."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The views for the summary and what their lines stand for; both empty where there are none.

    ``slices`` are for the submitter's report.
    """

    views: tuple[View, ...] = ()
    legend: tuple[LegendEntry, ...] = ()
    slices: Slices = field(default_factory=Slices)


def pictures(case: Case, source: Dosimetry, folder: Path, *, slices: bool = True) -> Pictures:
    """Return the axial, coronal and sagittal view through the middle of the target prescribed first.

    Where none is prescribed, of the first target there is. Reads the planning image from ``folder``; raises
    RttqaError where that fails. Without ``slices`` the report's are not cut: where there is no report.
    """
    target = next(_targets(case, source), None)
    images = target and _planning_image(case, source.drawn[target].frame_uid)
    if not target or not images:
        return Pictures()
    low, high = _extent(source.drawn[target])
    shown = _around_patient(images, source)
    through = _through_targets(shown, case, source) if slices else frozenset[int]()
    planes = axial.cuts(shown, folder, (low + high) / 2, through)
    if planes is None:
        return Pictures()
    cuts, stack = squared(planes[:3]), squared(planes[3:], SLICE_PIXELS)
    structures, grids = tuple(_structures(case, source)), _grids(source, images.instances[0].frame_uid)
    doses = _levels(dosimetry.prescribed(case, source.main), grids)
    overlays = [(*_outlines(structures, cut), *_isodoses(grids, doses, cut)) for cut in (*cuts, *stack)]
    window = _window(images, planes[0])
    views = tuple(view(cut, target, above, window) for cut, above in zip(cuts, overlays, strict=False))
    cut_too = tuple(slice_of(cut, above, window) for cut, above in zip(stack, overlays[3:], strict=True))
    lines = tuple(LegendEntry(one.colour, one.name, one.thin) for one in overlays[0] if cut_too)
    return Pictures(views, legend(overlays[:3]), Slices(cut_too, lines))


def _through_targets(images: Series, case: Case, source: Dosimetry) -> frozenset[int]:
    """Return the numbers of the slices through the targets, evenly thinned to :data:`SLICES`."""
    extents = [_extent(source.drawn[name]) for name in _targets(case, source)]
    low = min(float(one[0][2]) for one in extents) - MARGIN_MM
    high = max(float(one[1][2]) for one in extents) + MARGIN_MM
    inside = [number for number, z in enumerate(images.z.tolist()) if low <= z <= high]
    every = -(-len(inside) // SLICES) or 1
    return frozenset(inside[every // 2 :: every])


def _targets(case: Case, source: Dosimetry) -> Iterator[str]:
    """Yield the targets that are drawn: the prescribed ones first."""
    prescribed = (line.target for line in case.manifest.prescription)
    for name in (*prescribed, *_of_types(case, source, TARGETS)):
        if name in source.drawn and _is_drawn(source.drawn[name]):
            yield name


def _of_types(case: Case, source: Dosimetry, types: Sequence[str]) -> list[str]:
    """Return the structures of these types, type by type, each in the trial's order."""
    ruled = [rule.name for rule in case.trial.structures if rule.name in source.drawn]
    names = dict.fromkeys([*ruled, *source.drawn])
    return [name for wanted in types for name in names if _type(case, source, name) == wanted]


def _type(case: Case, source: Dosimetry, name: str) -> str:
    """Return the RT ROI Interpreted Type, the trial's where the structure set gives none."""
    ruled = (rule.type for rule in case.trial.structures if rule.name == name)
    return source.rois[name].interpreted_type or next(ruled, "")


def _is_drawn(structure: StructureContours) -> bool:
    return any(contour.closed for contour in structure.contours)


def _extent(structure: StructureContours) -> tuple[Line, Line]:
    """Return the lowest and the highest x, y and z of the closed contours, in mm."""
    import numpy as np

    points = np.concatenate([contour.points for contour in structure.contours if contour.closed])
    return points.min(axis=0), points.max(axis=0)


def _planning_image(case: Case, frame_uid: str) -> Series | None:
    """Return the planning image in the frame of reference of the target."""
    for selected in case.roles("planning_image"):
        if {instance.frame_uid for instance in selected.instances} == {frame_uid}:
            return axial.series(selected.instances)
    return None


def _around_patient(images: Series, source: Dosimetry) -> Series:
    """Return the images without the air around the patient, where the outline is drawn on them."""
    outline = source.body
    if outline is None or not _is_drawn(outline) or outline.frame_uid != images.instances[0].frame_uid:
        return images
    low, high = _extent(outline)
    return images.cropped(low - MARGIN_MM, high + MARGIN_MM)


def _window(images: Series, plane: Cut) -> tuple[float, float]:
    """Return the values to be black and white: fixed in CT, else all but the outermost hundredths."""
    import numpy as np

    if images.instances[0].modality == "CT":
        return SOFT_TISSUE
    rising = np.sort(plane.values, axis=None)
    low, high = float(rising[rising.size // 100]), float(rising[-1 - rising.size // 100])
    return low, max(high, low + 1)


def _structures(case: Case, source: Dosimetry) -> Iterator[tuple[str, Stack, str]]:
    """Yield the targets, then the organs: name, volume, colour."""
    from rttqa_build.dose import sections, slabs

    for kinds, colours in ((TARGETS, TARGET_COLOURS), (("ORGAN",), ORGAN_COLOURS)):
        for index, name in enumerate(_of_types(case, source, kinds)):
            stack = slabs.stack(source.drawn[name]) if _is_drawn(source.drawn[name]) else None
            if stack and not isinstance(stack, Diagnostic) and sections.is_axial(stack):
                yield name, stack, colours[index % len(colours)]


def _outlines(structures: Sequence[tuple[str, Stack, str]], cut: Cut) -> Iterator[Overlay]:
    from rttqa_build.dose.sections import section

    for name, stack, colour in structures:
        yield Overlay(name, section(stack, cut.through, cut.at, cut.down, cut.across), colour)


def _grids(source: Dosimetry, frame_uid: str) -> tuple[DoseGrid, ...]:
    """Return the grids of the dose that is meant by default, none where they cannot be added or shown."""
    from rttqa_build.dose.addition import not_addable

    found = source.doses.get(source.main or "", ())
    if isinstance(found, Diagnostic) or not_addable(found):
        return ()
    return found if {one.frame_uid for one in found} <= {frame_uid} else ()


def _levels(prescribed: Decimal | None, grids: Sequence[DoseGrid]) -> tuple[tuple[float, str, str], ...]:
    """Return the isodoses: gray, words, colour; without a prescribed dose, of the highest in whole gray."""
    if prescribed:
        doses = ((prescribed * percent / 100, percent, colour) for percent, colour in ISODOSES)
        return tuple((float(d), f"{number(d)} Gy ({percent} %)", colour) for d, percent, colour in doses)
    highest = sum(grid.maximum for grid in grids)
    levels = ((int(highest * percent) // 100, colour) for percent, colour in ISODOSES)
    return tuple((float(gray), f"{gray} Gy", colour) for gray, colour in levels if gray)


def _isodoses(
    grids: Sequence[DoseGrid], levels: Sequence[tuple[float, str, str]], cut: Cut
) -> Iterator[Overlay]:
    """Yield where the dose is at least that of each level; nowhere beyond what the grids cover."""
    from rttqa_build.dose.grid import summed

    if grids and levels:
        dose, inside = summed(grids, *cut.points)
        for level, words, colour in levels:
            yield Overlay(words, inside & (dose >= level), colour, thin=True)
