from __future__ import annotations

import io

import pydicom
import pytest

from rttqa_build.deidentify.elements import Encoding
from rttqa_build.deidentify.marks import IMPLEMENTATION_CLASS_UID, PROFILE, Marks, file_meta

EXPLICIT = Encoding(True, True)
FULL = Marks("EP-0123", "trial", "The Trial", "Sponsor", "RXX", "Centre")
ENCODINGS = [
    (EXPLICIT, "1.2.840.10008.1.2.1"),
    (Encoding(False, True), "1.2.840.10008.1.2"),
    (Encoding(True, False), "1.2.840.10008.1.2.2"),
]


def read(marks: Marks, encoding: Encoding = EXPLICIT, syntax: str = ENCODINGS[0][1]) -> pydicom.Dataset:
    data = file_meta(b"1.2.3", b"2.25.1", syntax) + b"".join(marks.elements(encoding).values())
    return pydicom.dcmread(io.BytesIO(data))


@pytest.mark.parametrize(("encoding", "syntax"), ENCODINGS)
def test_marks_are_read_back_in_every_encoding(encoding: Encoding, syntax: str) -> None:
    found = read(FULL, encoding, syntax)
    assert found.file_meta.TransferSyntaxUID == syntax
    assert (found.PatientName, found.PatientID, found.ClinicalTrialSubjectID) == ("EP-0123",) * 3
    assert (found.ClinicalTrialSponsorName, found.ClinicalTrialProtocolID) == ("Sponsor", "trial")
    assert (found.ClinicalTrialSiteID, found.ClinicalTrialSiteName) == ("RXX", "Centre")
    assert (found.PatientIdentityRemoved, found.DeidentificationMethod) == ("YES", PROFILE)
    assert [e.tag for e in found] == sorted(e.tag for e in found)


@pytest.mark.parametrize(
    ("shifted", "patient", "codes", "word"),
    [
        (True, False, ["113100", "113105", "113107"], "MODIFIED"),
        (False, False, ["113100", "113105"], "REMOVED"),
        (True, True, ["113100", "113105", "113107", "113108"], "MODIFIED"),
    ],
)
def test_codes_say_which_options_were_used(
    codes: list[str], word: str, *, shifted: bool, patient: bool
) -> None:
    found = read(Marks("1", "t", "T", "", "R", "C", shifted, patient))
    assert [row.CodeValue for row in found.DeidentificationMethodCodeSequence] == codes
    assert {row.CodingSchemeDesignator for row in found.DeidentificationMethodCodeSequence} == {"DCM"}
    assert found.LongitudinalTemporalInformationModified == word


def test_long_and_accented_names_fit_every_character_set() -> None:
    found = read(Marks("1", "t", "Ü" * 80, "", "R", "Back\\slash"))
    assert found.ClinicalTrialProtocolName == "?" * 64
    assert found.ClinicalTrialSiteName == "Back/slash"
    assert found.ClinicalTrialSponsorName == "t"  # type 1: the trial's id where no sponsor is known


def test_file_meta_says_nothing_of_tool_version_or_sender() -> None:
    data = file_meta(b"1.2.3", b"2.25.1", "1.2.840.10008.1.2.1")
    assert data[:128] == bytes(128)
    meta = pydicom.dcmread(io.BytesIO(data + b"".join(FULL.elements(EXPLICIT).values()))).file_meta
    assert meta.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert meta.ImplementationVersionName == PROFILE
    assert {e.tag.element for e in meta} == {0, 1, 2, 3, 0x10, 0x12, 0x13}
    assert meta.FileMetaInformationGroupLength == len(data) - 144
