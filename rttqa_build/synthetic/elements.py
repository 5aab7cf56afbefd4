"""Keywords and values → pydicom datasets; fixed words → UIDs. The bricks of the synthetic objects."""

from __future__ import annotations

import hashlib
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

# Enterprise number 32473 is set aside for documentation (RFC 5612), so no real object has these UIDs.
ROOT = "1.3.6.1.4.1.32473.7"


def uid(*words: object) -> UID:
    """Return the UID that stands for these words: the same at every call, on every machine."""
    digest = hashlib.sha256("/".join(str(word) for word in words).encode()).digest()
    return UID(f"{ROOT}.{int.from_bytes(digest[:12], 'big')}")


def dataset(**elements: Any) -> Dataset:
    """Return a dataset of these keywords; a list of datasets becomes a sequence."""
    result = Dataset()
    extend(result, elements)
    return result


def extend(target: Dataset, elements: dict[str, Any]) -> Dataset:
    """Set these keywords in a dataset, in place, and return it."""
    for keyword, value in elements.items():
        nested = isinstance(value, list) and all(isinstance(item, Dataset) for item in value)
        setattr(target, keyword, Sequence(value) if nested else value)
    return target


def reference(target: Dataset, **more: Any) -> Dataset:
    """Return a sequence item that refers to an object."""
    return dataset(
        ReferencedSOPClassUID=target.SOPClassUID, ReferencedSOPInstanceUID=target.SOPInstanceUID, **more
    )


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """Return a code sequence item (PS3.3 8.8)."""
    return dataset(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def file_meta(instance: Dataset, application_entity: str, private: bytes) -> FileMetaDataset:
    """Return file meta information (PS3.10 7.1) with what sending systems leave in it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = instance.SOPClassUID
    meta.MediaStorageSOPInstanceUID = instance.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(f"{ROOT}.1")
    meta.ImplementationVersionName = "SYNTHTPS_1"
    meta.SourceApplicationEntityTitle = application_entity
    meta.PrivateInformationCreatorUID = UID(f"{ROOT}.2")
    meta.PrivateInformation = private
    return meta
