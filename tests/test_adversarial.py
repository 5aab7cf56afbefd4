"""Identities in places where nobody expects them: each is cleaned, or forbids the package and has a place."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import build_case
import pydicom
import pytest
from pydicom import config
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from test_no_identity import demand_clean, planted_in, written

from rttqa_build import disk, synthetic
from rttqa_build.deidentify.documents import scrub
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.stages.intake import take_in
from rttqa_build.stages.order import ours
from rttqa_build.stages.paperwork import documents, rezip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from build_case import Run

    from rttqa_build.stages.order import Order
    from rttqa_build.synthetic import SyntheticPatient

    Plant = Callable[[SyntheticPatient], None]

WHO = synthetic.INVENTED


@pytest.fixture(autouse=True)
def _unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pydicom write what no standard allows."""
    monkeypatch.setattr(config.settings, "writing_validation_mode", config.IGNORE)
    monkeypatch.setattr(config.settings, "reading_validation_mode", config.IGNORE)


def item(**elements: Any) -> Dataset:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def raw(target: Dataset, tag: int, vr: str, value: bytes) -> None:
    target[tag] = RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)


def set_in(key: str, **elements: Any) -> Plant:
    def plant(patient: SyntheticPatient) -> None:
        for keyword, value in elements.items():
            setattr(patient.objects[key], keyword, value)

    return plant


def in_beam(**elements: Any) -> Plant:
    def plant(patient: SyntheticPatient) -> None:
        for keyword, value in elements.items():
            setattr(patient.objects["plan"].BeamSequence[0], keyword, value)

    return plant


def rewrite(key: str, tag: int, vr: str, value: bytes) -> Plant:
    return lambda patient: raw(patient.objects[key], tag, vr, value)


def roi_named(name: str) -> Plant:
    def plant(patient: SyntheticPatient) -> None:
        patient.objects["structure_set"].StructureSetROISequence[3].ROIName = name

    return plant


def class_uid_of_words(patient: SyntheticPatient) -> None:
    reference = patient.objects["plan"].ReferencedStructureSetSequence[0]
    reference.ReferencedSOPClassUID = "HARGREAVES"


def contour_of_words(patient: SyntheticPatient) -> None:
    contour = patient.objects["structure_set"].ROIContourSequence[0].ContourSequence[0]
    raw(contour, 0x30060050, "DS", b"HARGREAVES\\1")


def hidden_in_private_un(patient: SyntheticPatient) -> None:
    inner = item(PatientName=WHO.name, PatientID=WHO.hospital_number)
    outer = item()
    outer.add_new(0x32530010, "LO", "VENDOR")
    outer.add_new(0x32531001, "SQ", Sequence([inner]))
    beam = patient.objects["plan"].BeamSequence[0]
    beam.add_new(0x32530010, "LO", "VENDOR")
    beam.add_new(0x32531001, "SQ", Sequence([outer]))
    payload = WHO.name.encode() + b" " * (len(WHO.name) % 2)
    element = b"\x10\0\x10\0" + len(payload).to_bytes(4, "little") + payload
    sequence = b"\xfe\xff\x00\xe0" + len(element).to_bytes(4, "little") + element
    raw(beam, 0x300A0420, "UN", sequence)  # a public sequence, hidden behind UN


def identity_inside_a_sequence(patient: SyntheticPatient) -> None:
    beam = patient.objects["plan"].BeamSequence[0]
    beam.PatientName, beam.PatientID, beam.PatientBirthDate = WHO.name, WHO.nhs_number, WHO.birth_date
    beam.OtherPatientIDs = WHO.hospital_number


