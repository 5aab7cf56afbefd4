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
from rttqa_build.checks import prescription
from rttqa_build.diagnostic import Diagnostic
from rttqa_build.study import StructureFacts
from rttqa_build.trial import structure_called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pydicom import Dataset

    from rttqa_build.checks import Case
    from rttqa_build.dose.contours import StructureContours
    from rttqa_build.dose.grid import DoseGrid
    from rttqa_build.dose.recorded import Recorded
    from rttqa_build.manifest import Prescription
    from rttqa_build.study import Instance, Roi
    from rttqa_build.trial import Constraint

LARGEST_OBJECT = 1 << 32


@dataclass(frozen=True, slots=True, eq=False)
class Dosimetry:
    """The structures of the trial that are there, and the doses in which they are judged.

    ``rois`` and ``drawn``: trial name → ROI and its contours. ``main``: id or role of the dose that is meant
    by default. ``doses``: id or role → its grids, or the finding that says why there is none. ``body``: the
    external contour, whatever it is called. ``recorded``: id or role of a dose → ROI number → the planning
    system's own histogram, or the finding that says why it cannot be compared.
    """

    rois: Mapping[str, Roi] = field(default_factory=dict)
    drawn: Mapping[str, StructureContours] = field(default_factory=dict)
    main: str | None = None
    doses: Mapping[str, tuple[DoseGrid, ...] | Diagnostic] = field(default_factory=dict)
    body: StructureContours | None = None
    recorded: Mapping[str, Mapping[int, Recorded | Diagnostic]] = field(default_factory=dict)


def read(case: Case, folder: Path) -> Dosimetry:
    """Return what is drawn and which doses there are; nothing is read where no structure is the trial's."""
    selected = next(case.facts("structure_set", StructureFacts), None)
    rois = case.naming(selected[1]).mapped if selected else {}
    if selected is None or not rois:
        return Dosimetry()
    main = _main_dose(case)
    wanted = {main, *_phases(case), *(rule.dose for rule in rules(case))}
    drawn, body = _drawn(folder, selected[0].instances[0], rois, _external(case, selected[1], rois))
    doses = {
        one.name: _dose(folder, one.instances, selected[0].instances[0].sop_uid)
        for one in case.roles("dose")
        if one.name in wanted
    }
    grids = {name: found for name, (found, _) in doses.items()}
    return Dosimetry(rois, drawn, main, grids, body, {name: found for name, (_, found) in doses.items()})


def rules(case: Case) -> Iterator[Constraint]:
    """Yield the constraints that hold for this submission and whose structure is not left out of it."""
    for rule in case.trial.constraints:
        if rule.when.holds(case.manifest.submission) and not _left_out(case, rule.structure):
            yield rule


def _left_out(case: Case, name: str) -> bool:
    """Return whether a structure is said to be absent, or is optional, not mapped, and not drawn either."""
    choice = case.manifest.structures.get(name)
    if choice:
        return bool(choice.absent)
    asked = (rule for rule in case.trial.structures if rule.name == name and rule.required)
    drawn = (
        structure_called(case.trial, roi.name)
        for _, facts in case.facts("structure_set", StructureFacts)
        for roi in facts.rois
        if roi.contours
    )
    return not any(rule.when.holds(case.manifest.submission) for rule in asked) and not any(
        rule.name == name for rule in drawn if rule
    )


def prescribed(case: Case, dose: str | None = None, structure: str = "") -> Decimal | None:
    """Return the prescribed dose in gray to which relative metrics of a structure refer in a dose.

    It is what is prescribed to that structure itself, else the highest that is prescribed to any; None where
    manifest and plan do not settle it.
    """
    found = totals(case, dose)
    if structure in found:
        return found[structure]
    known = [total for total in found.values() if total is not None]
    return max(known, default=None) if len(known) == len(found) else None


