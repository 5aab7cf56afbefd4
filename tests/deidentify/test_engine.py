from __future__ import annotations

import datetime as dt
import io
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from rttqa_build.deidentify import dates, stream
from rttqa_build.deidentify.dictionary import registered_uids
from rttqa_build.deidentify.elements import walk
from rttqa_build.deidentify.engine import pseudonymise, rewritten
from rttqa_build.deidentify.job import Job, ObjectPlan
from rttqa_build.deidentify.marks import IMPLEMENTATION_CLASS_UID, Marks
from rttqa_build.deidentify.policy import Action, compile_policy
from rttqa_build.deidentify.reader import StreamError
from rttqa_build.pseudonym import CentreKey, Pseudonyms
from rttqa_build.stages.supplied import keeping

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
        ("ScanOptions", "HELICAL MODE", ""),
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


def test_an_objects_uid_in_the_place_of_a_class_is_replaced() -> None:
    """A planning system's slip: the search would stop the build, and nobody could mend it."""
    original = "1.2.246.352.71.7.33739.2801461.20190422"
    reference = item(ReferencedSOPClassUID=original, ReferencedSOPInstanceUID=original)
    after = run(dataset(ReferencedRTPlanSequence=[reference]), identifying=original)
    assert after.ReferencedRTPlanSequence[0].ReferencedSOPClassUID == NAMES.base_uid(original.encode())


@pytest.mark.parametrize("arc", ["1.2.840.10008.5.1.4.1.1.481.", "1.2.840.10008.1.2.", "1.2.246.352.70.1."])
@pytest.mark.parametrize("keyword", ["RelatedGeneralSOPClassUID", "OriginalSpecializedSOPClassUID"])
def test_class_uids_that_nobody_registered_hold_no_number_of_the_patient(arc: str, keyword: str) -> None:
    number = "9434765919"
    after = run(dataset(**{keyword: arc + number}), identifying=number)
    assert after[keyword].value == NAMES.base_uid(arc + number)
    after = run(dataset(**{keyword: arc + number + ".1"}), identifying=number)
    assert number not in str(after[keyword].value)
    assert run(dataset(**{keyword: arc + "7"}), identifying=number)[keyword].value == arc + "7"
    assert run(dataset(**{keyword: arc + number}))[keyword].value == arc + number


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
    assert not [leaf for leaf in walk(stream.parse(result.data)) if leaf.tag >> 16 & 1]
    assert not [leaf for leaf in walk(stream.parse(result.data)) if leaf.tag >> 24 in (0x50, 0x60)]


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
        with pytest.raises(StreamError, match="overlay"):
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
@pytest.mark.parametrize(
    ("value", "stays"),
    [("1234567 ", False), ("+1234567", False), ("1234567.", False), ("01234567", False), ("7654321 ", True)],
)
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
    shifted = dates.shifted_date(value, 3000)
    assert shifted == b"" or (shifted.isdigit() and shifted != value)


@given(st.dates(min_value=dt.date(1900, 1, 1)), st.integers(52, 520))
def test_shifts_keep_weekday_and_distance(day: dt.date, weeks: int) -> None:
    shifted = dt.date.fromisoformat(dates.shifted_date(f"{day:%Y%m%d}".encode(), weeks).decode())
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
    with pytest.raises(StreamError, match="no SOP"):
        pseudonymise(stream.parse(data), job(), ObjectPlan())


# --- text that the table forgets ---------------------------------------------------------------------------

