"""The build's promises on one package: bytes kept, links whole, UIDs by content, every file accounted for."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import zipfile
from typing import TYPE_CHECKING, Any

import build_case
import pydicom
import pytest

from rttqa_build import synthetic
from rttqa_build.build import build
from rttqa_build.deidentify.stream import parse
from rttqa_build.diagnostic import RttqaError
from rttqa_build.library import Library
from rttqa_build.lock import dump
from rttqa_build.manifest import Manifest
from rttqa_build.records.release import ACCOUNT
from rttqa_build.source import parse as parse_yaml
from rttqa_build.stages.order import REPORT
from rttqa_build.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from build_case import Run
    from pydicom.dataset import Dataset

    from rttqa_build.deidentify.elements import Stream

NUMERIC_VRS = ("DS", "IS", "FD", "FL", "US", "SS", "UL", "SL")
RT = ("structure_set", "plan", "dose", "registration")


def pairs(run: Run) -> Iterator[tuple[str, Path, bytes]]:
    """Yield each object of the package with its original: by digest, as the account tells."""
    originals = {hashlib.sha256(p.read_bytes()).hexdigest(): p for p in run.patient.paths.values()}
    account = json.loads((run.order.output / ACCOUNT).read_bytes())
    members = run.members
    for row in account["files"]:
        if row["fate"] == "used" and not row["role"].startswith("document:"):
            yield row["role"], originals[row["source"]], members[row["path"]]


def by_role(run: Run) -> dict[str, Dataset]:
    return {role: pydicom.dcmread(io.BytesIO(data)) for role, _, data in pairs(run)}


# --- bytes -------------------------------------------------------------------------------------------------


def raw(stream: Stream, tag: int) -> list[bytes]:
    """Return every value of a tag as it stands in the file, at any depth, in order."""
    found: list[bytes] = []

    def collect(elements: list[Any]) -> None:
        for element in elements:
            if element.items is None and element.tag == tag:
                found.append(stream.value(element))
            for item in element.items or ():
                collect(item.elements)

    collect(stream.elements)
    return found


KEPT = {
    "PixelData": 0x7FE00010,
    "ContourData": 0x30060050,
    "LeafJawPositions": 0x300A011C,
    "GantryAngle": 0x300A011E,
    "CumulativeMetersetWeight": 0x300A0134,
    "NominalBeamEnergy": 0x300A0114,
    "IsocenterPosition": 0x300A012C,
    "DoseGridScaling": 0x3004000E,
    "GridFrameOffsetVector": 0x3004000C,
    "FrameOfReferenceTransformationMatrix": 0x300600C6,
    "ImagePositionPatient": 0x00200032,
    "RescaleSlope": 0x00281053,
}


@pytest.mark.parametrize("name", build_case.NAMES)
def test_numbers_and_pixels_leave_as_the_bytes_that_came(name: str, built: Callable[[str], Run]) -> None:
    seen: set[str] = set()
    for role, original, data in pairs(built(name)):
        before, after = parse(original.read_bytes()), parse(data)
        for keyword, tag in KEPT.items():
            assert raw(after, tag) == raw(before, tag), (role, keyword)
            if raw(before, tag):
                seen.add(keyword)
    assert seen >= KEPT.keys() - {"FrameOfReferenceTransformationMatrix"}


def numbers(item: Dataset) -> list[tuple[int, str]]:
    return [
        (int(e.tag), str(e.value))
        for e in item.iterall()
        if e.VR in NUMERIC_VRS and not e.tag.is_private and e.tag.element and e.tag.group != 0x0002
    ]


REMOVED_NUMBERS = {"PatientSize", "PatientWeight"}  # rows of the table: they describe the patient


@pytest.mark.parametrize("name", ["prostate", "two-phases"])
def test_pydicom_reads_the_same_numbers_before_and_after(name: str, built: Callable[[str], Run]) -> None:
    for role, original, data in pairs(built(name)):
        before, after = pydicom.dcmread(original), pydicom.dcmread(io.BytesIO(data))
        removed = {pydicom.datadict.tag_for_keyword(word) for word in REMOVED_NUMBERS}
        kept = [pair for pair in numbers(before) if pair[0] not in removed]
        assert numbers(after) == kept, role
        if "PixelData" in before:
            assert (after.pixel_array == before.pixel_array).all()


# --- links and UIDs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", build_case.NAMES)
def test_references_resolve_in_the_package(name: str, built: Callable[[str], Run]) -> None:
    run = built(name)
    items = [pydicom.dcmread(io.BytesIO(d)) for n, d in run.members.items() if n.endswith(".dcm")]
    by_uid = {item.SOPInstanceUID: item for item in items}
    assert len(by_uid) == len(items)
    of = {
        modality: [i for i in items if i.Modality == modality]
        for modality in ("RTDOSE", "RTPLAN", "RTSTRUCT")
    }
    for dose in of["RTDOSE"]:
        plans = [by_uid[r.ReferencedSOPInstanceUID] for r in dose.ReferencedRTPlanSequence]
        assert {plan.Modality for plan in plans} == {"RTPLAN"}
    for plan in of["RTPLAN"]:
        (drawn,) = [by_uid[r.ReferencedSOPInstanceUID] for r in plan.ReferencedStructureSetSequence]
        assert drawn.Modality == "RTSTRUCT"
        assert drawn.FrameOfReferenceUID == plan.FrameOfReferenceUID
    for drawn in of["RTSTRUCT"]:
        images = {
            c.ContourImageSequence[0].ReferencedSOPInstanceUID
            for roi in drawn.ROIContourSequence
            for c in roi.ContourSequence
        }
        assert images
        assert {by_uid[uid].Modality for uid in images} == {"CT"}
    frames = {item.FrameOfReferenceUID for item in items if "FrameOfReferenceUID" in item}
    for item in items:
        if item.Modality == "REG":
            assert {part.FrameOfReferenceUID for part in item.RegistrationSequence} <= frames
    series = [
        item.SeriesInstanceUID for item in items if item.Modality.startswith("RT") or item.Modality == "REG"
    ]
    assert len(set(series)) == len(series)


def uids(run: Run) -> dict[str, tuple[str, ...]]:
    """Return the final UIDs that the lock tells, by kind, in order."""
    assert run.built.lock is not None
    return {kind: tuple(row.uid for row in rows) for kind, rows in run.built.lock.uids.items()}


def test_images_have_base_uids_and_rt_objects_others_as_the_lock_says(built: Callable[[str], Run]) -> None:
    run = built("two-phases")
    told = {uid for row in uids(run).values() for uid in row}
    for role, original, data in pairs(run):
        before, after = pydicom.dcmread(original), pydicom.dcmread(io.BytesIO(data))
        base = run.names.base_uid(before.SOPInstanceUID)
        if role.partition(":")[0] in RT:
            assert after.SOPInstanceUID != base
            assert after.SOPInstanceUID in told
        else:
            assert after.SOPInstanceUID == base
            assert after.SeriesInstanceUID == run.names.base_uid(before.SeriesInstanceUID)
        assert after.StudyInstanceUID == run.names.base_uid(before.StudyInstanceUID)


def changed(folder: Path, change: Callable[[synthetic.SyntheticPatient], None], **order: Any) -> Run:
    """Build the single-phase patient after ``change``, as the phantom's trial, which asks for least."""
    variant = build_case.named(order.pop("variant", "phantom"))
    patient = variant.patient()
    change(patient)
    manifest = order.pop("manifest", variant.manifest)
    return build_case.run(build_case.Variant("changed", manifest, {}), folder, patient, **order)