CLEANED: dict[str, Plant] = {
    "a name as a code string": set_in("ct/001", BodyPartExamined="HARGREAVES"),
    "a name as the plan's intent": set_in("plan", PlanIntent="WILFRED"),
    "a hospital number as a code string": set_in("ct/001", BodyPartExamined="J483920"),
    "a class UID of words": class_uid_of_words,
    "a structure named after the patient": roi_named("Hargreaves PTV"),
    "a structure named after the physicist": roi_named("PTV Winterbourne"),
    "a beam with the hospital number": in_beam(BeamName="J483920 arc"),
    "a beam with the institution": in_beam(BeamName="St Ethelburga's"),
    "a beam with the birth date": in_beam(BeamName="07/03/1951"),
    "a label with the hospital number": set_in("structure_set", StructureSetLabel="J483920"),
    "a contour of words": contour_of_words,
    "a decimal string of words": rewrite("ct/001", 0x00180050, "DS", b"HARGREAVES"),
    "an integer string of words": rewrite("ct/001", 0x00200012, "IS", b"HARGREAVES"),
    "an age of words": rewrite("ct/001", 0x00101010, "AS", b"WILFRED "),
    "a time that is an NHS number": rewrite("ct/001", 0x00080030, "TM", b"9990000018"),
    "an integer that is an NHS number": set_in("ct/001", AcquisitionNumber="9990000018"),
    "a date of words": rewrite("ct/001", 0x00080022, "DA", b"HARGREAV"),
    "a birth date as date and time": set_in("ct/001", FrameAcquisitionDateTime="19510307043000"),
    "private sequences within private sequences, and behind UN": hidden_in_private_un,
    "the patient's module inside a sequence": identity_inside_a_sequence,
    "a name as the manufacturer": set_in("plan", Manufacturer="Hargreaves"),
    "a number among the software versions": set_in("plan", SoftwareVersions=["1.0", "J483920"]),
    "a name in pixel-like bytes": rewrite("ct/001", 0x00189345, "OB", b"HARGREAVES"),
    "a known tag under a foreign VR": rewrite("structure_set", 0x30060002, "OB", b"HARGREAVES"),
    "pixel data that is a text": rewrite("structure_set", 0x7FE00008, "LT", b"HARGREAVES"),
    "a trailing NUL in a name": in_beam(BeamName="Hargreaves\0"),
}


def phantom(folder: Path, plant: Plant, **options: Any) -> Run:
    variant = build_case.named("phantom")
    patient = variant.patient(**options)
    plant(patient)
    return build_case.run(variant, folder, patient)


# Which plantings go into one export: those of different rounds would overwrite each other.
LATER = {
    "a hospital number as a code string": 1,
    "a beam with the institution": 1,
    "a beam with the birth date": 2,
    "a trailing NUL in a name": 3,
    "a structure named after the physicist": 1,
    "an integer that is an NHS number": 1,
    "a known tag under a foreign VR": 1,
}


@pytest.mark.parametrize("turn", range(4))
def test_all_is_cleaned_and_the_package_is_made(turn: int, tmp_path: Path) -> None:
    def plant(patient: SyntheticPatient) -> None:
        for what, one in CLEANED.items():
            if LATER.get(what, 0) == turn:
                one(patient)

    run = phantom(tmp_path, plant)
    assert [d for d in run.built.diagnostics if d.fatal] == []
    demand_clean(run, written(run))
    assert b"9990000018" not in b"".join(run.members.values())


def quoted_uid(patient: SyntheticPatient) -> None:
    uid = patient.objects["ct/001"].SOPInstanceUID
    patient.objects["plan"].RTPlanDescription = f"see {uid} and {uid}.1"
    patient.objects["plan"].BeamSequence[0].BeamName = f"x {uid}"
    patient.objects["plan"].BeamSequence[1].BeamDescription = f"as {uid}"


def test_uids_quoted_in_text_go(tmp_path: Path) -> None:
    run = phantom(tmp_path, quoted_uid)
    demand_clean(run, written(run))