DENIED = (
    *("TreatmentProtocols", "DoseComment", "ToleranceTableLabel", "ApplicatorDescription", "AccessoryCode"),
    *("BlockTrayID", "BlockName", "WedgeID", "BolusID", "BolusDescription", "CompensatorID", "ScanOptions"),
    *("FrameOfReferenceTransformationComment", "ROIObservationLabel", "RTPlanName"),
    *(
        "RTPlanDescription",
        "ROIDescription",
        "StructureSetName",
        "StructureSetDescription",
        "BeamDescription",
    ),
    *("PrescriptionDescription", "DoseReferenceDescription", "SetupTechniqueDescription"),
    *("FixationDeviceDescription", "FixationDevicePosition"),
)
REPLACED = {
    "BeamName": "BEAM",
    "RTPlanLabel": "PLAN",
    "StructureSetLabel": "STRUCTURE_SET",
    "FixationDeviceLabel": "FIXATION",
    "ShieldingDeviceLabel": "SHIELD",
    "SetupDeviceLabel": "SETUP",
    "ApplicatorID": "APPLICATOR",
    "ContentLabel": "REGISTRATION",
    "ContentDescription": "PSEUDONYMISED",
    "TreatmentMachineName": "LINAC_1",
    "FilterType": "REMOVED",
    "ReceiveCoilName": "COIL",
    "TransmitCoilName": "COIL",
    "MultiCoilElementName": "ELEMENT",
    "LUTLabel": "LUT",
    "LUTExplanation": "LUT",
    "MaterialID": "MATERIAL",
    "RangeShifterSetting": "SETTING",
    "LateralSpreadingDeviceSetting": "SETTING",
    "BeamCurrentModulationID": "MODULATION",
    "FluenceModeID": "FLUENCE",
    "PatientAdditionalPosition": "REMOVED",
    "TextValue": "REMOVED",
    "LocalNamespaceEntityID": "REMOVED",
}
KEPT_LABELS = (
    *("BeamName", "RTPlanLabel", "StructureSetLabel", "MaterialID"),
    *("RangeShifterSetting", "LateralSpreadingDeviceSetting", "BeamCurrentModulationID", "FluenceModeID"),
)


@pytest.mark.parametrize("name", ["Hargreaves", "HARGREAVES", "Mr Hargreaves W7"])
@pytest.mark.parametrize("keyword", [*DENIED, *REPLACED])
def test_a_name_typed_where_the_table_has_no_row_is_gone(keyword: str, name: str) -> None:
    vr = dictionary_VR(keyword)
    planted = name.upper()[:16] if vr in ("SH", "CS") else name
    plan = dataset(BeamSequence=Sequence([item(**{keyword: planted})]))
    after = run(plan).BeamSequence[0]
    assert str(after.get(keyword, "")) == REPLACED.get(keyword, "")


@pytest.mark.parametrize("keyword", [k for k in (*DENIED, *REPLACED) if k not in KEPT_LABELS])
def test_a_name_that_nobody_harvested_is_gone_too(keyword: str) -> None:
    after = run(dataset(BeamSequence=Sequence([item(**{keyword: "MRS MILLER"})]))).BeamSequence[0]
    assert "MILLER" not in str(after.get(keyword, ""))


def test_an_assertion_uid_is_no_registered_one() -> None:
    assert run(dataset(AssertionUID="1.2.77")).AssertionUID == NAMES.base_uid("1.2.77")


@pytest.mark.parametrize("scheme", ["99HOSPITAL", "LOCAL", "", None])
def test_the_meaning_of_a_private_code_is_gone(scheme: str | None) -> None:
    code = item(CodeValue="X", CodeMeaning="Mrs Miller")
    if scheme is not None:
        code.CodingSchemeDesignator = scheme
    after = run(dataset(PatientOrientationCodeSequence=Sequence([code])))
    assert after.PatientOrientationCodeSequence[0].CodeMeaning == "REMOVED"


# --- dates -------------------------------------------------------------------------------------------------

MOMENTS = st.datetimes(min_value=dt.datetime(1900, 1, 1), max_value=dt.datetime(2100, 1, 1))  # noqa: DTZ001


@given(MOMENTS, MOMENTS, st.sampled_from(["", "+0100", "-0330"]), st.integers(52, 520))
def test_moments_keep_interval_order_weekday_time_and_zone(
    one: dt.datetime, two: dt.datetime, zone: str, weeks: int
) -> None:
    written = [f"{m:%Y%m%d%H%M%S.%f}{zone}".rjust(21 + len(zone), "0").encode() for m in (one, two)]
    first, second = (dates.shifted_datetime(value, weeks) for value in written)
    moved = [dt.datetime.strptime(v.decode()[:21], "%Y%m%d%H%M%S.%f") for v in (first, second)]  # noqa: DTZ007
    assert moved[0] - moved[1] == one - two
    assert [m.weekday() for m in moved] == [one.weekday(), two.weekday()]
    assert [m.time() for m in moved] == [one.time(), two.time()]
    assert first.endswith(zone.encode())