def differing(one: Run, other: Run) -> set[str]:
    first, second = uids(one), uids(other)
    assert first.keys() == second.keys()
    return {kind for kind in first if first[kind] != second[kind]}


def edit_plan(patient: synthetic.SyntheticPatient) -> None:
    patient.objects["plan"].BeamSequence[0].BeamName = "Arc 1 again"


def edit_structures(patient: synthetic.SyntheticPatient) -> None:
    contour = patient.objects["structure_set"].ROIContourSequence[0].ContourSequence[0]
    contour.ContourData = [*list(contour.ContourData)[:-1], "1.5"]


def edit_dose(patient: synthetic.SyntheticPatient) -> None:
    patient.objects["dose"].DoseGridScaling = "0.00123"


def edit_comment(patient: synthetic.SyntheticPatient) -> None:
    patient.objects["plan"].RTPlanDescription = "nothing of this leaves"


def edit_image(patient: synthetic.SyntheticPatient) -> None:
    patient.objects["ct/001"].RescaleIntercept = "-1000"


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (edit_dose, {"dose"}),
        (edit_plan, {"plan", "dose"}),
        (edit_structures, {"structure_set", "plan", "dose"}),
        (edit_comment, set()),
        (edit_image, set()),
    ],
)
def test_a_change_gives_new_uids_to_what_it_touches_and_no_more(
    edit: Callable[[synthetic.SyntheticPatient], None],
    expected: set[str],
    built: Callable[[str], Run],
    tmp_path: Path,
) -> None:
    assert differing(built("phantom"), changed(tmp_path, edit)) == expected


