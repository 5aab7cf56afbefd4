"""``pseudonymise``: a whole folder through the engine, all or nothing."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import build_case
import pydicom
import pytest
from pydicom.uid import UID
from test_no_identity import ENCODED, uids_in

from rttqa_build import synthetic
from rttqa_build.diagnostic import RttqaError, UsageError
from rttqa_build.export import _leave, export

if TYPE_CHECKING:
    from rttqa_build.stages.order import Order
    from rttqa_build.synthetic import SyntheticPatient


def silent(_: str) -> None:
    pass


def prepared(folder: Path) -> tuple[SyntheticPatient, Order]:
    variant = build_case.named("phantom")
    saved = synthetic.save(variant.patient(), folder / "in")
    return saved, variant.order(saved, folder / "in", folder / "out")


def test_every_object_is_pseudonymised_and_nothing_names_anyone(tmp_path: Path) -> None:
    saved, order = prepared(tmp_path)
    made = export(order, silent)
    count, found = made.count, made.diagnostics
    assert [d for d in found if d.fatal] == []
    objects = sorted((tmp_path / "out").rglob("*.dcm"))
    assert count == len(objects) == len(saved.objects)
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not [needle for needle in ENCODED if needle in data.lower()], path.name
            assert not uids_in(data, saved.original_uids()), path.name
    assert {str(pydicom.dcmread(path).PatientID) for path in objects} == {"PHANTOM-1"}


def test_a_label_in_the_character_set_of_another_object_is_cleaned(tmp_path: Path) -> None:
    saved, order = prepared(tmp_path)
    name, label = "길동".encode("euc_kr"), b"1234"
    image, plan = saved.paths["ct/001"], saved.paths["plan"]
    item = pydicom.dcmread(image)
    item.SpecificCharacterSet, item.OtherPatientNames = "ISO 2022 IR 149", "길동"
    item.save_as(image)
    item = pydicom.dcmread(plan)
    item.RTPlanLabel = f"arc {label.decode()}"
    item.save_as(plan)
    plan.write_bytes(plan.read_bytes().replace(label, name))
    assert [d for d in export(order, silent).diagnostics if d.fatal] == []
    plans = [p for p in (tmp_path / "out").rglob("*.dcm") if pydicom.dcmread(p).Modality == "RTPLAN"]
    assert "PLAN" in {pydicom.dcmread(p).RTPlanLabel for p in plans}
    assert not [p for p in plans if name in p.read_bytes()]


def test_references_agree_within_the_folder(tmp_path: Path) -> None:
    _, order = prepared(tmp_path)
    export(order, silent)
    items = [pydicom.dcmread(io.BytesIO(p.read_bytes())) for p in (tmp_path / "out").rglob("*.dcm")]
    by_uid = {item.SOPInstanceUID: item for item in items}
    for item in items:
        if item.Modality == "RTDOSE":
            assert by_uid[item.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID].Modality == "RTPLAN"
        if item.Modality == "RTPLAN":
            reference = item.ReferencedStructureSetSequence[0].ReferencedSOPInstanceUID
            assert by_uid[reference].Modality == "RTSTRUCT"


def test_a_damaged_file_forbids_all_and_leaves_nothing(tmp_path: Path) -> None:
    saved, order = prepared(tmp_path)
    path = saved.paths["ct/002"]
    path.write_bytes(path.read_bytes()[:-5])
    made = export(order, silent)
    count, found = made.count, made.diagnostics
    assert count == 0
    assert "A005" in {d.code for d in found}
    assert {p.name for p in tmp_path.iterdir()} == {"in"}


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    _, order = prepared(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("precious", "utf-8")
    with pytest.raises(UsageError):
        export(order, silent)
    assert (tmp_path / "out" / "mine.txt").read_text("utf-8") == "precious"


def test_two_contents_under_one_uid_are_refused(tmp_path: Path) -> None:
    saved, order = prepared(tmp_path)
    twin = pydicom.dcmread(saved.paths["plan"])
    twin.RTPlanLabel = "another"
    twin.save_as(tmp_path / "in" / "twin.dcm")
    made = export(replace(order), silent)
    count, found = made.count, made.diagnostics
    assert (count, {d.code for d in found if d.fatal}) == (0, {"R501"})


def test_every_file_is_accounted_for_beside_the_folder(tmp_path: Path) -> None:
    saved, order = prepared(tmp_path)
    image = pydicom.dcmread(saved.paths["ct/001"])
    image.BurnedInAnnotation, image.SOPInstanceUID = "YES", "1.2.3.4.5"
    image.save_as(tmp_path / "in" / "burned.dcm")
    made = export(order, silent)
    assert made.count == len(saved.objects)
    assert [fate.file.path for fate in made.left_out if fate.detail] == ["burned.dcm"]
    told = json.loads((tmp_path / "out.deidentification.json").read_bytes())
    files = [path for path in (tmp_path / "in").rglob("*") if path.is_file()]
    assert sorted(row["source"] for row in told["files"]) == sorted(
        hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    )
    paths = {row["path"] for row in told["files"] if row["fate"] == "used"}
    assert paths == {path.name for path in (tmp_path / "out").iterdir()}
    assert {row["fate"] for row in told["files"]} >= {"used", "refused"}


def test_what_was_pseudonymised_once_can_be_again(tmp_path: Path) -> None:
    """A case of one centre is another's source: the words that stand for names name nobody."""
    _, order = prepared(tmp_path)
    first = export(order, silent)
    again = export(replace(order, source=tmp_path / "out", output=tmp_path / "again"), silent)
    assert again.diagnostics == ()
    assert again.count == first.count
    one, two = (pydicom.dcmread(tmp_path / folder / "CT_0001.dcm") for folder in ("out", "again"))
    assert one.SOPInstanceUID != two.SOPInstanceUID
    assert one.PatientID == two.PatientID


