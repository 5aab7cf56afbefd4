"""Faults planted in a real Eclipse export of a phantom: each is told by its code, beyond what is truly odd.

The export's plan and structure set were never approved, and both say so (P105, S113). A row is a fault, the
codes it must give besides and no others, and what it changes: elements of one object, or of every slice of
the planning CT; ``None`` removes an element.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import build_case
import pytest
from fault_case import alter
from pydicom import dcmread

from rttqa_build import checks
from rttqa_build.checks.judgement import judge
from rttqa_build.library import Library
from rttqa_build.resolve import resolve
from rttqa_build.study import Instance, SourceFile, assemble, read
from rttqa_build.synthetic.elements import uid

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydicom import Dataset

PHANTOM = Path(__file__).resolve().parents[2] / "shared" / "data" / "eclipse_phantom"
DOSE = "437708a8"
MANIFEST = build_case.PHANTOM + f"data: {{dose: {{sha256: {DOSE}}}}}\n"
ODD = "P105 S113"

pytestmark = pytest.mark.skipif(not PHANTOM.is_dir(), reason="the Eclipse phantom export is not here")


def _instance(data: bytes, path: str) -> Instance:
    found = read(SourceFile(path, len(data), hashlib.sha256(data).hexdigest()), data)
    assert isinstance(found, Instance)
    return found


@functools.cache
def export() -> dict[str, Instance]:
    """Return every object of the export by file name."""
    return {path.name: _instance(path.read_bytes(), path.name) for path in sorted(PHANTOM.glob("*.dcm"))}


@functools.cache
def sent() -> dict[str, tuple[str, ...]]:
    """Return role → file names of what is sent, the planning CT from foot to head."""
    reading = Library().read_manifest(MANIFEST.encode(), "manifest.yaml")
    assert reading.manifest is not None
    assert reading.trial is not None
    resolution = resolve(assemble(list(export().values())), reading.manifest, reading.trial)
    roles = {one.role: tuple(i.file.path for i in one.instances) for one in resolution.roles}
    heights = {
        name: float(dcmread(PHANTOM / name).ImagePositionPatient[2]) for name in roles["planning_image"]
    }
    return roles | {"planning_image": tuple(sorted(heights, key=heights.__getitem__))}


@dataclass(slots=True)
class Spoilt:
    """The export with some objects altered, added, or (None) taken away."""

    objects: dict[str, Dataset | None] = field(default_factory=dict)

    def edit(self, role: str, number: int = 0) -> Dataset:
        """Return a copy of an object of a role that stands in its place from now on."""
        name = sent()[role][number]
        if self.objects.get(name) is None:
            self.objects[name] = dcmread(PHANTOM / name)
        found = self.objects[name]
        assert found is not None
        return found

    def codes(self) -> list[str]:
        """Return the codes of all findings, each once."""
        instances = dict(export())
        for name, item in self.objects.items():
            instances.pop(name, None)
            if item is not None:
                stream = BytesIO()
                item.save_as(stream)
                instances[name] = _instance(stream.getvalue(), name)
        dose = instances[sent()["dose"][0]].file.sha256
        reading = Library().read_manifest(MANIFEST.replace(DOSE, dose).encode(), "manifest.yaml")
        assert reading.manifest is not None
        assert reading.trial is not None
        resolution = resolve(assemble(list(instances.values())), reading.manifest, reading.trial)
        case = checks.Case(reading.manifest, reading.trial, resolution.roles)
        found = judge((*resolution.diagnostics, *checks.run(case)), reading.manifest, reading.trial)
        return sorted({one.code for one in found})


def change(role: str, number: int = 0, **elements: Any) -> Callable[[Spoilt], None]:
    return lambda one: alter(one.edit(role, number), elements)


def every_slice(**elements: Any) -> Callable[[Spoilt], None]:
    def plant(one: Spoilt) -> None:
        for number in range(len(sent()["planning_image"])):
            alter(one.edit("planning_image", number), elements)

    return plant


def gone(role: str, number: int = 0) -> Callable[[Spoilt], None]:
    return lambda one: one.objects.update({sent()[role][number]: None})


def moved(role: str, number: int, by: float) -> Callable[[Spoilt], None]:
    """Shift along the patient, mm."""

    def plant(one: Spoilt) -> None:
        item = one.edit(role, number)
        x, y, z = item.ImagePositionPatient
        item.ImagePositionPatient = [x, y, float(z) + by]

    return plant


def slice_twice(one: Spoilt) -> None:
    item = dcmread(PHANTOM / sent()["planning_image"][4])
    item.SOPInstanceUID = uid("twin")
    item.file_meta.MediaStorageSOPInstanceUID = item.SOPInstanceUID
    one.objects["twin.dcm"] = item


def elsewhere(role: str, sequence: str) -> Callable[[Spoilt], None]:
    def plant(one: Spoilt) -> None:
        one.edit(role)[sequence].value[0].ReferencedSOPInstanceUID = uid("elsewhere")

    return plant


def no_monitor_units(one: Spoilt) -> None:
    del one.edit("plan").FractionGroupSequence[0].ReferencedBeamSequence[0].BeamMeterset


def same_name(one: Spoilt) -> None:
    first, second, *_ = one.edit("structure_set").StructureSetROISequence
    second.ROIName = first.ROIName.upper()


def in_one_series(one: Spoilt) -> None:
    one.edit("structure_set").SeriesInstanceUID = one.edit("planning_image").SeriesInstanceUID


class Fault(NamedTuple):
    name: str
    codes: str
    plant: Callable[[Spoilt], object]
    odd: str = ODD


FAULTS = (
    Fault("a slice is missing", "C102 R203", gone("planning_image", 5)),
    Fault("a slice is there twice", "C101", slice_twice),
    Fault("a slice lies a little off", "C103", moved("planning_image", 5, 0.3)),
    Fault(
        "a slice is oblique",
        "C104",
        change("planning_image", 5, ImageOrientationPatient=[1, 0, 0, 0, 0.8, 0.6]),
    ),
    Fault("a slice has no position", "C105", change("planning_image", 5, ImagePositionPatient=None)),
    Fault("a slice has larger pixels", "C106", change("planning_image", 5, PixelSpacing=[2, 2])),
    Fault(
        "a scout among the slices",
        "C109",
        change("planning_image", 0, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]),
    ),
    Fault("planned on a MIP", "C110", every_slice(ImageType=["DERIVED", "SECONDARY", "MIP"])),
    Fault(
        "a slice in another frame",
        "C111 R204",
        change("planning_image", 5, FrameOfReferenceUID=uid("elsewhere")),
    ),
    Fault("text is burned in", "R405", change("planning_image", 5, BurnedInAnnotation="YES")),
    Fault("a dose in another frame", "R204", change("dose", FrameOfReferenceUID=uid("elsewhere"))),
    Fault("another patient's dose", "R301", change("dose", PatientName="STRANGER^SAM", PatientID="X000001")),
    Fault(
        "a plan on another structure set",
        "R202",
        elsewhere("plan", "ReferencedStructureSetSequence"),
        odd="P105",  # the structure set is not found any more
    ),
    Fault("a plan in another study", "R206", change("plan", StudyInstanceUID=uid("another study"))),
    Fault("structures in the CT's series", "R020", in_one_series),
    Fault("two names that differ in case", "S107", same_name),
    Fault("no monitor units", "P112", no_monitor_units),
    Fault("a verification plan", "P113", change("plan", PlanIntent="VERIFICATION")),
    Fault("a plan before its scan", "P114", change("plan", RTPlanDate="19990101")),
    Fault("a relative dose", "D101", change("dose", DoseUnits="RELATIVE")),
    Fault("the dose of a beam", "D102", change("dose", DoseSummationType="BEAM")),
    Fault("a dose that is zero everywhere", "D103", change("dose", DoseGridScaling=0)),
    Fault("a difference of doses", "D104", change("dose", DoseType="ERROR")),
    Fault("a dose beside the patient", "D109", moved("dose", 0, 500)),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_is_told_by_its_code(fault: Fault) -> None:
    one = Spoilt()
    fault.plant(one)
    assert one.codes() == sorted(f"{fault.codes} {fault.odd}".split())


def test_the_export_as_it_is_has_only_what_is_odd_in_it() -> None:
    assert Spoilt().codes() == ODD.split()