def test_a_renamed_structure_changes_all_that_stand_on_it(
    built: Callable[[str], Run], tmp_path: Path
) -> None:
    renamed = build_case.named("phantom").manifest + "structures: {CTVp: prostate}\n"
    run = changed(tmp_path, lambda _: None, manifest=renamed)
    assert differing(built("phantom"), run) == {"structure_set", "plan", "dose"}
    drawn = by_role(run)["structure_set"]
    assert "CTVp" in [roi.ROIName for roi in drawn.StructureSetROISequence]


def test_references_in_a_circle_are_settled_and_resolve(tmp_path: Path) -> None:
    def close(patient: synthetic.SyntheticPatient) -> None:
        plan, dose = patient.objects["plan"], patient.objects["dose"]
        back = pydicom.Dataset()
        back.ReferencedSOPClassUID, back.ReferencedSOPInstanceUID = dose.SOPClassUID, dose.SOPInstanceUID
        plan.ReferencedDoseSequence = pydicom.Sequence([back])

    run = changed(tmp_path, close)
    sent = by_role(run)
    plan, dose = sent["plan"], sent["dose"]
    assert plan.ReferencedDoseSequence[0].ReferencedSOPInstanceUID == dose.SOPInstanceUID
    assert dose.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID == plan.SOPInstanceUID


def test_references_outside_take_the_uid_of_the_previous_lock(
    built: Callable[[str], Run], tmp_path: Path
) -> None:
    """A second package that refers to a plan which only the first held."""
    first = built("phantom")
    assert first.built.lock is not None
    predecessor = copy.deepcopy(first.patient.objects["plan"])

    def succeed(patient: synthetic.SyntheticPatient) -> None:
        plan = patient.objects["plan"]
        plan.SOPInstanceUID = predecessor.SOPInstanceUID + ".2"
        patient.objects["dose"].ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID = plan.SOPInstanceUID
        back = pydicom.Dataset()
        back.ReferencedSOPClassUID = predecessor.SOPClassUID
        back.ReferencedSOPInstanceUID = predecessor.SOPInstanceUID
        back.RTPlanRelationship = "PREDECESSOR"
        plan.ReferencedRTPlanSequence = pydicom.Sequence([back])

    base = first.names.base_uid(predecessor.SOPInstanceUID)
    for previous, expected in ((None, base), (first.built.lock, uids(first)["plan"][0])):
        run = changed(tmp_path / str(previous is None), succeed, previous=previous)
        assert by_role(run)["plan"].ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID == expected
    assert expected != base


# --- the package as others read it -------------------------------------------------------------------------