@pytest.mark.parametrize(
    ("value", "shifted"),
    [
        (b"2024", b"2017"),
        (b"202402", b"201704"),
        (b"20240229", b"20170525"),
        (b"2024022910", b"2017052510"),
        (b"20240229101500.123456-0500", b"20170525101500.123456-0500"),
        (b"20240230", b""),
        (b"20240229T1015", b""),
        (b"0003", b""),
    ],
)
def test_moments_stay_as_precise_as_they_were(value: bytes, shifted: bytes) -> None:
    assert dates.shifted_datetime(value, 353) == shifted


def test_one_offset_for_all_dates_of_an_object() -> None:
    before = {
        "StudyDate": "20240229",
        "SeriesDate": "20240301",
        "ReviewDate": "20240310",
        "RTPlanDate": "20240305",
    }
    after = run(dataset(**before))
    moved = {k: dt.date.fromisoformat(v) - dt.date.fromisoformat(after[k].value) for k, v in before.items()}
    assert set(moved.values()) == {dt.timedelta(weeks=353)}


@pytest.mark.parametrize(
    ("keyword", "left"),
    [
        # type 1 where the module is there: a dummy
        ("PresentationCreationDate", "19000101"),
        ("PresentationCreationTime", "000000"),
        ("SeriesDate", "19000101"),
        ("ContentDate", "19000101"),
        ("AcquisitionDateTime", "19000101000000"),
        ("SourceStrengthReferenceDate", "19000101"),
        ("RTPlanDate", "19000101"),
        ("RadiopharmaceuticalStartDateTime", "19000101000000"),
        # type 2: empty
        ("StudyDate", ""),
        ("StudyTime", ""),
        ("AcquisitionDate", ""),
        ("AcquisitionTime", ""),
        ("StructureSetDate", ""),
        ("ReviewDate", ""),
        # type 3: gone
        ("RadiopharmaceuticalStopDateTime", None),
        ("PerformedProcedureStepStartDate", None),
    ],
)
def test_removed_dates_leave_what_the_type_demands(keyword: str, left: str | None) -> None:
    vr = dictionary_VR(keyword)
    value = {"DA": "20240229", "TM": "101500", "DT": "20240229101500"}[vr]
    after = run(dataset(**{keyword: value}), dates="remove")
    assert (None if keyword not in after else after[keyword].value) == left


# --- PET ---------------------------------------------------------------------------------------------------


def pet_slice() -> Dataset:
    nuclide = item(
        RadionuclideTotalDose="350000000",
        RadionuclideHalfLife="6586.2",
        RadiopharmaceuticalStartTime="091500",
        RadiopharmaceuticalStartDateTime="20240229091500",
    )
    ds = dataset(
        Modality="PT",
        SeriesDate="20240229",
        SeriesTime="101500.000000",
        AcquisitionDate="20240229",
        AcquisitionTime="101730",
        PatientSex="M",
        PatientAge="074Y",
        PatientSize="1.76",
        PatientWeight="83.5",
        Units="CNTS",
        CorrectedImage=["ATTN", "DECY"],
        DecayCorrection="START",
        FrameReferenceTime="150000",
        RescaleSlope="0.7231",
        RescaleIntercept="0",
        RadiopharmaceuticalInformationSequence=Sequence([nuclide]),
        Rows=2,
        Columns=2,
        BitsAllocated=16,
        SamplesPerPixel=1,
        PixelData=struct.pack("<4H", 0, 17, 4021, 32767),
    )
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.128"
    ds.add_new(0x70530010, "LO", "Philips PET Private Group")
    ds.add_new(0x70531000, "DS", "0.000587")
    ds.add_new(0x70531003, "ST", "HARGREAVES")
    ds.add_new(0x70531009, "DS", "1.842")
    ds.add_new(0x70531010, "LO", "HARGREAVES")
    return ds


def moment(day: str, time: str) -> dt.datetime:
    return dt.datetime.strptime(f"{day}{time[:6]}", "%Y%m%d%H%M%S")  # noqa: DTZ007