def totals(case: Case, dose: str | None = None) -> dict[str, Decimal | None]:
    """Return target → what is prescribed to it in a dose, in gray; None where that is not said.

    ``dose`` is an id or role; without it the whole course is meant. The phases of one target add up, the
    plans of a library don't. Where no target has a line for every plan, each may lie in the others' targets
    too, as a boost does: nothing is added up then. Of a range the dose counts that the plan prescribes.
    """
    of = next((set(one.of) for one in case.roles("dose") if one.name == dose), set[str]())
    rows = [(line, gray) for line, gray in _amounts(case) if not (line.plan and of) or line.plan in of]
    plans = sorted({line.plan for line, _ in rows})
    courses: dict[str, list[tuple[str, Decimal | None]]] = {}
    for line, gray in rows:
        courses.setdefault(line.target, []).append((line.plan, gray))
    if case.alternatives:
        return {target: _all(max, course) for target, course in courses.items()}
    whole = any(sorted(plan for plan, _ in course) == plans for course in courses.values())
    once = (len({plan for plan, _ in course}) == len(course) for course in courses.values())
    return {
        target: _all(sum, course) if whole and single else None
        for (target, course), single in zip(courses.items(), once, strict=True)
    }


def _all(
    join: Callable[[list[Decimal]], Decimal | int], course: Iterable[tuple[str, Decimal | None]]
) -> Decimal | None:
    """Return the doses of a course joined; None where one of them is not said."""
    doses = [gray for _, gray in course]
    said = [gray for gray in doses if gray is not None]
    return Decimal(join(said)) if len(said) == len(doses) else None


def _amounts(case: Case) -> Iterator[tuple[Prescription, Decimal | None]]:
    """Yield each line of the prescription with its dose in gray; None for a range that no plan settles."""
    within = prescription.chosen(case)
    for number, line in enumerate(case.manifest.prescription):
        if number in within:
            yield line, Decimal(str(within[number]))
        else:
            yield line, line.dose_max if line.dose_min == line.dose_max else None


def dataset(folder: Path, instance: Instance, keywords: Sequence[str] | None = None) -> Dataset:
    """Return an object of the source, or only some of its elements.

    Raises RttqaError when it cannot be read.
    """
    import pydicom

    data = disk.read(folder / instance.file.path, LARGEST_OBJECT, "an object of the source")
    tags = None if keywords is None else list(keywords)
    whole = io.BytesIO(data[: len(data) - instance.file.garbage])
    return pydicom.dcmread(whole, force=True, specific_tags=tags)


def _main_dose(case: Case) -> str | None:
    """Return the id or role of the dose that constraints mean by default: the sum, else the only one."""
    doses = list(case.roles("dose"))
    sums = [one for one in doses if one.id == "sum" or len(one.of) > 1]
    chosen = sums or doses
    return chosen[0].name if len(chosen) == 1 else None


def _phases(case: Case) -> Iterator[str]:
    """Yield the doses of single plans to which the prescription names a plan: each is held against it.

    Of a plan library a line that names no plan is about every one.
    """
    named = {line.plan for line in case.manifest.prescription if line.plan}
    if case.alternatives and not all(line.plan for line in case.manifest.prescription):
        named = {plan.name for plan in case.roles("plan")}
    return (dose.name for dose in case.roles("dose") if len(dose.of) == 1 and dose.of[0] in named)


def _external(case: Case, facts: StructureFacts, rois: Mapping[str, Roi]) -> int | None:
    """Return the number of the external contour: the trial's, else the structure set's own."""
    ruled = [rois[r.name].number for r in case.trial.structures if r.type == "EXTERNAL" and r.name in rois]
    own = [roi.number for roi in facts.rois if roi.interpreted_type == "EXTERNAL" and roi.contours]
    return next(iter((*ruled, *own)), None)


def _drawn(
    folder: Path, instance: Instance, rois: Mapping[str, Roi], external: int | None
) -> tuple[dict[str, StructureContours], StructureContours | None]:
    from rttqa_build.dose import contours

    every = {structure.number: structure for structure in contours.read(dataset(folder, instance))}
    drawn = {name: every[roi.number] for name, roi in rois.items() if roi.contours and roi.number in every}
    return drawn, None if external is None else every.get(external)


def _dose(
    folder: Path, instances: tuple[Instance, ...], structure_set: str
) -> tuple[tuple[DoseGrid, ...] | Diagnostic, Mapping[int, Recorded | Diagnostic]]:
    """Return the grids of a dose and the histograms it carries; those of parts say nothing of their sum."""
    from rttqa_build.dose import grid, recorded

    grids: list[DoseGrid] = []
    curves: Mapping[int, Recorded | Diagnostic] = {}
    for instance in instances:
        read = dataset(folder, instance)
        found = grid.read(read)
        if isinstance(found, Diagnostic):
            return found, {}
        grids.append(found)
        curves = recorded.read(read, structure_set) if len(instances) == 1 else {}
    return tuple(grids), curves
