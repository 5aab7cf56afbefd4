"""What a pseudonymised object says about itself: de-identification marks, trial modules, file meta.

PS3.15 E.1.1 items 4 and 5 (marks), PS3.3 C.7.1.3 and C.7.3.1 (clinical trial), PS3.10 7.1 (file meta). The
values depend on trial, centre and profile version only, never on the tool's version, so that a new release
does not change every file.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from rttqa_build.deidentify import encode
from rttqa_build.deidentify.elements import META

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rttqa_build.deidentify.elements import Encoding

PROFILE = "RTTQA_PROFILE_1"
IMPLEMENTATION_CLASS_UID = "2.25.239939105813711042612749861922394881778"
_CODES = {
    "113100": "Basic Application Confidentiality Profile",
    "113105": "Clean Descriptors Option",
    "113106": "Retain Longitudinal Temporal Information Full Dates Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
    "113110": "Retain UIDs Option",
    "113111": "Retain Safe Private Option",
}


@dataclass(frozen=True, slots=True)
class Marks:
    """The values that every object of a submission receives.

    ``supplied``: the object belongs to a case that the trial supplied; its UIDs and dates were kept.
    """

    subject: str
    trial_id: str
    trial_name: str
    sponsor: str
    site_id: str
    site_name: str
    dates_shifted: bool = True
    patient_characteristics: bool = False
    safe_private: bool = False
    supplied: bool = False

    def elements(self, encoding: Encoding) -> Mapping[int, bytes]:
        """Return the encoded elements by tag; they replace any that the object had."""
        return _elements(self, encoding)

    def codes(self) -> list[str]:
        """Return the codes of the de-identification method (PS3.16 CID 7050)."""
        options = {
            "113106": self.supplied,
            "113107": self.dates_shifted and not self.supplied,
            "113108": self.patient_characteristics,
            "113110": self.supplied,
            "113111": self.safe_private,
        }
        return ["113100", "113105", *(code for code, chosen in options.items() if chosen)]

    def temporal_information(self) -> str:
        """Return what became of the dates (PS3.3 C.12.1, Longitudinal Temporal Information Modified)."""
        if self.supplied:
            return "UNMODIFIED"
        return "MODIFIED" if self.dates_shifted else "REMOVED"


@functools.lru_cache(maxsize=32)
def _elements(marks: Marks, encoding: Encoding) -> Mapping[int, bytes]:
    """Encode once what is the same in every slice."""
    texts = {
        0x00100010: ("PN", marks.subject),
        0x00100020: ("LO", marks.subject),
        0x00120010: ("LO", marks.sponsor or marks.trial_id),
        0x00120020: ("LO", marks.trial_id),
        0x00120021: ("LO", marks.trial_name),
        0x00120030: ("LO", marks.site_id),
        0x00120031: ("LO", marks.site_name),
        0x00120040: ("LO", marks.subject),
        0x00120062: ("CS", "YES"),
        0x00120063: ("LO", PROFILE),
        0x00280303: ("CS", marks.temporal_information()),
    }
    encoded = {tag: encode.element(encoding, tag, vr, _ascii(text)) for tag, (vr, text) in texts.items()}
    encoded[0x00120064] = encode.sequence(
        encoding, 0x00120064, (_code_item(encoding, code) for code in marks.codes())
    )
    return MappingProxyType(dict(sorted(encoded.items())))


def file_meta(sop_class: bytes, sop_instance: bytes, transfer_syntax: str) -> bytes:
    """Return a zeroed preamble, the prefix and the file meta information of a pseudonymised object."""
    values = (
        (0x00020001, "OB", b"\0\1"),
        (0x00020002, "UI", sop_class),
        (0x00020003, "UI", sop_instance),
        (0x00020010, "UI", transfer_syntax.encode()),
        (0x00020012, "UI", IMPLEMENTATION_CLASS_UID.encode()),
        (0x00020013, "SH", PROFILE.encode()),
    )
    body = b"".join(encode.element(META, tag, vr, value) for tag, vr, value in values)
    length = encode.element(META, 0x00020000, "UL", len(body).to_bytes(4, "little"))
    return bytes(128) + b"DICM" + length + body


def _code_item(encoding: Encoding, code: str) -> bytes:
    values = ((0x00080100, "SH", code), (0x00080102, "SH", "DCM"), (0x00080104, "LO", _CODES[code]))
    return encode.item(
        encoding, b"".join(encode.element(encoding, tag, vr, _ascii(text)) for tag, vr, text in values)
    )


def _ascii(text: str) -> bytes:
    """Return text as every DICOM character set can hold it, at most 64 characters (VR LO)."""
    return text.encode("ascii", "replace")[:64].replace(b"\\", b"/")
