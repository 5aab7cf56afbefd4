"""Patients who are called as a term of the standard is: the object keeps it, and nothing else of them."""

from __future__ import annotations

import io
from dataclasses import replace

import build_case
import pydicom
import pytest
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

from rttqa_build.deidentify.elements import walk
from rttqa_build.deidentify.engine import pseudonymise
from rttqa_build.deidentify.identity import harvest
from rttqa_build.deidentify.job import Job, ObjectPlan
from rttqa_build.deidentify.marks import Marks
from rttqa_build.deidentify.policy import Action, compile_policy
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.deidentify.stream import parse
from rttqa_build.deidentify.table import read_defined_terms
from rttqa_build.deidentify.terms import without_terms
from rttqa_build.synthetic.identity import Identity

NAMES = {
    "HU^Wei": ("ct/001", "RescaleType", "HU"),
    "MU^Chen": ("plan", "BeamSequence/PrimaryDosimeterUnit", "MU"),
    "PHANTOM^CT": ("ct/001", "Modality", "CT"),
    "GRAY^Axial": ("ct/001", "ImageType", ["ORIGINAL", "PRIMARY", "AXIAL"]),
    "GY^Zoltan": ("dose", "DoseUnits", "GY"),
    "ORGAN^John": ("structure_set", "RTROIObservationsSequence/RTROIInterpretedType", None),
    "NO^Minsu": ("ct/001", "BurnedInAnnotation", "NO"),
}


def pseudonymised(item: pydicom.Dataset) -> tuple[pydicom.Dataset, bool]:
    """Return the object as it leaves, and whether the search finds anything in it."""
    out = io.BytesIO()
    pydicom.dcmwrite(out, item, implicit_vr=False, little_endian=True)
    stream = parse(out.getvalue())
    scanner = Scanner(harvest(walk(stream, pixels=False)), ["EP-0123"])
    job = Job(
        compile_policy(),
        Marks("EP-0123", "example", "Example", "", "RXX", "Example Cancer Centre"),
        100,
        lambda uid: f"2.25.{sum(uid)}",
        frozenset({b"1.2.840.10008.1.2.1"}),
        scanner.identifies,
    )
    data = pseudonymise(stream, job, ObjectPlan()).data
    return pydicom.dcmread(io.BytesIO(data)), bool(scanner.scan_dicom(parse(data), "role"))


def at(item: pydicom.Dataset, path: str) -> list[object]:
    *sequences, keyword = path.split("/")
    level = [item]
    for name in sequences:
        level = [inner for one in level for inner in one[name].value]
    return [one[keyword].value for one in level]


@pytest.mark.parametrize("name", NAMES)
def test_a_defined_term_stays_though_the_patient_is_called_so(name: str) -> None:
    key, path, value = NAMES[name]
    item = build_case.named("prostate").patient(identity=replace(Identity(), name=name)).objects[key]
    if path == "BurnedInAnnotation":
        item.BurnedInAnnotation = "NO"
    made, found = pseudonymised(item)
    assert at(made, path) == at(item, path)
    assert value is None or at(made, path)[0] == value
    assert not found


def test_the_same_word_goes_from_where_it_is_no_term() -> None:
    item = (
        build_case.named("prostate").patient(identity=replace(Identity(), name="GRAY^Mu")).objects["ct/001"]
    )
    item.ImageType = ["ORIGINAL", "PRIMARY", "MU"]
    made, found = pseudonymised(item)
    assert not made.ImageType
    assert "GRAY" not in str(made)
    assert not found


def test_a_name_beside_terms_is_still_found() -> None:
    scanner = Scanner(harvest(walk(parse(_named("GRAY^John")))), [])
    data = _named("OTHER^Name", ["ORIGINAL", "PRIMARY", "GRAY"])
    told = scanner.scan_dicom(parse(data), "role")
    assert [one.code for one in told if one.where.item == "ImageType"] == ["A100"]


def _named(name: str, kind: list[str] | None = None) -> bytes:
    item = build_case.named("prostate").patient(identity=replace(Identity(), name=name)).objects["ct/001"]
    item.ImageType = kind or item.ImageType
    out = io.BytesIO()
    pydicom.dcmwrite(out, item, implicit_vr=False, little_endian=True)
    return out.getvalue()


def test_only_what_stands_there_whole_is_a_term() -> None:
    tag = tag_for_keyword("ImageType")
    assert tag is not None
    assert without_terms(tag, "CS", rb"ORIGINAL\PRIMARY\JONES ") == b"JONES "
    assert without_terms(tag, "CS", b"AXIALJONES") == b"AXIALJONES"
    assert without_terms(0x00100010, "PN", b"HU") == b"HU"
    assert without_terms(0x00281054, "LO", b"HU\0") == b""


def test_terms_are_listed_for_attributes_that_stay() -> None:
    policy = compile_policy(retain=frozenset({"patient_characteristics"}))
    for tag, terms in read_defined_terms():
        vr = dictionary_VR(tag)
        assert vr in ("CS", "LO"), keyword_for_tag(tag)
        assert terms
        stays = {Action.FITTING, Action.CLEAN, Action.KEEP}
        assert policy.action(tag, vr) in stays, keyword_for_tag(tag)