def test_classes_that_no_trial_asks_for_are_left_out(tmp_path: Path) -> None:
    """Ultrasound shows names in its pixels and says nothing of it; raw data hold anything."""
    saved, order = prepared(tmp_path)
    classes = {"ultrasound": "6.1", "fluoroscopy": "12.1", "raw": "66", "record": "481.4", "private": ""}
    for number, (name, suffix) in enumerate(classes.items()):
        image = pydicom.dcmread(saved.paths["ct/001"])
        known = f"1.2.840.10008.5.1.4.1.1.{suffix}" if suffix else "1.3.12.2.1107.5.9.1"
        image.SOPClassUID, image.SOPInstanceUID = UID(known), UID(f"1.2.3.4.{number}")
        image.save_as(tmp_path / "in" / f"{name}.dcm")
    made = export(order, silent)
    assert made.count == len(saved.objects)
    assert {fate.file.path for fate in made.left_out if fate.detail} == {f"{name}.dcm" for name in classes}


@pytest.mark.parametrize("part", ["BRAIN", "PELVIS"])
def test_a_face_is_told(part: str, tmp_path: Path) -> None:
    saved, order = prepared(tmp_path)
    for key, path in saved.paths.items():
        if key.startswith("ct/"):
            image = pydicom.dcmread(path)
            image.BodyPartExamined = part
            image.save_as(path)
    made = export(order, silent)
    assert made.count == len(saved.objects)
    assert [d.code for d in made.diagnostics if d.code == "A008"] == (["A008"] if part == "BRAIN" else [])


def test_the_account_does_not_repeat_the_name_of_the_folder(tmp_path: Path) -> None:
    """People name folders after patients."""
    _, order = prepared(tmp_path)
    export(replace(order, output=tmp_path / "Hargreaves 1951"), silent)
    (account,) = tmp_path.glob("*.deidentification.json")
    assert json.loads(account.read_bytes())["package"] == "PHANTOM-1"
    assert b"hargreaves" not in account.read_bytes().lower()


