"""A synthetic patient: linked CT, MR, REG, RTSTRUCT, RTPLAN and RTDOSE with an invented identity.

:func:`build` makes the objects in memory, :func:`write` makes an export folder as a planning system would.
Neither clock nor chance: the same arguments give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from rttqa_build.synthetic import clutter as odds
from rttqa_build.synthetic.case import COURSES, FULL, SMALL, Case, Extent
from rttqa_build.synthetic.doses import dose, levels
from rttqa_build.synthetic.elements import ROOT, file_meta
from rttqa_build.synthetic.form import achieved, assessment_form
from rttqa_build.synthetic.identity import INVENTED, Identity
from rttqa_build.synthetic.images import ct_slices, mr_slices, scout_slices
from rttqa_build.synthetic.plans import plan
from rttqa_build.synthetic.registration import registration
from rttqa_build.synthetic.structures import structure_set

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pydicom.dataset import Dataset

    from rttqa_build.synthetic.doses import Levels

__all__ = [
    "FULL",
    "INVENTED",
    "SMALL",
    "Extent",
    "Identity",
    "SyntheticPatient",
    "Variant",
    "assessment_form",
    "build",
    "save",
    "write",
]

Variant: TypeAlias = Literal["single-phase", "two-phase"]

_PREFIXES = {"RTSTRUCT": "RS", "RTPLAN": "RP", "RTDOSE": "RD", "REG": "RE"}


@dataclass(frozen=True, slots=True)
class SyntheticPatient:
    """The objects of one patient, by key, and what else lies in the export folder.

    Keys: ``ct/001`` …, ``mr/001`` …, ``registration``, ``structure_set``, ``plan``, ``dose``; in two phases
    ``plan/phase1``, ``plan/phase2``, ``dose/phase1``, ``dose/phase2``, ``dose/sum``; with clutter also
    ``scout/001`` …, ``plan/rejected`` and the files of ``extras`` (relative path → bytes).
    ``paths`` (key or relative path → file) is filled by :func:`save`.
    """

    identity: Identity
    objects: dict[str, Dataset]
    extras: dict[str, bytes] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)

    def of(self, prefix: str) -> list[Dataset]:
        """Return the objects of one kind, for example ``ct`` or ``plan``, in order."""
        return [item for key, item in self.objects.items() if key.split("/")[0] == prefix]

    def planted(self) -> dict[str, tuple[str, ...]]:
        """Return the strings that must not survive pseudonymisation: patient, staff, institution."""
        return self.identity.planted()

    def original_uids(self) -> frozenset[str]:
        """Return every UID of the patient's own, at whatever depth, references that dangle included."""
        return frozenset(uid for item in self.objects.values() for uid in _uids(item))


def _uids(item: Dataset) -> Iterable[str]:
    for element in item:
        if element.VR == "SQ":
            for nested in element.value:
                yield from _uids(nested)
        elif element.VR == "UI":
            values = [element.value] if isinstance(element.value, str) else element.value
            yield from (str(value) for value in values if str(value).startswith(ROOT))


def build(
    *,
    variant: Variant = "single-phase",
    identity: Identity = INVENTED,
    extent: Extent = FULL,
    clutter: bool = False,
    referred_mr: bool = False,
    form_for: str = "",
) -> SyntheticPatient:
    """Return the patient in memory; its datasets may be altered before :func:`save`.

    ``clutter`` adds what real folders also hold: a scout series, a rejected plan, a DICOMDIR, a text file.
    ``referred_mr`` gives the MR another hospital's patient number; the NHS number still agrees.
    ``form_for`` adds ``forms/PAF.xlsx``, a plan-assessment form filled in for this trial ID.
    """
    case = Case(identity, extent, referred_mr)
    ct, mr = list(ct_slices(case)), list(mr_slices(case))
    structures = structure_set(case, ct)
    total, course = _course(case, variant, structures)
    objects = {
        **_numbered("ct", ct),
        **_numbered("mr", mr),
        "registration": registration(case, ct, mr),
        "structure_set": structures,
        **course,
    }
    extras: dict[str, bytes] = {}
    if clutter:
        objects |= _numbered("scout", scout_slices(case))
        objects["plan/rejected"] = plan(case, odds.REJECTED, structures, approval="REJECTED")
        extras |= odds.files(identity)
    if form_for:
        prescription = ", then ".join(
            f"{phase.dose_gy:g} Gy in {phase.fractions}" for phase in COURSES[variant]
        )
        rows = achieved(case.dose_grid, total)
        extras["forms/PAF.xlsx"] = assessment_form(form_for, identity, prescription, rows)
    return SyntheticPatient(identity, objects, extras)


def _numbered(prefix: str, items: Iterable[Dataset]) -> dict[str, Dataset]:
    return {f"{prefix}/{number:03}": item for number, item in enumerate(items, start=1)}


def _course(case: Case, variant: Variant, structures: Dataset) -> tuple[Levels, dict[str, Dataset]]:
    """Return the dose of the whole course, and its plans and doses with the sum where there are several."""
    plans: dict[str, Dataset] = {}
    doses: dict[str, Dataset] = {}
    grids = [levels(case.dose_grid, phase) for phase in COURSES[variant]]
    total = sum(grids[1:], start=grids[0])
    for phase, stored in zip(COURSES[variant], grids, strict=True):
        suffix = f"/{phase.key}" if phase.key else ""
        planned = plan(case, phase, structures)
        plans[f"plan{suffix}"] = planned
        doses[f"dose{suffix}"] = dose(case, [planned], stored, key=phase.label, summation="PLAN")
    if len(plans) > 1:
        doses["dose/sum"] = dose(case, list(plans.values()), total, key="sum", summation="MULTI_PLAN")
    return total, plans | doses


def save(patient: SyntheticPatient, folder: Path) -> SyntheticPatient:
    """Write the objects and extras below a folder; return the patient with the paths of what was written."""
    paths = {}
    for key, item in patient.objects.items():
        paths[key] = folder / _path(patient.identity, key, item)
        paths[key].parent.mkdir(parents=True, exist_ok=True)
        _write_object(item, paths[key], patient.identity)
    for name, content in patient.extras.items():
        paths[name] = folder / name
        paths[name].parent.mkdir(parents=True, exist_ok=True)
        paths[name].write_bytes(content)
    return replace(patient, paths=paths)


def _path(who: Identity, key: str, item: Dataset) -> str:
    """Return where a planning system would put an object: names of folder and file say whose it is."""
    modality = str(item.Modality)
    if "/" in key and modality not in _PREFIXES:
        series, number = key.split("/")
        return f"{who.folder}/{series.upper()}/{modality}.{number}.{item.SOPInstanceUID}.dcm"
    prefix = _PREFIXES.get(modality, modality)
    return f"{who.folder}/{prefix}.{who.surname}.{item.SOPInstanceUID}.dcm"


def _write_object(item: Dataset, path: Path, who: Identity) -> None:
    preamble = who.name.encode("utf-8")[:128].ljust(128, b"\0")
    item.file_meta = file_meta(item, who.application_entity, who.name.encode())
    item.preamble = preamble
    item.save_as(path, enforce_file_format=True)


def write(
    folder: Path,
    *,
    variant: Variant = "single-phase",
    identity: Identity = INVENTED,
    extent: Extent = FULL,
    clutter: bool = False,
    form_for: str = "",
) -> SyntheticPatient:
    """Build the patient and save it as an export folder; see :func:`build`."""
    built = build(variant=variant, identity=identity, extent=extent, clutter=clutter, form_for=form_for)
    return save(built, folder)
