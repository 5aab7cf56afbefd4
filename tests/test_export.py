"""``pseudonymise``: a whole folder through the engine, all or nothing."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import build_case
import pydicom
import pytest
from test_no_identity import ENCODED, uids_in

from rttqa_build import synthetic
from rttqa_build.diagnostic import UsageError
from rttqa_build.export import export

if TYPE_CHECKING:
    from pathlib import Path

    from rttqa_build.order import Order
    from rttqa_build.synthetic import SyntheticPatient


def silent(_: str) -> None:
    pass


def prepared(folder: Path) -> tuple[SyntheticPatient, Order]:
    variant = build_case.named("phantom")
    saved = synthetic.save(variant.patient(), folder / "in")
    return saved, variant.order(saved, folder / "in", folder / "out")


def test_every_object_is_pseudonymised_and_nothing_names_anyone(tmp_path: Path) -> None:
    saved, order = prepared(tmp_path)
    count, found = export(order, silent)
    assert [d for d in found if d.fatal] == []
    objects = sorted((tmp_path / "out").rglob("*.dcm"))
    assert count == len(objects) == len(saved.objects)
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not [needle for needle in ENCODED if needle in data.lower()], path.name
            assert not uids_in(data, saved.original_uids()), path.name
    assert {str(pydicom.dcmread(path).PatientID) for path in objects} == {"PHANTOM-1"}


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
    count, found = export(order, silent)
    assert count == 0
    assert "A002" in {d.code for d in found}
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
    count, found = export(replace(order), silent)
    assert (count, {d.code for d in found if d.fatal}) == (0, {"R501"})
