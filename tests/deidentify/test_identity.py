from __future__ import annotations

import io
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from rttqa_build.deidentify import stream
from rttqa_build.deidentify.elements import Leaf, walk
from rttqa_build.deidentify.identity import (
    Fact,
    Harvest,
    Kind,
    Who,
    harvest,
    harvest_names,
    may_identify,
    merged,
)

CT = "1.2.840.10008.5.1.4.1.1.2"


def dataset(**elements: object) -> Dataset:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = UID(CT), UID("1.2.826.0.1.99")
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def leaves(ds: Dataset) -> list[Leaf]:
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = UID(CT), ds.SOPInstanceUID
    out = io.BytesIO()
    pydicom.dcmwrite(out, ds, enforce_file_format=True)
    return list(walk(stream.parse(out.getvalue())))


def facts(ds: Dataset) -> set[tuple[Who, Kind, bytes]]:
    found = leaves(ds)
    whole = harvest(found)
    assert harvest(leaf for leaf in found if may_identify(leaf.tag, leaf.vr)) == whole
    return {fact[:3] for fact in whole.facts}


@pytest.mark.parametrize(
    ("keyword", "value", "who", "kind"),
    [
        ("PatientName", "HARGREAVES^WILHELMINA", Who.PATIENT, Kind.NAME),
        ("PatientMotherBirthName", "Okonkwo", Who.PATIENT, Kind.NAME),
        ("PatientID", "4857766", Who.PATIENT, Kind.NUMBER),
        ("AccessionNumber", "RAD123456", Who.PATIENT, Kind.NUMBER),
        ("StudyID", "77341", Who.PATIENT, Kind.LABEL),
        ("PatientBirthDate", "19490312", Who.PATIENT, Kind.BIRTH_DATE),
        ("PatientAddress", "12 Rose Lane", Who.PATIENT, Kind.ADDRESS),
        ("PatientTelephoneNumbers", "020 7946 0123", Who.PATIENT, Kind.PHONE),
        ("OperatorsName", "Pemberton^J", Who.STAFF, Kind.NAME),
        ("ReviewerName", "Achterberg^K", Who.STAFF, Kind.NAME),
        ("ROIInterpreter", "Nightingale^F", Who.STAFF, Kind.NAME),
        ("InstitutionName", "Velindre Cancer Centre", Who.STAFF, Kind.PLACE),
        ("StationName", "SPDBSARIA001", Who.STAFF, Kind.PLACE),
        ("FrameOfReferenceUID", "1.2.826.0.1.7", Who.UID, Kind.UID),
    ],
)
def test_each_identifying_attribute_is_harvested(keyword: str, value: str, who: Who, kind: Kind) -> None:
    # nested alike
    for ds in (dataset(**{keyword: value}), dataset(RequestAttributesSequence=[dataset(**{keyword: value})])):
        assert (who, kind, value.encode()) in facts(ds)


@pytest.mark.parametrize("keyword", ["SOPClassUID", "ReferencedSOPClassUID", "CodingSchemeUID", "ContextUID"])
def test_uids_that_identify_no_object_are_left_alone(keyword: str) -> None:
    ds = dataset()
    setattr(ds, keyword, "1.2.246.352.70.1.70")
    assert b"1.2.246.352.70.1.70" not in {value for _, _, value in facts(ds)}


def test_registered_uids_are_no_originals() -> None:
    ds = dataset(FrameOfReferenceUID="1.2.840.10008.1.4.1.1")  # Talairach Brain Atlas frame of reference
    assert {value for _, kind, value in facts(ds) if kind is Kind.UID} == {b"1.2.826.0.1.99"}


def test_codes_count_only_where_they_name_people_or_institutions() -> None:
    person = Dataset()
    person.CodeValue, person.CodingSchemeDesignator, person.CodeMeaning = "GMC7123456", "99GMC", "Pemberton"
    harvested = facts(
        dataset(OperatorIdentificationSequence=[_identified(person)], ProcedureCodeSequence=[person])
    )
    assert (Who.STAFF, Kind.PLACE, b"GMC7123456") in harvested
    assert (Who.STAFF, Kind.PLACE, b"GMC7123456") not in facts(dataset(ProcedureCodeSequence=[person]))


def _identified(code: Dataset) -> Dataset:
    item = Dataset()
    item.PersonIdentificationCodeSequence = [code]
    return item


def test_a_private_person_name_is_staff() -> None:
    ds = dataset()
    ds.private_block(0x0011, "ACME", create=True).add_new(1, "PN", "Pemberton^J")
    assert (Who.STAFF, Kind.NAME, b"Pemberton^J") in facts(ds)


def test_the_character_set_travels_with_the_value() -> None:
    ds = dataset(SpecificCharacterSet="ISO_IR 144", PatientName="\u041d\u0438\u043d\u0430")
    found = next(f for f in harvest(leaves(ds)).facts if f.who is Who.PATIENT)
    assert [charset.strip() for charset in found.charsets] == ["ISO_IR 144"]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("CT.1.2.246.352.205.4616549.1135.dcm", {b"1.2.246.352.205.4616549.1135"}),
        ("Hargreaves/4857766/CT1.dcm", {b"Hargreaves", b"4857766"}),
        ("img000123.dcm", set()),  # a counter; three letters
        ("RS_12345.dcm", set()),  # five digits
    ],
)
def test_names_of_files(path: str, values: set[bytes]) -> None:
    assert {fact.value for fact in harvest_names([path]).facts} == values


def test_harvests_merge() -> None:
    one = harvest(leaves(dataset(PatientID="4857766")))
    two = harvest(leaves(dataset(PatientID="943")))
    assert (one | two).facts == one.facts | two.facts == merged([one, two]).facts
    assert merged([]) == Harvest()


def test_nothing_shows_a_value() -> None:
    fact = Fact(Who.PATIENT, Kind.NAME, b"HARGREAVES^WILHELMINA")
    for thing in (fact, Harvest(frozenset({fact})), [fact]):
        assert "HARGREAVES" not in f"{thing!r} {thing}"


def test_the_real_export() -> None:
    folder = Path(__file__).resolve().parents[3] / "shared" / "data" / "eclipse_phantom"
    if not folder.is_dir():
        pytest.skip("the real exports are not here")
    files = sorted(folder.glob("R*.dcm"))
    found = merged(harvest(walk(stream.parse(path.read_bytes()))) for path in files)
    assert {f.value for f in found.facts if (f.who, f.kind) == (Who.PATIENT, Kind.NUMBER)} == {
        b"aria_v136_test"
    }
