"""Free text in the originals: what it calls a name or a number is harvested, what it only says is not."""

from __future__ import annotations

import io

import pydicom
import pytest
from pydicom.datadict import tag_for_keyword

from rttqa_build.deidentify.elements import Leaf
from rttqa_build.deidentify.engine import pseudonymise
from rttqa_build.deidentify.identity import Fact, Kind, Who, harvest, may_identify
from rttqa_build.deidentify.job import Job, ObjectPlan
from rttqa_build.deidentify.marks import Marks
from rttqa_build.deidentify.policy import compile_policy
from rttqa_build.deidentify.remarks import births, is_personal, told
from rttqa_build.deidentify.stream import parse

NAMES = {
    "née Hargreaves": "Hargreaves",
    "NEE HARGREAVES, LIVES ALONE": "HARGREAVES",
    "maiden name: Smith-Jones": "Smith-Jones",
    "Surname is O'Brien": "O'Brien",
    "NOK: Jane Hargreaves (sister)": "Jane^Hargreaves",
    "NOK: JANE INFORMED": "JANE",
    "Next of kin = Margaret": "Margaret",
    "deaf. Known as Maggie": "Maggie",
    "prefers to be called Maggie; deaf": "Maggie",
    "Pt known as \u201cMaggie\u201d": "Maggie",
    "aka Maggie Hargreaves": "Maggie^Hargreaves",
    "preferred name: Rose Hargreaves": "Hargreaves",
}


@pytest.mark.parametrize("text", NAMES)
def test_a_name_that_is_called_one(text: str) -> None:
    assert told(text.encode(), ()) == ((NAMES[text],), ())


NUMBERS = {
    "NHS 943 476 5919": "9434765919",
    "943-476-5919 (old)": "9434765919",
    "see 9434765919.": "9434765919",
    "MRN 1234567": "1234567",
    "Hosp no. RXX123456": "RXX123456",
    "HOSPITAL NUMBER: A12345": "A12345",
    "unit no 12345": "12345",
}


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_that_is_called_one(text: str) -> None:
    assert told(text.encode(), ()) == ((), (NUMBERS[text],))


@pytest.mark.parametrize(
    "text",
    [
        "Mother BRCA2, father Parkinsons", "known as Paget's disease", "Patient known as Hartmann procedure",
        "a lesion known as Paget", "also known as Gleason", "knee Replacement", "NOK aware", "NOK: REFUSED",
        "next of kin informed", "NEXT OF KIN: NOT GIVEN", "Known as Test Patient", "last name changed",
        "surname: unknown", "née le 12", "he was called Monday", "Smokes. Called GP", "Known as: Bolus",
        "Lives in Ashby Wold", "seen by Mr Okonkwo", "60 Gy in 30, 943 476 5910", "NHS 943 476 5910",
        "1.9434765919", "Allergic to Penicillin", "19434765919", "tel 01132432799", "case 12",
        "patient 12345", "Hosp no 123",
    ],
)  # fmt: skip
def test_what_is_only_said_is_no_identity(text: str) -> None:
    assert told(text.encode(), ()) == ((), ())


def facts(keyword: str, text: str, codec: str = "utf_8", charset: str = "ISO_IR 192") -> set[Fact]:
    """Return what is harvested of an attribute, in an object of a character set, at any depth."""
    tag = tag_for_keyword(keyword) or 0
    leaves = [
        Leaf(0x00080005, "CS", charset.encode(), ()),
        Leaf(tag, "LT", text.encode(codec), (0x00400275,)),
    ]
    wanted = harvest(leaf for leaf in leaves if may_identify(leaf.tag, leaf.vr))
    assert wanted == harvest(leaves)
    return set(wanted.facts)


@pytest.mark.parametrize("keyword", ["PatientComments", "AdditionalPatientHistory", "ImageComments"])
def test_comments_are_harvested(keyword: str) -> None:
    assert facts(keyword, "née Okonkwo, NHS 943 476 5919") == {
        Fact(Who.PATIENT, Kind.NAME, b"Okonkwo"),
        Fact(Who.PATIENT, Kind.NUMBER, b"9434765919"),
    }


