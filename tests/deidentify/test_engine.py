from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from rttqa_build.deidentify import engine, stream
from rttqa_build.deidentify.engine import Job, ObjectPlan, pseudonymise, registered_uids
from rttqa_build.deidentify.marks import IMPLEMENTATION_CLASS_UID, Marks
from rttqa_build.deidentify.policy import Action, compile_policy
from rttqa_build.pseudonym import CentreKey, Pseudonyms

if TYPE_CHECKING:
    from rttqa_build.deidentify.policy import Dates

NAMES = Pseudonyms.derive(CentreKey(bytes(range(32))), "example-prostate")
MARKS = Marks("EP-0123", "example-prostate", "Example", "", "RXX", "Example Cancer Centre")
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"


def job(dates: Dates = "shift", identifying: str = "hargreaves") -> Job:
    return Job(
        compile_policy(dates),
        MARKS,
        NAMES.weeks_back("EP-0123"),
        NAMES.base_uid,
        registered_uids(),
        lambda text: identifying in text.lower(),
    )


def dataset(**elements: Any) -> Dataset:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = RTSTRUCT, "1.2.3.4"
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def item(**elements: Any) -> Dataset:
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def write(ds: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    out = io.BytesIO()
    ds.file_meta, ds.preamble = meta, b"NAME IN PREAMBLE".ljust(128)
    pydicom.dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


def run(
    ds: Dataset, plan: ObjectPlan | None = None, syntax: str = ExplicitVRLittleEndian, **options: Any
) -> Dataset:
    result = pseudonymise(stream.parse(write(ds, syntax)), job(**options), plan or ObjectPlan())
    return pydicom.dcmread(io.BytesIO(result.data))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_identity_goes_and_marks_come(syntax: str) -> None:
    before = dataset(
        PatientName="HARGREAVES^W",
        PatientID="H123456",
        PatientBirthDate="19490312",
        PatientSex="M",
        InstitutionName="St Elsewhere",
        OperatorsName="SMITH^J",
        StudyDate="20240229",
        PatientComments="HARGREAVES",
    )
    after = run(before, syntax=syntax)
    assert after.PatientName == after.PatientID == after.ClinicalTrialSubjectID == "EP-0123"
    assert after.PatientBirthDate == after.PatientSex == ""
    assert after.StudyDate == "20170525"  # the contract's vector: 353 weeks
    assert after.PatientIdentityRemoved == "YES"
    assert after.LongitudinalTemporalInformationModified == "MODIFIED"
    assert [code.CodeValue for code in after.DeidentificationMethodCodeSequence] == [
        "113100",
        "113105",
        "113107",
    ]
    assert after.file_meta.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID == NAMES.base_uid("1.2.3.4")
    assert after.file_meta.TransferSyntaxUID == syntax
    assert after.preamble == bytes(128)
    assert "PatientComments" not in after
    assert [e.tag for e in after] == sorted(e.tag for e in after)


@pytest.mark.parametrize(
    ("keyword", "value", "expected"),
    [
        ("SeriesDescription", "pelvis", None),
        ("BeamName", "Arc 1", "Arc 1"),
        ("RTPlanLabel", "Prostate60", "Prostate60"),
        ("RTPlanLabel", "Hargreaves60", "PLAN"),
        ("RTPlanName", "Hargreaves", None),
        ("DoseComment", "for Dr Smith", ""),
        ("TreatmentProtocols", "local", ""),
        ("TreatmentMachineName", "LA3_RXX", "LINAC_1"),
        ("BodyPartExamined", "PELVIS", "PELVIS"),
        ("BodyPartExamined", "HARGREAVES", ""),
        ("ReviewerName", "SMITH^J", ""),
        ("ContentCreatorName", "SMITH^J", "PSEUDONYMISED"),
        ("PersonName", "SMITH^J", "PSEUDONYMISED"),
        ("Manufacturer", "Varian Medical Systems", "Varian Medical Systems"),
        ("StationName", "CT1", "REMOVED"),
        ("AccessionNumber", "A1", ""),
        ("StudyTime", "101500", "101500"),
        ("ReviewDate", "20240229", "20170525"),
        ("AcquisitionDateTime", "20240229101500.25+0100", "20170525101500.25+0100"),
        ("SafePositionExitDate", "20240229", "20170525"),
        ("KVP", "120", "120"),
        ("FrameOfReferenceUID", "1.2.3.4", NAMES.base_uid("1.2.3.4")),
        ("ScanOptions", "HELICAL MODE", "HELICAL MODE"),
    ],
)
def test_rules(keyword: str, value: str, expected: str | None) -> None:
    after = run(dataset(**{keyword: value}))
    assert (None if keyword not in after else str(after[keyword].value)) == expected
    nested = run(dataset(ReferencedSeriesSequence=Sequence([item(**{keyword: value})])))
    inner = nested.ReferencedSeriesSequence[0]
    assert (None if keyword not in inner else str(inner[keyword].value)) == expected


def test_registered_and_class_uids_stay() -> None:
    reference = item(ReferencedSOPClassUID="1.2.246.352.70.1.70", ReferencedSOPInstanceUID="1.2.9")
    after = run(dataset(ReferencedRTPlanSequence=Sequence([reference])))
    assert after.SOPClassUID == RTSTRUCT
    assert after.ReferencedRTPlanSequence[0].ReferencedSOPClassUID == "1.2.246.352.70.1.70"
    assert after.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID == NAMES.base_uid("1.2.9")


def test_private_elements_curves_and_overlays_go_at_every_level() -> None:
    inner = item(ReferencedSOPInstanceUID="1.2.9")
    inner.add_new(0x32530010, "LO", "VENDOR")
    inner.add_new(0x32531000, "OB", b"HARGREAVES")
    ds = dataset(ReferencedRTPlanSequence=Sequence([inner]))
    ds.add_new(0x32530010, "LO", "VENDOR")
    ds.add_new(0x32531001, "SQ", Sequence([item(PatientName="HARGREAVES")]))
    ds.add_new(0x50000010, "US", 1)
    ds.add_new(0x60000010, "US", 1)
    ds.add_new(0x60003000, "OW", b"HARGREAV")
    result = pseudonymise(stream.parse(write(ds)), job(), ObjectPlan())
    assert b"HARGR" not in result.data
    assert not [leaf for leaf in stream.walk(stream.parse(result.data)) if leaf.tag >> 16 & 1]
    assert not [leaf for leaf in stream.walk(stream.parse(result.data)) if leaf.tag >> 24 in (0x50, 0x60)]


@pytest.mark.parametrize(
    ("position", "own_data", "refused"), [(12, False, True), (0, False, False), (12, True, False)]
)
def test_an_overlay_in_the_bits_of_the_pixels_is_refused(
    position: int, own_data: bool, refused: bool
) -> None:
    """Pixels are copied as bytes: an overlay in their unused bits would leave with them."""
    ds = dataset()
    ds.add_new(0x60020102, "US", position)
    if own_data:
        ds.add_new(0x60023000, "OW", b"\1\0")
    if refused:
        with pytest.raises(stream.StreamError, match="overlay"):
            pseudonymise(stream.parse(write(ds)), job(), ObjectPlan())
    else:
        assert run(ds).SOPClassUID == RTSTRUCT


@pytest.mark.parametrize(
    ("scheme", "value", "meaning"), [("DCM", "125025", "Visual"), ("99LOCAL", "REMOVED", "REMOVED")]
)
def test_codes_of_private_schemes_are_replaced(scheme: str, value: str, meaning: str) -> None:
    code = item(CodeValue="125025", CodingSchemeDesignator=scheme, CodeMeaning="Visual")
    after = run(dataset(DerivationCodeSequence=Sequence([code]))).DerivationCodeSequence[0]
    assert (after.CodeValue, after.CodeMeaning) == (value, meaning)


def structure_set() -> Dataset:
    return dataset(
        StructureSetROISequence=Sequence(
            [item(ROINumber=n, ROIName=name) for n, name in ((1, "PTV 60"), (2, "z1"), (3, "Hargreaves"))]
        ),
        ROIContourSequence=Sequence([item(ReferencedROINumber=n) for n in (1, 2, 3)]),
        RTROIObservationsSequence=Sequence(
            [item(ReferencedROINumber=n, ObservationNumber=n) for n in (1, 2, 3)]
        ),
    )


def test_structures_are_renamed_kept_and_cleaned() -> None:
    after = run(structure_set(), ObjectPlan(rois={1: "PTV_6000"}))
    assert [roi.ROIName for roi in after.StructureSetROISequence] == ["PTV_6000", "z1", "ROI_3"]


def test_a_dropped_structure_leaves_every_module() -> None:
    after = run(structure_set(), ObjectPlan(rois={1: "PTV_6000", 2: None}))
    assert [roi.ROINumber for roi in after.StructureSetROISequence] == [1, 3]
    assert [roi.ReferencedROINumber for roi in after.ROIContourSequence] == [1, 3]
    assert [roi.ReferencedROINumber for roi in after.RTROIObservationsSequence] == [1, 3]


def test_an_object_can_get_a_series_of_its_own() -> None:
    assert (
        run(dataset(SeriesInstanceUID="1.2.5"), ObjectPlan(series="2.25.77")).SeriesInstanceUID == "2.25.77"
    )


def test_numbers_and_pixels_are_copied_as_bytes() -> None:
    contour = item(ContourData=["-1.50", "2.0000", "3e0"])
    facts = {"Rows": 1, "Columns": 2, "BitsAllocated": 16, "SamplesPerPixel": 1}
    ds = dataset(ROIContourSequence=Sequence([contour]), PixelData=b"\1\2\3\4", **facts)
    result = pseudonymise(stream.parse(write(ds)), job(), ObjectPlan()).data
    assert b"-1.50\\2.0000\\3e0" in result
    assert result.endswith(b"\1\2\3\4")


def test_decimal_strings_that_hold_text_are_emptied() -> None:
    data = write(dataset(KVP="120")).replace(b"120 ", b"JANE")
    assert b"JANE" not in pseudonymise(stream.parse(data), job(), ObjectPlan()).data


@pytest.mark.parametrize("vr", ["DS", "IS"])
@pytest.mark.parametrize(("value", "stays"), [("1234567 ", False), ("7654321 ", True)])
def test_a_number_of_the_patient_is_no_measurement(vr: str, value: str, stays: bool) -> None:
    ds = dataset()
    ds.add_new(0x00189998, vr, "00000000")
    data = write(ds).replace(b"00000000", value.encode())
    after = pseudonymise(stream.parse(data), job(identifying="1234567"), ObjectPlan()).data
    assert (value.encode() in after) is stays


def test_dates_can_be_removed() -> None:
    after = run(dataset(StudyDate="20240229", ReviewDate="20240229", StudyTime="101500"), dates="remove")
    assert after.StudyDate == ""
    assert after.get("ReviewDate", "") == ""
    assert after.get("StudyTime", "") == ""


@pytest.mark.parametrize("value", [b"19000101", b"00010101", b"20241301", b"2024 228", b"yesterda"])
def test_a_date_that_cannot_be_shifted_is_emptied(value: bytes) -> None:
    shifted = engine._shifted_date(value, 3000)
    assert shifted == b"" or (shifted.isdigit() and shifted != value)


@given(st.dates(min_value=dt.date(1900, 1, 1)), st.integers(52, 520))
def test_shifts_keep_weekday_and_distance(day: dt.date, weeks: int) -> None:
    shifted = dt.date.fromisoformat(engine._shifted_date(f"{day:%Y%m%d}".encode(), weeks).decode())
    assert shifted.weekday() == day.weekday()
    assert (day - shifted).days == 7 * weeks


def test_the_same_input_gives_the_same_bytes_twice_and_another_key_others() -> None:
    parsed = stream.parse(write(structure_set()))
    assert pseudonymise(parsed, job(), ObjectPlan()).data == pseudonymise(parsed, job(), ObjectPlan()).data


def test_rules_and_texts_are_told() -> None:
    result = pseudonymise(stream.parse(write(structure_set())), job(), ObjectPlan(rois={1: "PTV_6000"}))
    assert {text for _, text in result.texts} == {"PTV_6000", "z1"}
    assert result.rules[0x30060026, Action.CLEAN] == 2


def test_an_object_without_identity_is_refused() -> None:
    data = write(dataset()).replace(b"1.2.3.4\0", b"       \0")
    with pytest.raises(stream.StreamError, match="no SOP"):
        pseudonymise(stream.parse(data), job(), ObjectPlan())
