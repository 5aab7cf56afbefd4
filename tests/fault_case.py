"""A clean submission of the synthetic patient in which faults are planted: read, resolved and checked anew.

Only what a fault changes is written and read again, so that many faults take little time.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

import build_case
from pydicom import dcmread

from rttqa_build import checks, synthetic
from rttqa_build.checks.judgement import judge
from rttqa_build.evidence import dosimetry, histograms
from rttqa_build.library import Library
from rttqa_build.resolve import resolve
from rttqa_build.stages.reading import measured
from rttqa_build.study import Instance, SourceFile, Study, assemble, read
from rttqa_build.synthetic.elements import file_meta

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pydicom import Dataset

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.library import Reading
    from rttqa_build.manifest import Manifest
    from rttqa_build.trial import Trial

# As fine as the example trial asks, and no finer: 54 slices and a dose of 2.5 mm, with few pixels and points.
EXTENT = synthetic.Extent(
    size=32,
    slices=54,
    mr_size=16,
    mr_slices=3,
    control_points=3,
    leaf_pairs=5,
    dose_spacing=2.5,
    outline=24,
    dose_counts=(100, 96, 64),
)
DRAWN = ("structure_set", "dose", "ct")
MAPPING = """\
structures:
  PTV_6000: PTV 60 final
  PTV_4600: PTV 46
  CTVp: prostate
  CTVsv: seminal ves
  Rectum: rectum
  Bladder: bladder
  FemoralHead_L: Fem Head L
  FemoralHead_R: Fem Head R
  PenileBulb: penile bulb
  Bowel: bowel
"""
START, _, REST = build_case.HEAD.partition("structures:")
ONE = START + MAPPING + REST[REST.index("clinical:") :] + build_case.SINGLE
TWO = (
    """\
manifest: 1
trial: example-prostate
protocol: "2.0"
submission: {patient: EP-0123, purpose: dummy-run, revision: 1}
source: EP-0123
documents:
  process_document: {path: process.pdf}
"""
    + MAPPING
    + """\
data:
  plan: [{id: phase1, label: Pelvis46}, {id: phase2, label: Boost14}]
  dose:
    - {id: dose1, path: dose-phase1.dcm}
    - {id: dose2, path: dose-phase2.dcm}
    - {id: sum, path: dose-sum.dcm}
prescription:
  - {target: PTV_4600, dose_gy: 46, fractions: 23, plan: phase1}
  - {target: PTV_6000, dose_gy: 14, fractions: 7, plan: phase2}
"""
)


@functools.cache
def clean(variant: synthetic.Variant = "single-phase") -> dict[str, Dataset]:
    """Return the objects of the clean patient. Shared: alter copies."""
    return synthetic.build(variant=variant, extent=EXTENT).objects


def encoded(item: Dataset) -> bytes:
    """Return an object as a file."""
    item.file_meta = file_meta(item, "TPS", b"")
    stream = BytesIO()
    item.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


@functools.cache
def manifest_of(text: str) -> Reading:
    return Library().read_manifest(text.encode(), "manifest.yaml")


def alter(item: Dataset, elements: dict[str, Any]) -> None:
    """Set elements of an object; None removes one."""
    for keyword, value in elements.items():
        if value is None:
            delattr(item, keyword)
        else:
            setattr(item, keyword, value)


def file_name(key: str) -> str:
    return key.replace("/", "-") + ".dcm"


def instance(key: str, data: bytes) -> Instance:
    """Return what is read of one object."""
    found = read(SourceFile(file_name(key), len(data), hashlib.sha256(data).hexdigest()), data)
    assert isinstance(found, Instance), found
    return found


@functools.cache
def clean_instance(variant: synthetic.Variant, key: str) -> tuple[Instance, bytes]:
    data = encoded(clean(variant)[key])
    return instance(key, data), data


@dataclass(slots=True)
class Submission:
    """The patient, the manifest and the trial, to be spoilt by a fault.

    ``objects`` are those that differ from the clean ones, None for one that is gone.
    """

    variant: synthetic.Variant = "single-phase"
    manifest: str = ONE
    trial: dict[str, Any] = field(default_factory=dict)
    objects: dict[str, Dataset | None] = field(default_factory=dict)

    def edit(self, key: str) -> Dataset:
        """Return a copy of an object that stands in its place from now on."""
        if self.objects.get(key) is None:
            self.objects[key] = dcmread(BytesIO(clean_instance(self.variant, key)[1]))
        found = self.objects[key]
        assert found is not None
        return found

    def series(self, prefix: str = "ct") -> list[Dataset]:
        """Return copies of all images of a series, in place of them."""
        return [self.edit(key) for key in clean(self.variant) if key.split("/")[0] == prefix]

    def say(self, old: str, new: str) -> None:
        """Replace a text of the manifest that must be there."""
        assert old in self.manifest, old
        self.manifest = self.manifest.replace(old, new)

    def roi(self, name: str) -> tuple[Dataset, Dataset, Dataset]:
        """Return an ROI of the structure set as its three modules describe it."""
        item = self.edit("structure_set")
        number = next(int(roi.ROINumber) for roi in item.StructureSetROISequence if roi.ROIName == name)
        modules = (
            ("StructureSetROISequence", "ROINumber"),
            ("ROIContourSequence", "ReferencedROINumber"),
            ("RTROIObservationsSequence", "ReferencedROINumber"),
        )
        roi, drawn, observed = (
            next(entry for entry in item[sequence].value if int(entry[keyword].value) == number)
            for sequence, keyword in modules
        )
        return roi, drawn, observed

    def contours(self, name: str) -> list[Dataset]:
        """Return the contours of an ROI, a list that may be altered in place."""
        drawn: list[Dataset] = self.roi(name)[1].ContourSequence
        return drawn

    def codes(self, folder: Path) -> list[str]:
        """Return the codes of all findings in this submission, each once."""
        study = assemble(list(self._instances(folder)))
        reading = manifest_of(self.manifest)
        assert reading.manifest is not None, reading.diagnostics
        assert reading.trial is not None
        trial = replace(reading.trial, **self.trial)
        found = [*reading.diagnostics, *self._found(study, reading.manifest, trial, folder)]
        for one in found:
            assert one.message
            assert one.hint
            assert one.where.file
        return sorted({one.code for one in judge(found, reading.manifest, trial)})

    def _instances(self, folder: Path) -> Iterator[Instance]:
        for key in dict.fromkeys([*clean(self.variant), *self.objects]):
            item = self.objects.get(key, clean(self.variant).get(key))
            if item is None:
                continue
            if key in self.objects:
                data = encoded(item)
                found = instance(key, data)
            else:
                found, data = clean_instance(self.variant, key)
            if key.startswith(DRAWN):
                (folder / file_name(key)).write_bytes(data)
            yield found

    def _found(self, study: Study, manifest: Manifest, trial: Trial, folder: Path) -> Iterable[Diagnostic]:
        """Return what a build would find before it packs anything."""
        resolution = resolve(study, manifest, trial)
        case = checks.Case(manifest, trial, resolution.roles)
        yield from resolution.diagnostics
        yield from checks.run(case)
        if self._concerns_dose():
            source = dosimetry.read(case, folder)
            dose = histograms(case, source, 1)
            yield from dose.diagnostics
            yield from checks.run_measured(case, measured(source, dose))

    def _concerns_dose(self) -> bool:
        """Whether histograms could differ from the clean ones, which give no finding."""
        altered = any(key.startswith(DRAWN) for key in self.objects)
        return altered or not self.objects