def test_comments_in_other_character_sets() -> None:
    found = facts("PatientComments", "surname: Łukasiewicz", "iso8859_2", "ISO_IR 101")
    assert "Łukasiewicz" in {fact.value.decode() for fact in found}


def test_labels_are_not_read_as_comments() -> None:
    assert facts("SeriesDescription", "née Okonkwo, NHS 943 476 5919") == set()


def test_an_endless_comment_is_read_in_part() -> None:
    assert told(b"x" * 10_000_000 + b" MRN 1234567", ()) == ((), ())


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("DOB 07/03/1951", "19510307"), ("d.o.b. 7.3.51", "19510307"), ("born 7 March 1951", "19510307"),
        ("Date of birth: 1951-03-07", "19510307"), ("deaf; DOB:19510307", "19510307"),
        ("born on 07/03/2019", "20190307"), ("BIRTH DATE = 07MAR1951", "19510307"),
    ],
)  # fmt: skip
def test_a_birth_date_that_is_called_one(text: str, day: str) -> None:
    assert births(text.encode(), ()) == (day,)
    assert facts("PatientComments", text) == {Fact(Who.PATIENT, Kind.BIRTH_DATE, day.encode())}


@pytest.mark.parametrize("text", ["scanned 07/03/1951", "DOB", "stillborn 3", "born in 1951", "DOB unknown"])
def test_other_dates_are_no_birth_dates(text: str) -> None:
    assert births(text.encode(), ()) == ()


# what nothing else in an export tells whose it is, because the planning system wrote the trial ID there
PERSONAL = (
    "NHS 9434765919|943 476 5919 ring|MRN J1234567|Surname: Okonkwo|née Okonkwo|DOB 07/03/51|dob070351|"
    "born 7 March 1951|Mrs Okonkwo PTV|Mr. J. Okonkwo|PTV Dr O'Neil|Miss Okonkwo|MISS OKONKWO|MRN1234567"
)
HARMLESS = (
    "MR Scan|Mr|Mrs Plan|Dr. Contour|Prof. Margin|MRS Naa|Ms Lung|MS plaque|Miss|943 476 5910|PTV 1234567890|"
    "SIB 6000 4600|patient 1|Case 3|Plan no 12|PTV 07/03/2024|CHI PTV|DRR Dr Brain|LAO 30|Unit 3|reborn 3|"
    "Mr Simulation|Mr Oedema|Mx Flap|Post Mx Recon|NEAR MISS PLAN"
)


def beam_name(text: str) -> str:
    """Return what becomes of the name of a beam in an export where nobody is named."""
    item = pydicom.Dataset()
    item.SpecificCharacterSet, item.BeamName = "ISO_IR 100", text
    item.SOPClassUID, item.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.481.5", "1.2.3.4"
    out = io.BytesIO()
    pydicom.dcmwrite(out, item, implicit_vr=False, little_endian=True)
    job = Job(
        compile_policy(),
        Marks("EP-0123", "example", "Example", "", "RXX", "Example Cancer Centre"),
        100,
        lambda uid: f"2.25.{sum(uid)}",
        frozenset({b"1.2.840.10008.1.2.1"}),
        lambda _: False,
    )
    data = pseudonymise(parse(out.getvalue()), job, ObjectPlan()).data
    return str(pydicom.dcmread(io.BytesIO(data), force=True).BeamName)


@pytest.mark.parametrize("text", PERSONAL.split("|"))
def test_a_label_that_says_itself_whose_it_is_goes(text: str) -> None:
    assert is_personal(text.encode("latin_1"), ("ISO_IR 100",))
    assert beam_name(text) == "BEAM"


@pytest.mark.parametrize("text", HARMLESS.split("|"))
def test_other_labels_stay(text: str) -> None:
    assert beam_name(text) == text
