"""Any RTSTRUCT × any RTDOSE → histograms, and findings on whether the two belong together."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import Diagnostic, Location, Severity, finding, with_severity
from rttqa_build.dose import contours, dvh, grid, recorded
from rttqa_build.dose.dvh import Dvh
from rttqa_build.study import Instance, Kind, SourceFile
from rttqa_build.study.read import read as read_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydicom import Dataset

    from rttqa_build.dose.contours import StructureContours
    from rttqa_build.dose.dvh import Mapper
    from rttqa_build.dose.grid import DoseGrid
    from rttqa_build.dose.recorded import Recorded

STRUCTURES, DOSE = Location("structure_set"), Location("dose")
WHOLE = frozenset({"PLAN", "MULTI_PLAN", "PLAN_OVERVIEW"})
# of no weight where nobody asked for this very structure
_EXPECTED = frozenset({"D412", "D414", "D415"})


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Structures, dose, the planning system's own histograms by ROI number, and what is odd about them."""

    structures: tuple[StructureContours, ...]
    dose: DoseGrid
    recorded: Mapping[int, Recorded | Diagnostic]
    diagnostics: tuple[Diagnostic, ...] = ()


def read(structure_set: bytes, dose: bytes) -> Pair | tuple[Diagnostic, ...]:
    """Return what an RTSTRUCT and an RTDOSE hold, or the findings that say why they cannot be used."""
    refused = [
        *_refused(structure_set, Kind.STRUCTURE_SET, STRUCTURES, "the first file is no structure set"),
        *_refused(dose, Kind.DOSE, DOSE, "the second file is no dose"),
    ]
    if refused:
        return tuple(refused)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's; some quote values
        drawn, given = _dataset(structure_set), _dataset(dose)
        structures, distribution = contours.read(drawn), grid.read(given)
        if isinstance(distribution, Diagnostic):
            return (replace(distribution, where=DOSE),)
        odd = tuple(_odd(drawn, structures, given, distribution))
        return Pair(structures, distribution, recorded.read(given, _uid(drawn)), odd)


def _uid(dataset: Dataset) -> str:
    return str(dataset.get("SOPInstanceUID") or "")


def _refused(data: bytes, kind: Kind, where: Location, otherwise: str) -> Iterator[Diagnostic]:
    found = read_header(SourceFile("", len(data), ""), data)
    if not isinstance(found, Instance):
        yield finding("D209", f"the file cannot be read as a DICOM object{_because(found.detail)}", where)
    elif found.kind is not kind:
        yield finding("D209", otherwise, where)


def _because(detail: str) -> str:
    return f": {detail}" if detail else ""


def _dataset(data: bytes) -> Dataset:
    import pydicom

    return pydicom.dcmread(io.BytesIO(data), force=True)


def _odd(
    drawn: Dataset, structures: tuple[StructureContours, ...], given: Dataset, dose: DoseGrid
) -> Iterator[Diagnostic]:
    if not recorded.may_belong(given, _uid(drawn)):
        yield finding("D207", "the dose refers to another structure set", DOSE)
    frames = {structure.frame_uid for structure in structures if structure.contours} - {""}
    if dose.frame_uid and frames and frames != {dose.frame_uid}:
        yield finding("D207", "dose and structures lie in different frames of reference", DOSE)
    if dose.summation not in WHOLE:
        told = finding("D102", "the dose is that of a beam or a fraction, not of a whole plan", DOSE)
        yield with_severity(told, Severity.WARNING)


def histograms(pair: Pair, mapper: Mapper = map) -> tuple[tuple[Dvh, ...], tuple[Diagnostic, ...]]:
    """Return the histograms of all structures that have one, and every finding about the pair."""
    results = dvh.compute_all(pair.structures, [pair.dose], mapper=mapper)
    curves = tuple(result for result in results if isinstance(result, Dvh))
    failed = (_milder(result) for result in results if isinstance(result, Diagnostic))
    compared = (found for curve in curves for found in _compared(pair, curve))
    return curves, (*pair.diagnostics, *failed, *compared)


def _milder(found: Diagnostic) -> Diagnostic:
    placed = replace(found, where=STRUCTURES)
    return with_severity(placed, Severity.WARNING) if found.code in _EXPECTED else placed


def _compared(pair: Pair, curve: Dvh) -> Iterator[Diagnostic]:
    theirs = pair.recorded.get(curve.number)
    if isinstance(theirs, Diagnostic):
        yield replace(theirs, where=DOSE, local=curve.structure)
    elif theirs is not None and (found := recorded.differing(theirs, curve, pair.dose.maximum)):
        yield replace(found, where=DOSE, local=curve.structure)
