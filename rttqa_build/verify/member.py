"""One file of the package → its digest, its faults, and what the bag and the links need of it."""

from __future__ import annotations

import hashlib
import re
import zipfile
from io import BytesIO
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.verify import dicom, text
from rttqa_build.verify.fault import Fault
from rttqa_build.verify.stream import is_dicom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.verify.container import Entry
    from rttqa_build.verify.dicom import DicomObject

_PLAIN = frozenset({".txt", ".csv", ".json"})
_OFFICE = frozenset({".docx", ".xlsx", ".xlsm"})
_OTHER = frozenset({".pdf", ".png", ".jpg", ".jpeg"})
_MOST_OFFICE_TEXT = 64 << 20
_MARKUP = re.compile(rb"<[^>]*>")
# Where the sender's own contact stands on purpose.
_SENDERS = frozenset({"bag-info.txt", "data/README.txt"})
_CONTACTS = frozenset({text.EMAIL, text.PHONE, text.POSTCODE})


class Content(NamedTuple):
    """One file: its path in the folder, how findings name it, its digest and size, and what it holds.

    ``data`` is kept only for the files beside the payload; ``sha256`` is empty when the file is damaged.
    """

    path: str
    shown: str
    sha256: str
    size: int
    faults: tuple[Fault, ...]
    dicom: DicomObject | None = None
    data: bytes = b""


def read(entry: Entry, data: bytes, patient: str) -> Content:
    """Examine one file as what it is: a DICOM object, a document, or a file of the bag."""
    digest = hashlib.sha256(data).hexdigest()
    suffix = PurePosixPath(entry.path).suffix.lower()
    if suffix == ".dcm" or is_dicom(data):
        found, faults = dicom.examine(data, entry.shown, patient)
        return Content(entry.path, entry.shown, digest, len(data), faults, found)
    faults = tuple(_document_faults(entry, data, suffix))
    kept = b"" if entry.path.startswith("data/") else data
    return Content(entry.path, entry.shown, digest, len(data), faults, data=kept)


def _document_faults(entry: Entry, data: bytes, suffix: str) -> Iterator[Fault]:
    if suffix not in _PLAIN | _OFFICE | _OTHER:
        yield Fault("K022", "A file is of a kind that does not belong in a package.", entry.shown)
    found = set(_document_kinds(data, suffix))
    if entry.path in _SENDERS:
        found -= _CONTACTS
    for kind in sorted(found):
        code = "K060" if kind in text.CERTAIN else "K061"
        yield Fault(code, f"A text looks like {kind}.", entry.shown)


def _document_kinds(data: bytes, suffix: str) -> tuple[str, ...]:
    if suffix in _PLAIN:
        return text.kinds(_as_utf8(data))
    if suffix in _OFFICE:
        return text.kinds(_office_text(data))
    return ()


def _as_utf8(data: bytes) -> bytes:
    """Return text that starts with a UTF-16 byte order mark as UTF-8, any other as it is."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    return data


def _office_text(data: bytes) -> bytes:
    """Return the text between the tags of an Office file's XML parts, as far as 64 MiB go."""
    parts, room = [], _MOST_OFFICE_TEXT
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            for info in archive.infolist():
                if info.filename.endswith((".xml", ".rels")) and room > 0:
                    with archive.open(info) as part:
                        parts.append(part.read(room))
                    room -= len(parts[-1])
    except Exception:  # noqa: BLE001  (a document that cannot be opened is no finding of a package check)
        return b""
    return b"\n".join(_MARKUP.sub(b" ", part) for part in parts)
