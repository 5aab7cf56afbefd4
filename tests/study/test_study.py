"""Reading: bytes of files → instances and fates."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import struct
import sys
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread, dcmwrite
from pydicom.data import get_testdata_file
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import write_dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from rttqa_build.diagnostic import RttqaError, UsageError
from rttqa_build.study import (
    DoseFacts,
    Fate,
    ImageFacts,
    Instance,
    Kind,
    PatientIdentity,
    PlanFacts,
    Reason,
    SourceFile,
    StructureFacts,
    assemble,
    conflicts,
    files,
    read,
)
from rttqa_build.study.header import MalformedError, parse
from rttqa_build.study.tags import TAGS

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
STORAGE = "1.2.840.10008.5.1.4.1.1."
CT, RS, RP, RD = (STORAGE + suffix for suffix in ("2", "481.3", "481.5", "481.2"))
ION, REG, DEFORMABLE = (STORAGE + suffix for suffix in ("481.8", "66.1", "66.3"))


def dataset(**elements: Any) -> Dataset:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def an_object(sop_class: str, uid: str = "1.2.3.4", **elements: Any) -> Dataset:
    return dataset(SOPClassUID=sop_class, SOPInstanceUID=uid, **elements)


def a_slice(**elements: Any) -> Dataset:
    made = an_object(CT, Modality="CT", Rows=2, Columns=2, BitsAllocated=16, **elements)
    made.add_new(0x7FE00010, "OW", bytes(8))
    return made


def to_bytes(made: Dataset, syntax: str = ImplicitVRLittleEndian) -> bytes:
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = made.get("SOPClassUID", "1.2.3")
    made.file_meta.MediaStorageSOPInstanceUID = made.get("SOPInstanceUID", "1.2.3")
    made.file_meta.TransferSyntaxUID = UID(syntax)
    stream = BytesIO()
    dcmwrite(stream, made, enforce_file_format=True)
    return stream.getvalue()


def bare(made: Dataset, *, implicit: bool = True, little: bool = True) -> bytes:
    """Write the data set alone: no preamble, no file meta information."""
    from pydicom.filebase import DicomBytesIO

    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = implicit, little
    write_dataset(stream, made)
    return bytes(stream.getvalue())


def source_file(data: bytes, path: str = "a.dcm") -> SourceFile:
    return SourceFile(path, len(data), hashlib.sha256(data).hexdigest())


def result(data: bytes, path: str = "a.dcm") -> Instance | Fate:
    return read(source_file(data, path), data)


def instance(made: Dataset, **options: Any) -> Instance:
    found = result(to_bytes(made, **options))
    assert isinstance(found, Instance), found
    return found


def test_tags_are_those_of_the_dictionary() -> None:
    assert {keyword: tag_for_keyword(keyword) for keyword in TAGS} == dict(TAGS)


@pytest.mark.parametrize(
    ("sop_class", "modality", "kind"),
    [
        (CT, "CT", Kind.IMAGE),
        (STORAGE + "2.1", "CT", Kind.IMAGE),
        (STORAGE + "4", "MR", Kind.IMAGE),
        (STORAGE + "4.1", "MR", Kind.IMAGE),
        (STORAGE + "128", "PT", Kind.IMAGE),
        (STORAGE + "130", "PT", Kind.IMAGE),
        (RS, "RTSTRUCT", Kind.STRUCTURE_SET),
        (RP, "RTPLAN", Kind.PLAN),
        (ION, "RTPLAN", Kind.PLAN),
        ("1.2.246.352.70.1.70", "RTPLAN", Kind.PLAN),
        (STORAGE + "481.1", "RTPLAN", Kind.OTHER),
        (RD, "RTDOSE", Kind.DOSE),
        (REG, "REG", Kind.REGISTRATION),
        (DEFORMABLE, "REG", Kind.REGISTRATION),
        (STORAGE + "481.1", "RTIMAGE", Kind.OTHER),
    ],
)
def test_kind_by_sop_class(sop_class: str, modality: str, kind: Kind) -> None:
    made = an_object(sop_class, Modality=modality, BitsAllocated=8)
    made.add_new(0x7FE00010, "OW", b"\0\0")
    assert instance(made).kind is kind
    assert not instance(made).refusal


@pytest.mark.parametrize(
    ("suffix", "word"),
    [
        ("7", "secondary capture"),
        ("7.2", "secondary capture"),
        ("104.1", "document"),
        ("88.11", "report"),
        ("9.1.1", "waveform"),
        ("11.1", "presentation state"),
        ("77.1.4", "photograph"),
    ],
)
def test_kinds_that_may_never_be_sent(suffix: str, word: str) -> None:
    found = instance(an_object(STORAGE + suffix, Modality="OT"))
    assert found.kind is Kind.OTHER
    assert word in found.refusal


def test_burned_in_annotation_is_refused() -> None:
    assert instance(a_slice(BurnedInAnnotation="YES")).refusal
    assert not instance(a_slice(BurnedInAnnotation="NO")).refusal
    assert instance(a_slice(ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"])).refusal
    assert not instance(a_slice(ImageType=["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"])).refusal


def test_image_facts() -> None:
    found = instance(
        a_slice(
            ImagePositionPatient=[-1.5, 2, "3e1"],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            PixelSpacing=[0.9, 1.1],
            SliceThickness=2.5,
            InstanceNumber=7,
            ImageType=["ORIGINAL", "PRIMARY", "AXIAL"],
            BodyPartExamined="PELVIS",
            SeriesDescription="Planning",
            FrameOfReferenceUID="1.9",
        )
    )
    assert found.facts == ImageFacts(
        position=(-1.5, 2, 30),
        orientation=(1, 0, 0, 0, 1, 0),
        spacing=(0.9, 1.1),
        thickness=2.5,
        rows=2,
        columns=2,
        instance_number=7,
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
        body_part="PELVIS",
    )
    assert (found.series_description, found.frame_uid) == ("Planning", "1.9")


def test_frames_of_a_multi_frame_image() -> None:
    made = a_slice(NumberOfFrames=3)
    made.SOPClassUID = STORAGE + "2.1"
    facts = instance(made).facts
    assert isinstance(facts, ImageFacts)
    assert facts.frames == 3


@pytest.mark.parametrize("value", [b"1\\2", b"1\\x\\3", b"nan\\0\\0", b"", b"1\\\\3"])
def test_numbers_that_are_none_are_left_out(value: bytes) -> None:
    data = bare(a_slice(ImagePositionPatient=[1, 2, 3]))
    at = data.index(struct.pack("<HH", 0x0020, 0x0032))
    rest = data[at + 8 + struct.unpack_from("<L", data, at + 4)[0] :]
    changed = data[: at + 4] + struct.pack("<L", len(value)) + value + rest
    found = result(changed)
    assert isinstance(found, Instance)
    assert isinstance(found.facts, ImageFacts)
    assert found.facts.position is None


def a_structure_set() -> Dataset:
    def contour(image: str, kind: str = "CLOSED_PLANAR") -> Dataset:
        images = [dataset(ReferencedSOPClassUID=CT, ReferencedSOPInstanceUID=image)]
        return dataset(ContourImageSequence=images, ContourGeometricType=kind, ContourData=[1, 2, 3])

    def series(uid: str, *images: str) -> Dataset:
        refs = [dataset(ReferencedSOPClassUID=CT, ReferencedSOPInstanceUID=image) for image in images]
        return dataset(SeriesInstanceUID=uid, ContourImageSequence=refs)

    def roi(number: int, name: str) -> Dataset:
        return dataset(
            ROINumber=number,
            ROIName=name,
            ReferencedFrameOfReferenceUID="1.9",
            ROIGenerationAlgorithm="MANUAL",
        )

    study = dataset(RTReferencedSeriesSequence=[series("1.5", "1.1", "1.2", "1.3"), series("1.6", "1.7")])
    return an_object(
        RS,
        Modality="RTSTRUCT",
        StructureSetLabel="Pelvis",
        ApprovalStatus="APPROVED",
        ReferencedFrameOfReferenceSequence=[
            dataset(FrameOfReferenceUID="1.9", RTReferencedStudySequence=[study])
        ],
        StructureSetROISequence=[roi(2, "PTV"), roi(1, "Body"), roi(5, "Empty")],
        ROIContourSequence=[
            dataset(ReferencedROINumber=1, ContourSequence=[contour("1.1"), contour("1.2", "POINT")]),
            dataset(ReferencedROINumber=2, ContourSequence=[contour("1.2")]),
        ],
        RTROIObservationsSequence=[
            dataset(
                ReferencedROINumber=1,
                RTROIInterpretedType="EXTERNAL",
                ROIPhysicalPropertiesSequence=[dataset(ROIPhysicalProperty="REL_ELEC_DENSITY")],
            ),
            dataset(ReferencedROINumber=2, RTROIInterpretedType="PTV"),
        ],
    )


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("undefined", [False, True])
def test_structures_are_joined_by_number(syntax: str, *, undefined: bool) -> None:
    made = a_structure_set()
    if undefined:
        leave_lengths_undefined(made)
    found = instance(made, syntax=syntax)
    assert isinstance(found.facts, StructureFacts)
    rois = [
        (r.number, r.name, r.interpreted_type, r.contours, r.geometric_types, r.has_physical_properties)
        for r in found.facts.rois
    ]
    assert rois == [
        (2, "PTV", "PTV", 1, ("CLOSED_PLANAR",), False),
        (1, "Body", "EXTERNAL", 2, ("CLOSED_PLANAR", "POINT"), True),
        (5, "Empty", "", 0, (), False),
    ]
    assert found.facts.rois[1].image_refs == {"1.1", "1.2"}
    assert (found.label, found.facts.approval, found.frame_uid) == ("Pelvis", "APPROVED", "1.9")
    assert (found.facts.image_series, found.facts.frames) == (("1.5", "1.6"), ("1.9",))
    assert found.transfer_syntax == syntax


def leave_lengths_undefined(made: Dataset) -> None:
    for element in made:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                leave_lengths_undefined(item)


def test_a_structure_set_needs_the_series_it_was_drawn_on_not_the_fused_one() -> None:
    assert instance(a_structure_set()).references == {"images": ("1.1", "1.2", "1.3"), "other": ("1.7",)}


def test_without_images_in_contours_all_referenced_series_count() -> None:
    made = a_structure_set()
    del made.ROIContourSequence
    assert instance(made).references == {"images": ("1.1", "1.2", "1.3", "1.7")}


def a_plan(**elements: Any) -> Dataset:
    return an_object(RP, Modality="RTPLAN", RTPlanLabel="Prostate60", **elements)


def test_plan_facts() -> None:
    beam = dataset(
        BeamNumber=3,
        BeamName="Arc 1",
        TreatmentMachineName="LA6",
        RadiationType="PHOTON",
        TreatmentDeliveryType="TREATMENT",
        NumberOfControlPoints=2,
        ReferencedPatientSetupNumber=1,
        PrimaryFluenceModeSequence=[dataset(FluenceMode="NON_STANDARD", FluenceModeID="FFF")],
        ControlPointSequence=[dataset(NominalBeamEnergy=6), dataset(ControlPointIndex=1)],
        ReferencedReferenceImageSequence=[dataset(ReferencedSOPInstanceUID="1.8")],
    )
    group = dataset(
        NumberOfFractionsPlanned=20,
        ReferencedBeamSequence=[dataset(ReferencedBeamNumber=3, BeamMeterset="431.25")],
    )
    found = instance(
        a_plan(
            RTPlanDate="20200101",
            PlanIntent="CURATIVE",
            RTPlanGeometry="PATIENT",
            ApprovalStatus="APPROVED",
            BeamSequence=[beam],
            FractionGroupSequence=[group],
            PatientSetupSequence=[dataset(PatientSetupNumber=1, PatientPosition="HFS")],
            DoseReferenceSequence=[
                dataset(DoseReferenceType="TARGET", TargetPrescriptionDose=60, ReferencedROINumber=2)
            ],
            ReferencedStructureSetSequence=[dataset(ReferencedSOPInstanceUID="1.4")],
            ReferencedRTPlanSequence=[dataset(ReferencedSOPInstanceUID="1.3")],
        )
    )
    facts = found.facts
    assert isinstance(facts, PlanFacts)
    assert (facts.label, facts.kind, facts.approval, facts.fractions) == (
        "Prostate60",
        "photon",
        "APPROVED",
        (20,),
    )
    (only,) = facts.beams
    assert (only.number, only.machine, only.energy, only.meterset) == (3, "LA6", "6 MV FFF", 431.25)
    assert (only.control_points, only.patient_position) == (2, "HFS")
    assert [(t.type, t.prescription_gy, t.roi_number) for t in facts.targets] == [("TARGET", 60, 2)]
    assert found.references == {"structure_set": ("1.4",), "other": ("1.3", "1.8")}


@pytest.mark.parametrize(
    ("elements", "kind", "beams"),
    [
        ({"BeamSequence": [dataset(BeamNumber=1, RadiationType="ELECTRON")]}, "electron", 1),
        ({"IonBeamSequence": [dataset(BeamNumber=1, RadiationType="PROTON")]}, "ion", 1),
        (
            {
                "BrachyTreatmentType": "HDR",
                "ApplicationSetupSequence": [dataset(ApplicationSetupNumber=1)],
                "SourceSequence": [dataset(SourceIsotopeName="Ir-192")],
            },
            "brachytherapy",
            1,
        ),
        ({}, "photon", 0),
    ],
)
def test_kinds_of_plans(elements: dict[str, Any], kind: str, beams: int) -> None:
    facts = instance(a_plan(**elements)).facts
    assert isinstance(facts, PlanFacts)
    assert (facts.kind, len(facts.beams)) == (kind, beams)


def test_dose_facts_and_references() -> None:
    made = an_object(
        RD,
        Modality="RTDOSE",
        DoseUnits="GY",
        DoseType="PHYSICAL",
        DoseSummationType="PLAN",
        GridFrameOffsetVector=[0, -2.5, -5],
        DoseGridScaling="1e-4",
        BitsAllocated=32,
        ReferencedRTPlanSequence=[dataset(ReferencedSOPInstanceUID=u) for u in ("1.6", "1.5")],
        ReferencedStructureSetSequence=[dataset(ReferencedSOPInstanceUID="1.4")],
    )
    made.add_new(0x7FE00010, "OW", bytes(4))
    found = instance(made)
    assert isinstance(found.facts, DoseFacts)
    assert (found.facts.units, found.facts.summation, found.facts.scaling) == ("GY", "PLAN", 1e-4)
    assert (found.facts.offsets, found.facts.has_dvh) == ((0, -2.5, -5), False)
    assert found.references == {"plan": ("1.5", "1.6"), "other": ("1.4",)}


@pytest.mark.parametrize(
    "elements",
    [
        {
            "FrameOfReferenceUID": "1.1",
            "RegistrationSequence": [
                dataset(FrameOfReferenceUID="1.1"),
                dataset(
                    FrameOfReferenceUID="1.2",
                    ReferencedImageSequence=[dataset(ReferencedSOPInstanceUID="1.7")],
                ),
            ],
        },
        {
            "FrameOfReferenceUID": "1.1",
            "DeformableRegistrationSequence": [
                dataset(
                    SourceFrameOfReferenceUID="1.2",
                    ReferencedImageSequence=[dataset(ReferencedSOPInstanceUID="1.7")],
                )
            ],
        },
    ],
)
def test_a_registration_names_frames_and_images(elements: dict[str, Any]) -> None:
    found = instance(an_object(REG, Modality="REG", **elements))
    assert found.references == {"frames": ("1.1", "1.2"), "images": ("1.7",)}


def test_patient_is_normalised_and_never_shown() -> None:
    found = instance(
        a_slice(
            PatientID=" ab12 ",
            PatientName="Doe^ Jane^^",
            PatientBirthDate="19500102",
            OtherPatientIDs="943 476 5919",
            OtherPatientIDsSequence=[dataset(PatientID="X-9")],
        )
    ).patient
    assert found == PatientIdentity("AB12", "DOE^JANE", "19500102", ("9434765919", "X-9"))
    assert "DOE" not in repr(found)
    assert "9434765919" not in repr(found)


@pytest.mark.parametrize(
    ("charset", "raw", "text"),
    [
        ("ISO_IR 100", "Müller".encode("latin_1"), "MÜLLER"),
        ("ISO_IR 192", "Zoë".encode(), "ZOË"),
        ("iso-ir 100", "Müller".encode("latin_1"), "MÜLLER"),
        ("GB18030", "王^小东".encode("gb18030"), "王^小东"),
        ("\\ISO 2022 IR 144", b"A^\x1b-L" + "Люк".encode("iso8859_5"), "A^ЛЮК"),
        ("\\ISO 2022 IR 87", b"A^\x1b$B;3ED\x1b(B", "A^山田"),
        ("NONSENSE", b"Doe", "DOE"),
        ("ISO_IR 192", b"\xff", "�"),
    ],
)
def test_character_sets(charset: str, raw: bytes, text: str) -> None:
    def element(group: int, number: int, value: bytes) -> bytes:
        value += b" " * (len(value) % 2)
        return struct.pack("<HHL", group, number, len(value)) + value

    head = element(8, 5, charset.encode()) + element(8, 0x16, RP.encode()) + element(8, 0x18, b"1.2.3")
    found = result(head + element(0x10, 0x10, raw))
    assert isinstance(found, Instance)
    assert found.patient.name == text


@pytest.mark.parametrize(
    ("implicit", "little", "syntax"),
    [
        (True, True, ImplicitVRLittleEndian),
        (False, True, ExplicitVRLittleEndian),
        (False, False, ExplicitVRBigEndian),
    ],
)
def test_without_preamble_and_meta_the_syntax_is_found(*, implicit: bool, little: bool, syntax: str) -> None:
    found = result(bare(a_plan(), implicit=implicit, little=little))
    assert isinstance(found, Instance)
    assert (found.transfer_syntax, found.label) == (syntax, "Prostate60")


def test_deflated() -> None:
    made = to_bytes(a_plan(), ExplicitVRLittleEndian)
    whole = dcmread(BytesIO(made))
    whole.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    stream = BytesIO()
    dcmwrite(stream, whole, enforce_file_format=True)
    found = result(stream.getvalue())
    assert isinstance(found, Instance)
    assert found.label == "Prostate60"
    assert isinstance(result(stream.getvalue()[:-9]), Fate)


def test_a_sequence_hidden_in_un() -> None:
    hidden = bare(dataset(ReferencedSOPInstanceUID="1.4.2"))
    items = struct.pack("<HHL", 0xFFFE, 0xE000, len(hidden)) + hidden
    head = bare(an_object(RP, Modality="RTPLAN"), implicit=False)
    data = head + struct.pack("<HH2sHL", 0x300C, 0x0060, b"UN", 0, len(items)) + items
    found = result(data)
    assert isinstance(found, Instance)
    assert found.references == {"structure_set": ("1.4.2",)}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.NOT_DICOM),
        (b"%PDF-1.7 and so on", Reason.NOT_DICOM),
        (bytes(5000), Reason.NOT_DICOM),
        (b"\x08\x00\x05\x00\x04\x00\x00\x00abcd", Reason.NOT_DICOM),
        (b"\x08\x00\x05\x00\xff\xff\x00\x00abcd", Reason.UNREADABLE),
        (bytes(128) + b"DICM", Reason.UNREADABLE),
        (bytes(128) + b"DICM" + b"rubbish that is no element", Reason.UNREADABLE),
        (to_bytes(an_object("1.2")), Reason.UNREADABLE),
        (to_bytes(an_object("1.2.840.10008.1.3.10", "1.2.3")), Reason.DICOMDIR),
        (to_bytes(an_object(CT, Rows=2)), Reason.UNREADABLE),
    ],
)
def test_what_is_no_object_has_a_fate(data: bytes, reason: Reason) -> None:
    found = result(data)
    assert isinstance(found, Fate)
    assert found.reason is reason


@pytest.mark.parametrize("make", [a_slice, a_plan, a_structure_set])
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_a_file_cut_inside_an_element_is_unreadable(make: Any, syntax: str) -> None:
    data = to_bytes(make(), syntax)
    whole = parse(data).dataset
    ends = {e.value_tell + e.length for e in whole.elements.values() if not isinstance(e, list)}
    for end in range(300, len(data)):
        found = result(data[:end])
        at_boundary = end in ends or end - 4 in ends
        assert isinstance(found, Fate) or (at_boundary and make is not a_slice), end


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_nuls_behind_the_data_set_are_no_elements(syntax: str) -> None:
    """A disk image pads with megabytes of them; an element for every eight takes seconds a file."""
    data = to_bytes(a_plan(), syntax)
    assert parse(data + bytes(1 << 16)).dataset.elements.keys() == parse(data).dataset.elements.keys()
    assert isinstance(result(data + bytes(64) + b"\x01"), Fate)


def test_encapsulated_pixels_are_stepped_over() -> None:
    path = get_testdata_file("MR_small_RLE.dcm")
    data = Path(str(path)).read_bytes()
    assert isinstance(result(data), Instance)
    assert isinstance(result(data[: data.rindex(b"\xfe\xff\xdd\xe0") - 10]), Fate)


def test_sequences_nested_beyond_reason_are_unreadable() -> None:
    opened = struct.pack("<HHLHHL", 0x300C, 0x60, 0xFFFFFFFF, 0xFFFE, 0xE000, 0xFFFFFFFF)
    found = result(bare(an_object(RP)) + opened * 5000)
    assert isinstance(found, Fate)
    assert found.detail == "its sequences are nested too deeply"


@pytest.mark.parametrize(("levels", "kind"), [(32, Instance), (33, Fate)])
def test_sequences_may_be_nested_as_deeply_as_the_other_reader_takes(levels: int, kind: type) -> None:
    value = b""
    for _ in range(levels):
        value = struct.pack("<HHL", 0xFFFE, 0xE000, len(value)) + value
        value = (
            struct.pack("<HHL", 0x300E, 0x9999, 0xFFFFFFFF) + value + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
        )
    assert isinstance(result(bare(an_object(RP)) + value), kind)


def test_an_inflated_bomb_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rttqa_build.study.header._INFLATED_LIMIT", 1000)
    meta = to_bytes(a_plan())[: -len(bare(a_plan()))].replace(
        b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.2.1.99"
    )
    squeeze = zlib.compressobj(wbits=-15)
    at = meta.index(b"\x02\x00\x10\x00UI") + 6
    meta = meta[:at] + struct.pack("<H", 22) + meta[at + 2 :]
    with pytest.raises(MalformedError, match="deflated"):
        parse(meta + squeeze.compress(bytes(1 << 16)) + squeeze.flush())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_read_is_silent_whatever_the_bytes(data: st.DataObject) -> None:
    whole = bytearray(to_bytes(a_structure_set(), data.draw(st.sampled_from(SYNTAXES))))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(128, len(whole) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(result(bytes(whole)), (Instance, Fate))


SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("rtplan.dcm", Kind.PLAN),
        ("rtstruct.dcm", Kind.STRUCTURE_SET),
        ("rtdose.dcm", Kind.DOSE),
        ("CT_small.dcm", Kind.IMAGE),
        ("MR_small.dcm", Kind.IMAGE),
        ("MR_small_bigendian.dcm", Kind.IMAGE),
        ("ExplVR_LitEndNoMeta.dcm", Kind.PLAN),
        ("ExplVR_BigEndNoMeta.dcm", Kind.PLAN),
        ("rtplan_truncated.dcm", Reason.UNREADABLE),
        ("MR_truncated.dcm", Reason.UNREADABLE),
        ("README.txt", Reason.NOT_DICOM),
    ],
)
def test_bundled_files_of_pydicom(name: str, kind: Kind | Reason) -> None:
    path = get_testdata_file(name)
    found = result(Path(str(path)).read_bytes())
    assert (found.kind if isinstance(found, Instance) else found.reason) is kind


def test_assemble_keeps_the_first_of_equal_files_in_any_order() -> None:
    one, two = to_bytes(a_slice()), to_bytes(an_object(RP, "1.2.3.5"))
    results = [result(one, "b.dcm"), result(two, "c.dcm"), result(one, "a.dcm"), result(b"x", "d.txt")]
    study = assemble(results)
    assert {i.file.path for i in study.instances} == {"a.dcm", "c.dcm"}
    assert {(f.file.path, f.reason) for f in study.others} == {
        ("b.dcm", Reason.DUPLICATE),
        ("d.txt", Reason.NOT_DICOM),
    }
    assert assemble(reversed(results)) == study
    assert not list(conflicts(study))


def test_one_uid_with_two_contents_is_a_conflict() -> None:
    one, two = to_bytes(a_slice(InstanceNumber=1)), to_bytes(a_slice(InstanceNumber=2))
    (found,) = conflicts(assemble([result(one, "x.dcm"), result(two, "y.dcm")]))
    assert (found.code, found.fatal) == ("R501", True)
    assert "x.dcm" in found.local
    assert "x.dcm" not in found.message + found.hint


def test_files_walks_and_tells(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2.dcm").write_bytes(to_bytes(a_plan()))
    (tmp_path / "a.dcm").write_bytes(b"a")
    links = symlinked(tmp_path / "loop", tmp_path) and symlinked(tmp_path / "link.dcm", tmp_path / "a.dcm")
    listing = files(tmp_path)
    assert listing.paths == ("a.dcm", "b/2.dcm")
    if links:
        assert [(f.file.path, f.reason) for f in listing.others] == [
            ("link.dcm", Reason.UNREADABLE),
            ("loop", Reason.UNREADABLE),
        ]


def symlinked(link: Path, target: Path) -> bool:
    try:
        link.symlink_to(target)
    except OSError:
        return False
    return True


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in the file system")
def test_special_files_are_told_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert [f.detail for f in files(tmp_path).others] == ["not a regular file"]


class Refused(NamedTuple):
    """An entry of a folder that may be listed and not entered, where listing does not say what it is."""

    error: OSError
    name: str = "sub"

    def is_symlink(self) -> bool:
        raise self.error


@pytest.mark.parametrize("what", ["a folder", "an entry"])
def test_what_may_not_be_looked_at_is_told_and_a_fault_stops(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.dcm").write_bytes(b"a")
    (tmp_path / "sub").mkdir()
    scandir = os.scandir

    def refusing(error: OSError) -> None:
        def listed(path: Path) -> Any:
            if path.name == "sub":
                raise error
            found = [entry for entry in scandir(path) if what == "a folder" or entry.name != "sub"]
            return contextlib.nullcontext([*found, *([Refused(error)] if what == "an entry" else [])])

        monkeypatch.setattr(os, "scandir", listed)

    refusing(PermissionError(errno.EACCES, "denied"))
    listing = files(tmp_path)
    assert (listing.paths, [fate.file.path for fate in listing.others]) == (("a.dcm",), ["sub"])
    assert "operating system" in listing.others[0].detail
    refusing(OSError(errno.EIO, "input/output error"))
    with pytest.raises(RttqaError) as caught:
        files(tmp_path)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("what", ["missing", "empty", "file", "link"])
def test_a_source_that_is_no_folder_of_files(tmp_path: Path, what: str) -> None:
    source = tmp_path / "secret-name"
    if what == "file":
        source.write_bytes(b"")
    elif what == "empty":
        source.mkdir()
    elif what == "link" and not symlinked(source, tmp_path):
        pytest.skip("no symbolic links here")
    with pytest.raises(UsageError) as error:
        files(source)
    assert error.value.hint
    assert "secret-name" not in error.value.message + error.value.hint


needs_exports = pytest.mark.skipif(not DATA.is_dir(), reason="the real exports are not beside this checkout")


def load(folder: Path, path: str) -> Instance | Fate:
    data = (folder / path).read_bytes()
    return read(source_file(data, path), data)


@needs_exports
def test_real_export_of_eclipse() -> None:
    folder = DATA / "eclipse_phantom"
    study = assemble(load(folder, path) for path in files(folder).paths)
    counts = {kind: sum(i.kind is kind for i in study.instances) for kind in Kind}
    assert counts == {"image": 112, "structure_set": 2, "plan": 3, "dose": 3, "registration": 1, "other": 0}
    assert not study.others


@needs_exports
@pytest.mark.parametrize("name", ["gammaplan_srs", "monaco_vmat", "eclipse_phantom"])
def test_facts_agree_with_pydicom(name: str) -> None:
    folder = DATA / name
    for path in files(folder).paths:
        found, whole = load(folder, path), dcmread(folder / path, force=True, stop_before_pixels=True)
        assert isinstance(found, Instance)
        assert (found.sop_uid, found.series_uid) == (whole.SOPInstanceUID, whole.SeriesInstanceUID)
        if isinstance(found.facts, StructureFacts):
            assert [r.name for r in found.facts.rois] == [r.ROIName for r in whole.StructureSetROISequence]
            contours = {
                c.ReferencedROINumber: len(c.get("ContourSequence", [])) for c in whole.ROIContourSequence
            }
            assert {r.number: r.contours for r in found.facts.rois} == contours
        if isinstance(found.facts, PlanFacts):
            assert [b.name for b in found.facts.beams] == [b.BeamName for b in whole.BeamSequence]


def test_acquisition_facts_of_an_image() -> None:
    made = a_slice(
        StudyDate="20260101",
        SeriesDate="20260102",
        AcquisitionDate="20260103",
        PatientPosition="FFS",
        TemporalPositionIdentifier=3,
    )
    facts = instance(made).facts
    assert isinstance(facts, ImageFacts)
    assert (facts.date, facts.patient_position, facts.temporal) == ("20260103", "FFS", 3)
    assert facts.suv_lacks == ()


@pytest.mark.parametrize(
    ("elements", "tracer", "lacks"),
    [
        ({"PatientWeight": 70, "AcquisitionTime": "1000"}, {"RadiopharmaceuticalStartTime": "0900"}, ()),
        (
            {"PatientWeight": 70, "AcquisitionTime": "1000"},
            {"RadiopharmaceuticalStartDateTime": "202601010900"},
            (),
        ),
        ({"AcquisitionTime": "1000"}, {"RadiopharmaceuticalStartTime": "0900"}, ("PatientWeight",)),
        ({"PatientWeight": 70}, {}, ("RadiopharmaceuticalStartTime", "AcquisitionTime")),
    ],
)
def test_what_an_uptake_value_lacks(
    elements: dict[str, Any], tracer: dict[str, Any], lacks: tuple[str, ...]
) -> None:
    drug = dataset(RadionuclideTotalDose="370000000", **tracer)
    made = a_slice(**elements, RadiopharmaceuticalInformationSequence=[drug])
    made.update(dataset(SOPClassUID=STORAGE + "128", Modality="PT"))
    facts = instance(made).facts
    assert isinstance(facts, ImageFacts)
    assert facts.suv_lacks == lacks


@pytest.mark.parametrize(
    ("beam", "point", "technique"),
    [
        ({"BeamType": "STATIC"}, {"GantryRotationDirection": "NONE"}, "3DCRT"),
        ({"BeamType": "STATIC"}, {"GantryRotationDirection": "CW"}, "arc"),
        ({"BeamType": "DYNAMIC"}, {}, "IMRT"),
        ({"BeamType": "DYNAMIC", "NumberOfWedges": 1}, {}, "3DCRT"),
        ({"BeamType": "DYNAMIC"}, {"GantryRotationDirection": "CC"}, "VMAT"),
        ({}, {}, ""),
        ({"BeamType": "STATIC", "RadiationType": "ELECTRON"}, {}, "electrons"),
        ({"RadiationType": "PROTON", "ScanMode": "MODULATED"}, {}, "PBS"),
    ],
)
def test_techniques(beam: dict[str, Any], point: dict[str, Any], technique: str) -> None:
    one = dataset(BeamNumber=1, ControlPointSequence=[dataset(**point)], **beam)
    facts = instance(an_object(RP, Modality="RTPLAN", BeamSequence=[one])).facts
    assert isinstance(facts, PlanFacts)
    assert [each.technique for each in facts.beams] == [technique]


def test_application_setups_have_a_dose() -> None:
    setups = [
        dataset(ReferencedBrachyApplicationSetupNumber=n, BrachyApplicationSetupDose=d)
        for n, d in ((1, 7), (2, 0.5))
    ]
    groups = [dataset(NumberOfFractionsPlanned=2, ReferencedBrachyApplicationSetupSequence=setups)]
    made = an_object(
        RP,
        Modality="RTPLAN",
        FractionGroupSequence=groups,
        ApplicationSetupSequence=[dataset(ApplicationSetupNumber=1)],
    )
    facts = instance(made).facts
    assert isinstance(facts, PlanFacts)
    assert (facts.kind, facts.setup_dose_gy, facts.beams[0].technique) == (
        "brachytherapy",
        15.0,
        "brachytherapy",
    )
