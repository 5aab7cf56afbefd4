"""What else lies in a real export folder: a rejected plan's phase, a DICOMDIR, text, a thumbnail cache."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import MediaStorageDirectoryStorage

from rttqa_build.synthetic.anatomy import PTV_HIGH
from rttqa_build.synthetic.case import Phase
from rttqa_build.synthetic.elements import dataset, extend, file_meta, uid

if TYPE_CHECKING:
    from rttqa_build.synthetic.identity import Identity

REJECTED = Phase("rejected", "RECT_TEST", "PTV 60 final", PTV_HIGH, 60, 20)

_ITEM = b"\xfe\xff\x00\xe0"


def files(who: Identity) -> dict[str, bytes]:
    """Return the files that are no object of the patient's, by path relative to the export folder."""
    log = (
        f"Export of {who.name} ({who.hospital_number}) by {who.login}\r\n"
        f"NHS number {who.nhs_number}\r\nDestination: trial QA\r\nStatus: complete\r\n"
    )
    return {
        "DICOMDIR": directory(who),
        f"{who.folder}/export log.txt": log.encode("cp1252"),
        f"{who.folder}/Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
    }


def directory(who: Identity) -> bytes:
    """Return a DICOMDIR that lists the patient (PS3.3 F.3)."""
    record = dataset(
        OffsetOfTheNextDirectoryRecord=0,
        RecordInUseFlag=0xFFFF,
        OffsetOfReferencedLowerLevelDirectoryEntity=0,
        DirectoryRecordType="PATIENT",
        SpecificCharacterSet=who.character_set,
        PatientName=who.name,
        PatientID=who.hospital_number,
    )
    listing = dataset(
        SOPClassUID=MediaStorageDirectoryStorage,
        SOPInstanceUID=uid("directory"),
        FileSetID="EXPORT",
        OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity=0,
        OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity=0,
        FileSetConsistencyFlag=0,
        DirectoryRecordSequence=[record],
    )
    meta = file_meta(listing, who.application_entity, who.name.encode())
    del listing.SOPClassUID, listing.SOPInstanceUID
    return _with_offsets(FileDataset("DICOMDIR", listing, file_meta=meta, preamble=bytes(128)))


def _with_offsets(listing: FileDataset) -> bytes:
    """Return the bytes with the record's own place filled in, which only the finished file shows."""
    place = _encoded(listing).index(_ITEM)
    first = "OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity"
    last = "OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity"
    extend(listing, {first: place, last: place})
    return _encoded(listing)


def _encoded(item: Dataset) -> bytes:
    buffer = io.BytesIO()
    item.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