def suv(ds: Dataset) -> list[float]:
    """Return SUVbw in g/ml by hand: concentration × weight / dose decayed to the start of the scan."""
    nuclide = ds.RadiopharmaceuticalInformationSequence[0]
    injected = moment(
        nuclide.RadiopharmaceuticalStartDateTime[:8], nuclide.RadiopharmaceuticalStartDateTime[8:]
    )
    assert injected == moment(ds.SeriesDate, nuclide.RadiopharmaceuticalStartTime)
    seconds = (moment(ds.SeriesDate, ds.SeriesTime) - injected).total_seconds()
    dose = float(nuclide.RadionuclideTotalDose) * 2 ** (-seconds / float(nuclide.RadionuclideHalfLife))
    to_concentration = float(ds[0x70531009].value)
    stored = struct.unpack("<4H", ds.PixelData)
    concentration = [
        (v * float(ds.RescaleSlope) + float(ds.RescaleIntercept)) * to_concentration for v in stored
    ]
    return [c * float(ds.PatientWeight) * 1000 / dose for c in concentration]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_uptake_values_before_equal_those_after(syntax: str) -> None:
    before = pet_slice()
    retain = frozenset({"patient_characteristics", "safe_private"})
    with_pet = replace(
        job(),
        policy=compile_policy(retain=retain),
        marks=replace(MARKS, patient_characteristics=True, safe_private=True),
    )
    data = pseudonymise(stream.parse(write(before, syntax)), with_pet, ObjectPlan()).data
    after = pydicom.dcmread(io.BytesIO(data))
    assert suv(after) == suv(before)
    assert suv(before)[3] == pytest.approx(15.21, abs=0.01)
    assert float(after[0x70531000].value) == 0.000587
    assert after.SeriesDate == "20170525"
    assert (after.PatientSex, after.PatientSize, after.PatientWeight) == ("M", 1.76, 83.5)
    assert "PatientAge" not in after
    assert b"HARGREAVES" not in data
    assert [f"{e.tag:08x}" for e in after if e.tag.is_private] == ["70530010", "70531000", "70531009"]
    codes = [code.CodeValue for code in after.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113107", "113108", "113111"]


def test_scale_factors_stay_only_with_the_option_and_under_their_creator() -> None:
    assert not [e for e in run(pet_slice()) if e.tag.is_private]
    other = pet_slice()
    other[0x70530010].value = "HARGREAVES PET"
    policy = compile_policy(retain=frozenset({"safe_private"}))
    data = pseudonymise(stream.parse(write(other)), replace(job(), policy=policy), ObjectPlan()).data
    assert not [e for e in pydicom.dcmread(io.BytesIO(data)) if e.tag.is_private]


# --- supplied cases ----------------------------------------------------------------------------------------


def test_an_object_of_a_supplied_case_keeps_its_dates_and_says_so() -> None:
    own = replace(job(), registered=registered_uids() | {b"1.2.3.4", b"1.2.5"})
    one = dataset(StudyDate="20240229", SeriesInstanceUID="1.2.5", PatientName="HARGREAVES")
    one.StudyInstanceUID, one.PatientBirthDate = "1.2.6", "19490312"
    read = stream.parse(write(one))
    after = pydicom.dcmread(io.BytesIO(pseudonymise(read, keeping(own), ObjectPlan(supplied=True)).data))
    assert (after.SOPInstanceUID, after.SeriesInstanceUID, after.StudyDate) == (
        "1.2.3.4",
        "1.2.5",
        "20240229",
    )
    assert after.StudyInstanceUID == NAMES.base_uid("1.2.6")
    assert (str(after.PatientName), after.PatientBirthDate) == ("EP-0123", "")
    assert after.LongitudinalTemporalInformationModified == "UNMODIFIED"
    codes = [code.CodeValue for code in after.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113106", "113110"]
    ours = pydicom.dcmread(io.BytesIO(pseudonymise(read, keeping(own), ObjectPlan()).data))
    assert (ours.StudyDate, ours.LongitudinalTemporalInformationModified) == ("20170525", "MODIFIED")


# --- structures --------------------------------------------------------------------------------------------


def linked_structures() -> Dataset:
    """Return three ROIs that refer to each other in every way that a structure set has."""

    def observation(number: int, *related: int) -> Dataset:
        return item(
            ObservationNumber=100 + number,
            ReferencedROINumber=number,
            RTRelatedROISequence=Sequence([item(ReferencedROINumber=n) for n in related]),
            RelatedRTROIObservationsSequence=Sequence([item(ObservationNumber=100 + n) for n in related]),
        )

    made = structure_set()
    made.RTROIObservationsSequence = Sequence([observation(1, 2, 3), observation(2, 1), observation(3, 2)])
    return made


def numbers_in(ds: Dataset) -> tuple[set[int], set[int]]:
    """Return every ROI number and every observation number that stands anywhere."""
    rois = {int(e.value) for e in ds.iterall() if e.keyword in ("ROINumber", "ReferencedROINumber")}
    return rois, {int(e.value) for e in ds.iterall() if e.keyword == "ObservationNumber"}


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize(
    ("rois", "left"),
    [
        ({}, {1, 2, 3}),
        ({2: None}, {1, 3}),
        ({1: "PTV_6000", 2: None, 3: None}, {1}),
        ({1: None, 2: "Rectum", 3: "Bladder"}, {2, 3}),
    ],
)
def test_a_dropped_structure_is_referred_to_nowhere(
    rois: dict[int, str | None], left: set[int], syntax: str
) -> None:
    after = run(linked_structures(), ObjectPlan(rois=rois), syntax)
    assert numbers_in(after) == (left, {100 + number for number in left})
    names = {roi.ROINumber: roi.ROIName for roi in after.StructureSetROISequence}
    assert all(names[number] == name for number, name in rois.items() if name)
    assert [roi.ROINumber for roi in after.StructureSetROISequence] == sorted(left)


@pytest.mark.parametrize("written", [b"+2", b"2 ", b"02", b" 2"])
def test_numbers_of_structures_are_compared_as_numbers(written: bytes) -> None:
    data = write(structure_set())
    at = data.index(struct.pack("<HH2sH", 0x3006, 0x0022, b"IS", 2) + b"2 ") + 8
    changed = data[:at] + written.ljust(2) + data[at + 2 :]
    after = pseudonymise(stream.parse(changed), job(), ObjectPlan(rois={2: "Rectum"})).data
    names = [str(roi.ROIName) for roi in pydicom.dcmread(io.BytesIO(after)).StructureSetROISequence]
    assert names == ["PTV 60", "Rectum", "ROI_3"]


def test_a_neutral_name_is_taken_by_no_other_structure() -> None:
    made = structure_set()
    made.StructureSetROISequence[0].ROIName = "roi_3"
    after = run(made, ObjectPlan(rois={2: "ROI_3_"}))
    assert [roi.ROIName for roi in after.StructureSetROISequence] == ["roi_3", "ROI_3_", "ROI_3__"]


def test_what_is_remembered_of_one_job_is_not_taken_for_another() -> None:
    parsed = stream.parse(write(dataset(StudyDate="20240229", PatientComments="x", Modality="CT")))
    first = job()
    early = pseudonymise(parsed, first, ObjectPlan())
    assert first.memo
    later = replace(first, weeks=first.weeks + 1)
    assert not later.memo
    assert pseudonymise(parsed, later, ObjectPlan()).data != early.data
    assert pseudonymise(parsed, first, ObjectPlan()) == early


def test_an_element_is_rewritten_alike_whether_it_is_remembered_or_not() -> None:
    parsed = stream.parse(write(dataset(StudyDate="20240229", PatientComments="x", Modality="CT")))
    shared = job()
    once, again = (pseudonymise(parsed, shared, ObjectPlan()) for _ in range(2))
    assert once == again


def test_uids_told_do_not_depend_on_what_is_remembered() -> None:
    """Final UIDs come from them: the same file must tell the same, whatever was read before it."""
    original = "1.2.246.352.71.7.33739"
    reference = item(ReferencedSOPClassUID=original, ReferencedSOPInstanceUID="1.2.9")
    parsed = stream.parse(write(dataset(ReferencedRTPlanSequence=[reference])))
    shared = job(identifying=original)
    once, again = (rewritten(parsed, shared, ObjectPlan()) for _ in range(2))
    assert shared.memo
    assert once.uids == again.uids
    assert original.encode() not in {uid.strip(b"\0") for uid in once.uids}
    assert b"1.2.9" in {uid.strip(b"\0") for uid in once.uids}
