"""What histograms and pictures are made of: the trial's structures as they are drawn, the doses, read once.

Doses are judged as the trial says: a constraint names its dose, else the sum is meant; where there is no sum
and one dose only, that one.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from rttqa_build import disk
from rttqa_build.diagnostic import Diagnostic
from rttqa_build.study import StructureFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pydicom import Dataset

    from rttqa_build.checks import Case
    from rttqa_build.dose.contours import StructureContours
    from rttqa_build.dose.grid import DoseGrid
    from rttqa_build.study import Instance, Roi
    from rttqa_build.trial import Constraint

LARGEST_OBJECT = 1 << 32


@dataclass(frozen=True, slots=True, eq=False)
class Dosimetry:
    """The structures of the trial that are there, and the doses in which they are judged.

    ``rois`` and ``drawn``: trial name → ROI and its contours. ``main``: id or role of the dose that is meant
    by default. ``doses``: id or role → its grids, or the finding that says why there is none.
    """

    rois: Mapping[str, Roi] = field(default_factory=dict)
    drawn: Mapping[str, StructureContours] = field(default_factory=dict)
    main: str | None = None
    doses: Mapping[str, tuple[DoseGrid, ...] | Diagnostic] = field(default_factory=dict)


def read(case: Case, folder: Path) -> Dosimetry:
    """Return what is drawn and which doses there are; nothing is read where no structure is the trial's."""
    selected = next(case.facts("structure_set", StructureFacts), None)
    rois = case.naming(selected[1]).mapped if selected else {}
    if selected is None or not rois:
        return Dosimetry()
    main = _main_dose(case)
    wanted = {main} | {rule.dose for rule in rules(case)} if main else set()
    return Dosimetry(
        rois,
        _drawn(folder, selected[0].instances[0], rois),
        main,
        {one.name: _grids(folder, one.instances) for one in case.roles("dose") if one.name in wanted},
    )


def rules(case: Case) -> Iterator[Constraint]:
    """Yield the constraints that hold for this submission and whose structure is not said to be absent."""
    for rule in case.trial.constraints:
        choice = case.manifest.structures.get(rule.structure)
        if rule.when.holds(case.manifest.submission) and not (choice and choice.absent):
            yield rule


def prescribed(case: Case) -> Decimal | None:
    """Return the highest prescribed dose in gray, to which relative metrics and isodoses refer.

    The phases of one target add up.
    """
    totals: dict[str, Decimal] = {}
    for line in case.manifest.prescription:
        totals[line.target] = totals.get(line.target, Decimal()) + line.dose_max
    return max(totals.values(), default=None)


def dataset(folder: Path, instance: Instance, keywords: Sequence[str] | None = None) -> Dataset:
    """Return an object of the source, or only some of its elements.

    Raises RttqaError when it cannot be read.
    """
    import pydicom

    data = disk.read(folder / instance.file.path, LARGEST_OBJECT, "an object of the source")
    tags = None if keywords is None else list(keywords)
    return pydicom.dcmread(io.BytesIO(data), force=True, specific_tags=tags)


def _main_dose(case: Case) -> str | None:
    """Return the id or role of the dose that constraints mean by default: the sum, else the only one."""
    doses = list(case.roles("dose"))
    sums = [one for one in doses if one.id == "sum" or len(one.of) > 1]
    chosen = sums or doses
    return chosen[0].name if len(chosen) == 1 else None


def _drawn(folder: Path, instance: Instance, rois: Mapping[str, Roi]) -> dict[str, StructureContours]:
    from rttqa_build.dose import contours

    names = {roi.number: name for name, roi in rois.items()}
    every = contours.read(dataset(folder, instance))
    return {names[structure.number]: structure for structure in every if structure.number in names}


def _grids(folder: Path, instances: tuple[Instance, ...]) -> tuple[DoseGrid, ...] | Diagnostic:
    from rttqa_build.dose import grid

    grids = [grid.read(dataset(folder, instance)) for instance in instances]
    refused = next((found for found in grids if isinstance(found, Diagnostic)), None)
    return refused or tuple(found for found in grids if not isinstance(found, Diagnostic))