CHARACTER_SETS = [
    ("ISO_IR 100", "Müßiggang^Jürgen"),
    ("ISO_IR 101", "Wiśniewski^Żółw"),
    ("ISO_IR 192", "Łukasiewicz^Żaneta"),
    ("ISO_IR 144", "Люксембург^Роза"),
    (["ISO 2022 IR 6", "ISO 2022 IR 144"], "Люксембург^Роза"),
    (["ISO 2022 IR 100", "ISO 2022 IR 126"], "Διονυσίου^Σοφία"),
    (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
    ("GB18030", "Wang^XiaoDong=王^小东"),
]


@pytest.mark.parametrize(("charset", "name"), CHARACTER_SETS, ids=str)
def test_names_of_other_alphabets_are_found_in_labels(
    charset: str | list[str], name: str, tmp_path: Path
) -> None:
    group = name.rpartition("=")[2]
    family, given = group.split("^")

    def plant(patient: SyntheticPatient) -> None:
        for one in patient.objects.values():
            one.SpecificCharacterSet, one.PatientName = charset, name
        rois = patient.objects["structure_set"].StructureSetROISequence
        rois[3].ROIName, rois[4].ROIName = family, f"x {family} {given}"
        patient.objects["plan"].BeamSequence[0].BeamName = f"{family}"

    run = phantom(tmp_path, plant)
    assert [d for d in run.built.diagnostics if d.fatal] == []
    for path, data in run.members.items():
        if path.endswith(".dcm"):
            text = str(pydicom.dcmread(io.BytesIO(data)))
            assert family not in text
            assert family.lower() not in text.lower()


# --- documents and what the manifest says ------------------------------------------------------------------


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Scanner:
    """Return the search for the synthetic patient's identities."""
    folder = tmp_path_factory.mktemp("identities")
    synthetic.save(build_case.named("prostate").patient(), folder)
    return Scanner(take_in(folder, 2, lambda _: None).harvest, ours(form_order(folder)))


def form_order(folder: Path) -> Order:
    return build_case.order(build_case.named("prostate").manifest, folder, folder)


def form_with(text: str) -> bytes:
    """Return the assessment form with a text in a cell."""
    source = build_case.named("prostate").patient().extras["forms/PAF.xlsx"]
    with zipfile.ZipFile(io.BytesIO(source)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b"Synthetic TPS 1.0", text.encode())
    assert text.encode() in parts[sheet]
    return rezip(list(parts.items()))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Mr Hargreaves", "A100"),
        ("W HARGREAVES", "A100"),
        ("J483920", "A101"),
        ("999 000 0018", "A101"),
        ("born 7 March 1951", "A102"),
        ("07.03.1951", "A102"),
        ("ZZ99 3VZ", "A103"),
        ("tel. +44 1632 960417", "A103"),
        ("checked by Winterbourne", "A105"),
    ],
)
def test_an_identity_in_a_form_is_a_finding_with_its_line(
    text: str, code: str, scanner: Scanner, tmp_path: Path
) -> None:
    order = form_order(tmp_path)
    disk.write(tmp_path / "forms" / "PAF.xlsx", form_with(text))
    found = documents(order.manifest, order.trial, tmp_path, scanner).diagnostics
    hits = [d for d in found if d.code == code]
    assert hits
    assert any(d.fatal for d in hits)
    for hit in hits:
        assert hit.where.file == "manifest.yaml"
        assert hit.where.line
        assert hit.hint
        assert text not in hit.message + hit.hint


def test_an_identity_in_a_form_forbids_the_package(tmp_path: Path) -> None:
    variant = build_case.named("prostate")
    patient = variant.patient()
    patient.extras["forms/PAF.xlsx"] = form_with("Mr Hargreaves")
    run = build_case.run(variant, tmp_path, patient)
    assert {d.code for d in run.built.diagnostics} >= {"A100"}
    assert run.built.package is None


MANIFESTS = {
    "clinical text": ("history: Low-volume disease on biopsy.", "history: Mr Hargreaves, biopsy.", "A100"),
    "a waiver's reason": (
        "prescription:",
        'waivers: [{code: D204, reason: "agreed for J483920"}]\nprescription:',
        "A101",
    ),
    "why a structure is absent": (
        "Bladder: bladder}",
        'Bladder: bladder, Kidney_L: {absent: "removed, says Okonjo-Brennan"}}',
        "A105",
    ),
    "a birth date in a comment": ("data:", "# born 07/03/1951\ndata:", "A102"),
}


@pytest.mark.parametrize("place", MANIFESTS)
def test_an_identity_in_the_manifest_is_a_finding_with_its_place(place: str, tmp_path: Path) -> None:
    old, new, code = MANIFESTS[place]
    variant = build_case.named("prostate")
    assert old in variant.manifest
    changed = build_case.Variant("changed", variant.manifest.replace(old, new, 1), {})
    run = build_case.run(changed, tmp_path)
    hits = [d for d in run.built.diagnostics if d.code == code]
    assert hits
    assert "manifest.yaml" in {hit.where.file for hit in hits}
    assert run.built.package is None
    said = "".join(d.message + d.hint for d in run.built.diagnostics)
    assert not planted_in(said.encode())


def test_the_form_itself_leaves_without_author_and_folder() -> None:
    data = build_case.named("prostate").patient().extras["forms/PAF.xlsx"]
    scrubbed = scrub(data, "xlsx", rezip=rezip, reviewed=False, allowed_macros=())
    with zipfile.ZipFile(io.BytesIO(scrubbed.data)) as archive:
        assert not planted_in(b"".join(archive.read(name) for name in archive.namelist()))