@pytest.mark.parametrize("name", build_case.NAMES)
def test_bagit_accepts_the_extracted_folder(name: str, built: Callable[[str], Run], tmp_path: Path) -> None:
    bagit = pytest.importorskip("bagit")
    with zipfile.ZipFile(built(name).package) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    assert bagit.Bag(str(folder)).validate()


def test_plain_unzip_accepts_the_package(built: Callable[[str], Run]) -> None:
    unzip = shutil.which("unzip")
    if unzip is None:
        pytest.skip("unzip is not installed")
    done = subprocess.run(
        [unzip, "-t", str(built("prostate").package)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "No errors detected" in done.stdout


def test_every_file_of_the_source_is_accounted_for(built: Callable[[str], Run]) -> None:
    run = built("prostate")
    sources = sorted(hashlib.sha256(p.read_bytes()).hexdigest() for p in run.patient.paths.values())
    account = json.loads((run.order.output / ACCOUNT).read_bytes())
    assert sorted(row["source"] for row in account["files"]) == sources
    fates = {row["fate"] for row in account["files"]}
    assert fates >= {"used", "not selected", "DICOMDIR", "not DICOM"}
    form = hashlib.sha256(run.patient.extras["forms/PAF.xlsx"]).hexdigest()
    assert {row["fate"] for row in account["files"] if row["source"] == form} == {"used"}


def test_the_build_leaves_package_report_and_account_only(built: Callable[[str], Run]) -> None:
    run = built("prostate")
    assert {p.name for p in run.order.output.iterdir()} == {run.package.name, REPORT, ACCOUNT}


# --- what forbids a package --------------------------------------------------------------------------------


def codes(run: Run) -> set[str]:
    return {d.code for d in run.built.diagnostics if d.fatal}


def test_an_error_of_the_checks_still_gives_package_and_lock(built: Callable[[str], Run]) -> None:
    run = built("prostate")
    assert codes(run) == {"D204"}
    assert run.built.lock is not None
    assert "D204" in dump(run.built.lock)


def test_without_the_plan_there_is_no_package_and_nothing_is_left(tmp_path: Path) -> None:
    def lose(patient: synthetic.SyntheticPatient) -> None:
        for key in ("plan", "plan/rejected"):
            del patient.objects[key]

    run = changed(tmp_path, lose)
    assert any(code.startswith("R") for code in codes(run))
    assert run.built.lock is None
    assert run.built.package is None
    assert {p.name for p in run.order.output.iterdir()} == {REPORT, ACCOUNT}


def test_a_submission_named_after_the_patient_is_not_built(tmp_path: Path) -> None:
    """The folder's name enters Git as the manifest does."""
    name = f"submissions/{synthetic.INVENTED.name.partition('^')[0]}-1/manifest.yaml"
    run = changed(tmp_path, lambda _: None, committed={name: b"manifest: 1\n"})
    assert "A100" in codes(run)
    assert run.built.lock is None


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_document_that_lies_elsewhere_is_a_finding(tmp_path: Path) -> None:
    run = build_case.run(build_case.named("prostate"), tmp_path)
    assert run.built.lock is not None
    (form,) = run.order.source.rglob("*.xlsx")
    form.rename(tmp_path / "elsewhere.xlsx")
    form.symlink_to(tmp_path / "elsewhere.xlsx")
    again = build(run.order)
    assert "R005" in {d.code for d in again.diagnostics if d.fatal}
    assert again.lock is None


def lose_form(patient: synthetic.SyntheticPatient) -> None:
    del patient.extras["forms/PAF.xlsx"]


def test_a_missing_document_is_a_finding_with_its_line(tmp_path: Path) -> None:
    run = changed(tmp_path, lose_form, variant="prostate")
    (found,) = [d for d in run.built.diagnostics if d.code == "R005"]
    assert (found.where.file, found.subject) == ("manifest.yaml", "plan_assessment_form")
    assert found.where.line
    assert run.built.package is None


def test_a_damaged_file_of_the_source_is_a_finding_and_forbids_the_package(tmp_path: Path) -> None:
    variant = build_case.named("prostate")
    saved = synthetic.save(variant.patient(), tmp_path / "exports")
    path = saved.paths["ct/003"]
    path.write_bytes(path.read_bytes()[:-7])
    built = build(variant.order(saved, tmp_path / "exports", tmp_path / "out"))
    (found,) = [d for d in built.diagnostics if d.code == "A005"]
    assert found.hint
    assert saved.paths["ct/003"].name not in found.message + found.hint
    assert built.package is None


def test_slices_that_are_refused_are_one_finding_that_names_each_file(tmp_path: Path) -> None:
    variant = build_case.named("phantom")
    patient = variant.patient()
    for key in ("ct/002", "ct/005"):
        patient.objects[key].add_new(0x60000102, "US", 15)  # an overlay in a bit of the pixels
    run = build_case.run(variant, tmp_path, patient)
    (found,) = (one for one in run.built.diagnostics if one.code == "A003")
    assert [line.rpartition("/")[2][:6] for line in found.local.splitlines()] == ["CT.002", "CT.005"]
    assert run.built.lock is None


def test_a_source_that_changes_during_the_build_is_an_operational_error(tmp_path: Path) -> None:
    variant = build_case.named("phantom")
    saved = synthetic.save(variant.patient(), tmp_path / "exports")
    wanted = variant.order(saved, tmp_path / "exports", tmp_path / "out")

    def meddle(step: str) -> None:
        if step.startswith("pseudonymising"):
            path = saved.paths["ct/003"]
            path.write_bytes(path.read_bytes()[:-1] + b"\1")

    with pytest.raises(RttqaError, match="changed during the build"):
        build(wanted, meddle)
    assert not list((tmp_path / "out").rglob("*.zip"))


def test_without_keep_nothing_stays(tmp_path: Path) -> None:
    run = changed(tmp_path, lambda _: None, keep=False)
    assert run.built.lock is not None
    assert run.built.package is None
    assert not list(run.order.output.iterdir())


def test_what_a_killed_build_left_is_swept(tmp_path: Path) -> None:
    left = tmp_path / "build" / ".staging" / "half.zip"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"PK")
    run = changed(tmp_path, lambda _: None)
    assert run.package.is_file()
    assert not left.parent.exists()


def test_a_missing_clinical_file_is_a_finding(tmp_path: Path) -> None:
    text = (
        build_case.PHANTOM.replace("example-phantom", "example-prostate")
        + "clinical: {file: clinical.yaml}\n"
    )
    document, _ = parse_yaml(text.encode(), "manifest.yaml")
    assert document is not None
    here = Workspace(tmp_path, build_case.settings(), {}, Library())
    told = here.clinical(Manifest.from_document(document), tmp_path / "exports" / "EP-0123")
    (found,) = told.diagnostics
    assert (found.code, found.where.file, found.where.line) == ("R006", "manifest.yaml", 5)
    assert found.hint


# --- by another program's judgement ------------------------------------------------------------------------


def complaints(program: str, data: bytes, path: Path) -> set[str]:
    """Return dciodvfy's errors about a file; ``abort`` where it gives up (as on 32-bit doses)."""
    path.write_bytes(data)
    done = subprocess.run([program, str(path)], capture_output=True, check=False)
    lines = (done.stderr + done.stdout).decode("utf-8", "replace").splitlines()
    found = {re.sub(r"[<\[].*", "", line).strip() for line in lines if line.startswith("Error")}
    return found | ({"abort"} if done.returncode < 0 else set())


def test_dciodvfy_finds_no_error_that_the_original_did_not_have(
    built: Callable[[str], Run], tmp_path: Path
) -> None:
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy is not installed")
    seen = set()
    for role, original, data in pairs(built("prostate")):
        if role not in seen:
            seen.add(role)
            before = complaints(program, original.read_bytes(), tmp_path / "before.dcm")
            assert complaints(program, data, tmp_path / "after.dcm") <= before, role
    assert seen == {"planning_image", "structure_set", "plan", "dose", "registration", "diagnostic_mr"}