def test_two_patients_never_become_one(tmp_path: Path) -> None:
    saved, order = prepared(tmp_path)
    for path in (tmp_path / "in").rglob("*"):
        if path == saved.paths["plan"]:
            other = pydicom.dcmread(path)
            other.PatientID, other.PatientName, other.PatientBirthDate = "Z9", "Q^R", "19300101"
            other.OtherPatientIDs = ""
            del other.OtherPatientIDsSequence
            other.save_as(path)
    made = export(order, silent)
    assert (made.count, {d.code for d in made.diagnostics if d.fatal}) == (0, {"R301"})
    assert {p.name for p in tmp_path.iterdir()} == {"in"}


def test_when_the_folder_cannot_appear_nothing_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, order = prepared(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "full")

    monkeypatch.setattr(type(tmp_path), "rename", full)
    with pytest.raises(RttqaError, match="full"):
        export(order, silent)
    assert {p.name for p in tmp_path.iterdir()} == {"in"}


def test_two_runs_never_write_one_folder(tmp_path: Path) -> None:
    """They would mix two patients in it."""
    _, order = prepared(tmp_path)
    told: list[str] = []

    def second(_: str) -> None:
        if not told:
            with pytest.raises(UsageError) as caught:
                export(order, silent)
            told.append(caught.value.message)

    made = export(order, second)
    assert made.count
    assert told == ["another run is writing this output folder"]
    assert {p.name for p in tmp_path.iterdir()} == {"in", "out", "out.deidentification.json"}


def test_what_a_killed_run_left_is_no_part_of_the_next(tmp_path: Path) -> None:
    _, order = prepared(tmp_path)
    left = tmp_path / ".out.part" / "objects" / "CT_9999.dcm"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"of another patient")
    made = export(order, silent)
    assert len(list((tmp_path / "out").iterdir())) == made.count
    assert not left.parent.parent.exists()


def test_a_full_disk_is_told_and_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, order = prepared(tmp_path)
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "MR_0002.dcm":
            raise OSError(28, "full")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RttqaError, match="output folder"):
        export(order, silent)
    assert {p.name for p in tmp_path.iterdir()} == {"in"}


def test_a_folder_without_objects_is_told(tmp_path: Path) -> None:
    _, order = prepared(tmp_path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("x", "utf-8")
    with pytest.raises(UsageError, match="no object"):
        export(replace(order, source=tmp_path / "notes"), silent)
    assert not (tmp_path / "out").exists()


DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.mark.parametrize("name", ["eclipse_phantom", "gammaplan_srs", "monaco_vmat"])
def test_real_exports_raise_no_false_alarm(name: str, tmp_path: Path) -> None:
    """Whole exports of planning systems go through the residue proof; what stands in them stays out."""
    if not (DATA / name).is_dir():
        pytest.skip(f"the export {name} is not here")
    order = build_case.order(build_case.PHANTOM, DATA / name, tmp_path / "out")
    made = export(order, silent)
    assert [(d.code, d.where.item) for d in made.diagnostics if d.code.startswith("A1") and d.fatal] == []
    assert made.count or {d.code for d in made.diagnostics if d.fatal} <= {"R301", "R501", "A002"}


def test_folders_that_were_missing_stay_only_with_what_is_in_them(tmp_path: Path) -> None:
    saved, order = prepared(tmp_path)
    order = replace(order, output=tmp_path / "some" / "where" / "out")
    whole = saved.paths["plan"].read_bytes()
    saved.paths["plan"].write_bytes(whole[:-9])
    assert not export(order, silent).count
    assert {p.name for p in tmp_path.iterdir()} == {"in"}
    saved.paths["plan"].write_bytes(whole)
    assert export(order, silent).count
    assert {p.name for p in (tmp_path / "some" / "where").iterdir()} == {"out", "out.deidentification.json"}


def test_what_the_next_run_has_begun_is_left_to_it(tmp_path: Path) -> None:
    part = tmp_path / ".out.part"
    (part / "objects").mkdir(parents=True)
    (part / "running").touch()
    (part / "objects" / "CT_0001.dcm").write_bytes(b"of the next run")
    _leave(part)
    assert [path.name for path in part.rglob("*.dcm")] == ["CT_0001.dcm"]
