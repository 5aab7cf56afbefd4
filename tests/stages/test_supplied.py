"""Benchmark cases that a trial supplies: what is proven, and what the package then holds."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from build_case import HEAD, Variant, members
from case_builder import instance, manifest, selected, trial

from rttqa_build import synthetic
from rttqa_build.build import build
from rttqa_build.manifest import Submission
from rttqa_build.stages.supplied import prove
from rttqa_build.study import ImageFacts

if TYPE_CHECKING:
    from pathlib import Path

    from rttqa_build.stages.order import Built
    from rttqa_build.stages.supplied import Supplied
    from rttqa_build.synthetic import SyntheticPatient

CASE = Submission("outlining-benchmark", 1, case="CASE1", observer="A1")
BENCHMARK = HEAD.replace(
    "{patient: EP-0123, purpose: prospective-review,",
    "{case: CASE1, observer: A1, purpose: outlining-benchmark,",
)


def proven(*files: str, listed: tuple[str, ...] = ("a", "b"), submission: Submission = CASE) -> Supplied:
    images = tuple(instance(ImageFacts(), uid) for uid in files)
    one = replace(selected("planning_image"), instances=images)
    return prove(
        (one,),
        manifest(submission=submission),
        trial(supplied_cases={"CASE1": {"images": list(listed)}}),
    )


def test_files_that_the_trial_lists_keep_their_uids() -> None:
    found = proven("a", "b")
    assert found.files == {"a", "b"}
    assert found.uids == {"a", "b", "series", "s", "f"}
    assert not found.diagnostics


def test_others_do_not_and_are_an_error() -> None:
    found = proven("a", "x", "y")
    assert found.files == {"a"}
    (only,) = found.diagnostics
    assert (only.code, only.fatal) == ("A009", True)
    assert "2 of the 3" in only.message


@pytest.mark.parametrize(
    "submission", [replace(CASE, case="CASE2"), Submission("prospective-review", 1, patient="EP-0123")]
)
def test_nothing_stays_for_another_case_or_a_patient(submission: Submission) -> None:
    assert proven("a", submission=submission) == proven(submission=submission)
    assert not proven("a", submission=submission).uids


def benchmark(folder: Path, listed: slice) -> tuple[SyntheticPatient, Built]:
    variant = Variant("benchmark", BENCHMARK, {})
    source = folder / "exports"
    saved = synthetic.save(variant.patient(), source)
    digests = [
        hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in saved.paths.items()
        if name.startswith("ct/")
    ]
    cases: dict[str, Any] = {"CASE1": {"images": digests[listed]}}
    order = variant.order(saved, source, folder / "out")
    return saved, build(replace(order, trial=replace(order.trial, supplied_cases=cases)))


def test_a_supplied_case_lies_under_its_own_uids_with_our_structures_on_it(tmp_path: Path) -> None:
    saved, built = benchmark(tmp_path, slice(None))
    assert built.package, [(d.code, d.message) for d in built.diagnostics if d.fatal]
    objects = [
        pydicom.dcmread(io.BytesIO(m)) for n, m in members(built.package).items() if n.endswith(".dcm")
    ]
    before, after = saved.of("ct"), [o for o in objects if o.Modality == "CT"]
    for keyword in (
        "SOPInstanceUID",
        "SeriesInstanceUID",
        "StudyInstanceUID",
        "FrameOfReferenceUID",
        "StudyDate",
    ):
        assert {o[keyword].value for o in before} == {o[keyword].value for o in after}
    assert {str(o.PatientName) for o in objects} == {"CASE1-A1"}
    assert {o.LongitudinalTemporalInformationModified for o in after} == {"UNMODIFIED"}
    (ours,) = [o for o in objects if o.Modality == "RTSTRUCT"]
    (theirs,) = saved.of("structure_set")
    assert ours.SOPInstanceUID != theirs.SOPInstanceUID
    assert ours.StudyInstanceUID == before[0].StudyInstanceUID
    assert ours.StructureSetDate != theirs.StructureSetDate
    drawn_on = {str(e.value) for e in ours.iterall() if e.keyword == "ReferencedSOPInstanceUID"}
    assert {o.SOPInstanceUID for o in after} <= drawn_on


def test_no_package_is_made_of_a_case_that_is_not_proven(tmp_path: Path) -> None:
    _, built = benchmark(tmp_path, slice(1, None))
    assert built.package is None
    assert "A009" in {d.code for d in built.diagnostics}
