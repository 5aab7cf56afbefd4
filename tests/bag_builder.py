"""Small packages for the tests of verify, built with pydicom and zipfile only, and ways to spoil them."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDER = "EP-0123_r1"
CT, REG = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.66.1"
STRUCTURES, PLAN, DOSE = (f"1.2.840.10008.5.1.4.1.1.481.{number}" for number in (3, 5, 2))
FRAME, OTHER_FRAME, SERIES, OTHER_SERIES = "2.25.900", "2.25.901", "2.25.910", "2.25.911"


def item(**values: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        items = isinstance(value, list) and isinstance(value[0], Dataset)
        setattr(dataset, keyword, Sequence(value) if items else value)
    return dataset


def reference(sop_class: str, uid: str) -> Dataset:
    return item(ReferencedSOPClassUID=sop_class, ReferencedSOPInstanceUID=uid)


def instance(sop_class: str, uid: str, modality: str, series: str, **values: Any) -> Dataset:
    dataset = item(
        SOPClassUID=sop_class,
        SOPInstanceUID=uid,
        Modality=modality,
        StudyInstanceUID="2.25.1",
        SeriesInstanceUID=series,
        PatientName="EP-0123",
        PatientID="EP-0123",
        PatientIdentityRemoved="YES",
        DeidentificationMethodCodeSequence=[item(CodeValue="113100", CodeMeaning="Basic Profile")],
        **values,
    )
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(uid)
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = UID("2.25.7")
    return dataset


def pixels(rows: int, columns: int, bits: int) -> dict[str, Any]:
    size = rows * columns * bits // 8
    return {
        "Rows": rows,
        "Columns": columns,
        "BitsAllocated": bits,
        "SamplesPerPixel": 1,
        "PixelRepresentation": 0,
        "PixelData": (bytes(range(256)) * (size // 256 + 1))[:size],
    }


def objects() -> dict[str, Dataset]:
    """Two slices, structures, plan, dose, a second CT slice elsewhere and its registration."""
    slices = [
        instance(CT, f"2.25.10{n}", "CT", SERIES, FrameOfReferenceUID=FRAME, **pixels(8, 8, 16))
        for n in (1, 2)
    ]
    images = [reference(CT, "2.25.101"), reference(CT, "2.25.102")]
    series = item(SeriesInstanceUID=SERIES, ContourImageSequence=images)
    frame = item(
        FrameOfReferenceUID=FRAME,
        RTReferencedStudySequence=[item(RTReferencedSeriesSequence=[series])],
    )
    contour = item(
        ContourImageSequence=[reference(CT, "2.25.101")],
        ContourGeometricType="POINT",
        NumberOfContourPoints=1,
        ContourData=["1.0", "2.0", "3.0"],
    )
    structures = instance(
        STRUCTURES,
        "2.25.200",
        "RTSTRUCT",
        "2.25.920",
        StructureSetLabel="Pelvis",
        ReferencedFrameOfReferenceSequence=[frame],
        StructureSetROISequence=[item(ROINumber=1, ROIName="Rectum")],
        ROIContourSequence=[item(ReferencedROINumber=1, ContourSequence=[contour])],
    )
    plan = instance(
        PLAN,
        "2.25.300",
        "RTPLAN",
        "2.25.930",
        ReferencedStructureSetSequence=[reference(STRUCTURES, "2.25.200")],
        ReferencedRTPlanSequence=[reference(PLAN, "2.25.999")],
    )
    dose = instance(
        DOSE,
        "2.25.400",
        "RTDOSE",
        "2.25.940",
        NumberOfFrames="3",
        ReferencedRTPlanSequence=[reference(PLAN, "2.25.300")],
        **{**pixels(4, 5, 32), "PixelData": bytes(range(240))},
    )
    other = instance(CT, "2.25.501", "CT", OTHER_SERIES, FrameOfReferenceUID=OTHER_FRAME, **pixels(4, 4, 16))
    registration = instance(
        REG,
        "2.25.600",
        "REG",
        "2.25.960",
        FrameOfReferenceUID=FRAME,
        RegistrationSequence=[item(FrameOfReferenceUID=FRAME), item(FrameOfReferenceUID=OTHER_FRAME)],
    )
    other.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return {
        "data/planning/CT_0001.dcm": slices[0],
        "data/planning/CT_0002.dcm": slices[1],
        "data/planning/RS_1.dcm": structures,
        "data/planning/RP_1.dcm": plan,
        "data/planning/RD_1.dcm": dose,
        "data/diagnostic_ct/CT_0001.dcm": other,
        "data/registration/RE_1.dcm": registration,
    }


def encoded(dataset: Dataset) -> bytes:
    target = io.BytesIO()
    dataset.save_as(target, enforce_file_format=True)
    return target.getvalue()


def undefined_lengths(dataset: Dataset) -> Dataset:
    """Let every sequence and item of ``dataset`` end at a delimiter."""
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for child in element.value:
                child.is_undefined_length_sequence_item = True
                undefined_lengths(child)
    return dataset


def payload(datasets: Mapping[str, Dataset] | None = None) -> dict[str, bytes]:
    files = {path: encoded(dataset) for path, dataset in (datasets or objects()).items()}
    return {**files, "data/README.txt": b"Contact rt@example.org\n", "data/documents/form.pdf": b"%PDF-1.7\n"}


def digest_lines(files: Mapping[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(files[path]).hexdigest()}  {path}\n" for path in sorted(files)).encode()


def bag(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the payload with everything that makes it a bag: path inside the folder → content."""
    manifest = digest_lines(files)
    subject = {"name": "manifest-sha256.txt", "digest": {"sha256": hashlib.sha256(manifest).hexdigest()}}
    octets = sum(map(len, files.values()))
    tags = {
        "bag-info.txt": f"Contact-Email: rt@example.org\nPayload-Oxum: {octets}.{len(files)}\n".encode(),
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "manifest-sha256.txt": manifest,
        "provenance.json": json.dumps({"subject": [subject]}).encode(),
    }
    return {**files, **tags, "tagmanifest-sha256.txt": digest_lines(tags)}


def zipped(files: Mapping[str, bytes] | Iterable[tuple[str, bytes]], folder: str = FOLDER) -> bytes:
    """Return a zip of the files, below ``folder`` unless their names say otherwise."""
    pairs = files.items() if hasattr(files, "items") else files
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in pairs:
            info = zipfile.ZipInfo(f"{folder}/{path}")
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content)
    return target.getvalue()


def package(datasets: Mapping[str, Dataset] | None = None) -> bytes:
    return zipped(bag(payload(datasets)))
