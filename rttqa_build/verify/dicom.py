"""One DICOM object → what is wrong with it, and what the links need to know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pydicom.datadict import keyword_for_tag
from pydicom.uid import UID

from rttqa_build.verify import stream, text
from rttqa_build.verify.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rttqa_build.verify.stream import Element, Path, Syntax

# What a Part 10 file needs (PS3.10 7.1): the application entity titles and private information are not in it.
_META_NEEDED = frozenset({0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012, 0x00020013})
_MODALITIES = frozenset(
    {"CT", "MR", "PT", "NM", "US", "REG", "SEG", "RTSTRUCT", "RTPLAN", "RTDOSE", "RTIMAGE", "RTRECORD"}
)
_TEXT = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UN", "UR", "UT"})
_PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_UNASKED = frozenset({"CS", "DS", "FD", "FL", "IS", "SL", "SQ", "SS", "UL", "US"})
_PADDING = 0xFFFCFFFC
_ROWS, _COLUMNS, _FRAMES = 0x00280010, 0x00280011, 0x00280008
_SAMPLES, _BITS = 0x00280002, 0x00280100
_PET_GROUP, _PET_CREATOR, _PET_FACTORS = 0x7053, "Philips PET Private Group", (0x00, 0x09)
# ReferencedSOPInstanceUID, SeriesInstanceUID, FrameOfReferenceUID, SourceFrameOfReferenceUID
_LINKING = frozenset({0x00081155, 0x0020000E, 0x00200052, 0x00640003})
_PATIENT = {0x00100010: "PatientName", 0x00100020: "PatientID"}


class Reference(NamedTuple):
    """A UID inside an object and the sequences around it."""

    path: Path
    tag: int
    uid: str


class DicomObject(NamedTuple):
    """What the links need: how findings name the object, what it is, and the UIDs in its sequences.

    Of these, those that name an object, a series or a frame of reference.
    """

    member: str
    sop_class: str
    sop_uid: str
    series_uid: str
    frame_uid: str
    modality: str
    references: tuple[Reference, ...]


def examine(data: bytes, member: str, patient: str) -> tuple[DicomObject | None, tuple[Fault, ...]]:
    """Return an object, and its faults; no object when it cannot be read to its last byte.

    ``patient`` is the trial ID that Patient ID and Patient's Name must be.
    """
    try:
        source = stream.read(data, _is_asked_for)
    except stream.UnreadableError:
        return None, (Fault("K040", "A DICOM object cannot be read to its last byte.", member),)
    top = {element.tag: element.value for element in source.elements if not element.path}
    found = _facts(top, source.elements, member)
    faults = (
        *_empty_space(source, member),
        *_meta_faults(source, found),
        *_identity(top, source.elements, member, patient),
        *_private(source.elements, member),
        *_pixel_length(top, source, member),
        *_text_faults(source.elements, member, patient),
    )
    return found, faults


def _is_asked_for(path: Path, tag: int, vr: str) -> bool:
    """Return whether a check asks for an element.

    None does for public ones inside sequences that are numbers, code strings, sequences, or UIDs that link
    nothing: all of these together take more than the object.
    """
    if not path or tag >> 16 & 1 or tag >> 16 == 0x0010:
        return True
    return tag in _LINKING if vr == "UI" else vr not in _UNASKED


def _string(value: bytes) -> str:
    return value.decode("latin-1").strip("\0 ")


def _facts(top: Mapping[int, bytes], elements: Iterable[Element], member: str) -> DicomObject:
    sop_class, sop_uid, series, frame, modality = (
        _string(top.get(tag, b"")) for tag in (0x00080016, 0x00080018, 0x0020000E, 0x00200052, 0x00080060)
    )
    modality = modality if modality in _MODALITIES else "OT"  # only known ones may be shown
    known: dict[bytes, str] = {}
    references = tuple(
        Reference(path, tag, known.setdefault(value, _string(value)))
        for path, tag, vr, value in elements
        if path and tag in _LINKING and vr == "UI"
    )
    return DicomObject(member, sop_class, sop_uid, series, frame, modality, references)


def _empty_space(source: stream.Object, member: str) -> Iterator[Fault]:
    if source.preamble.strip(b"\0"):
        yield Fault("K045", "A DICOM object's preamble is not empty.", member)
    if any(element.tag == _PADDING and element.value.strip(b"\0") for element in source.elements):
        yield Fault(
            "K045", "A DICOM object's trailing padding is not empty.", member, "DataSetTrailingPadding"
        )


def _meta_faults(source: stream.Object, found: DicomObject) -> Iterator[Fault]:
    meta = {element.tag: _string(element.value) for element in source.meta}
    for tag, value in ((0x00020002, found.sop_class), (0x00020003, found.sop_uid)):
        if not value or meta.get(tag) != value:
            message = "The file meta information and the object disagree."
            yield Fault("K046", message, found.member, keyword_for_tag(tag))
    for tag in sorted(meta.keys() - _META_NEEDED):
        message = "The file meta information holds an element that it does not need."
        yield Fault("K046", message, found.member, keyword_for_tag(tag))


def _identity(
    top: Mapping[int, bytes], elements: Iterable[Element], member: str, patient: str
) -> Iterator[Fault]:
    if _string(top.get(0x00120062, b"")) != "YES":
        message = "A DICOM object is not marked as de-identified."
        yield Fault("K042", message, member, "PatientIdentityRemoved")
    different = {element.tag for element in elements if _names_another(element, patient)}
    for tag, keyword in _PATIENT.items():
        if tag in different or tag not in top:
            message = "A DICOM object's patient is not the one that the package's folder names."
            yield Fault("K043", message, member, keyword)


def _names_another(element: Element, patient: str) -> bool:
    """Return whether an element names a patient other than ours; nested ones may be empty."""
    if element.tag not in _PATIENT:
        return False
    value = _string(element.value)
    return value != patient if value or not element.path else False


def _private(elements: Iterable[Element], member: str) -> Iterator[Fault]:
    elements = tuple(elements)
    private = [element for element in elements if element.tag >> 16 & 1]
    if any(_tells_safe_private(element) for element in elements):
        private = [element for element in private if not _is_safe(element)]
    for place in sorted({_place(element) for element in private}):
        yield Fault("K044", "A DICOM object holds private elements.", member, place)


def _tells_safe_private(element: Element) -> bool:
    """Return whether an element names the Retain Safe Private Option as a method of de-identification."""
    within = element.path[-1][0] if element.path else 0
    return (element.tag, within) == (0x00080100, 0x00120064) and _string(element.value) == "113111"


def _is_safe(element: Element) -> bool:
    """Return whether a private element is a PET scale factor, a number, or its creator (PS3.15 E.3.10)."""
    group, number, value = element.tag >> 16, element.tag & 0xFFFF, _string(element.value)
    if group != _PET_GROUP or element.vr == "SQ":
        return False
    if number <= 0xFF:
        return value == _PET_CREATOR
    return number & 0xFF in _PET_FACTORS and not value.strip("0123456789.+-eE\\ ")


def _place(element: Element) -> str:
    """Return where an element stands: the keywords of the sequences around it, and its own."""
    tags = [tag for tag, _ in element.path] + [element.tag]
    return ".".join(keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in tags)


def _pixel_length(top: Mapping[int, bytes], source: stream.Object, member: str) -> Iterator[Fault]:
    """Compare native pixel data with what the image pixel module asks for (PS3.3 C.7.6.3, PS3.5 8.1)."""
    if _ROWS not in top or UID(source.transfer_syntax).is_compressed:
        return
    try:
        expected = _expected_length(top, source.syntax)
    except ValueError:
        yield Fault("K041", "A DICOM object does not say how long its pixel data are.", member)
        return
    found = next((value for tag, value in top.items() if tag in _PIXEL_DATA), b"")
    if len(found) != expected:
        message = "A DICOM object's pixel data are not as long as its rows, columns, frames and bits ask for."
        yield Fault("K041", message, member, "PixelData")


def _expected_length(top: Mapping[int, bytes], syntax: Syntax) -> int:
    """Return rows × columns × frames × samples × bits in bytes, padded to even."""
    order: Literal["little", "big"] = "little" if syntax.little else "big"
    bits = int(_string(top.get(_FRAMES, b"")) or "1")
    for tag in (_ROWS, _COLUMNS, _SAMPLES, _BITS):
        if len(value := top.get(tag, b"")) != 2:
            raise ValueError
        bits *= int.from_bytes(value, order)
    size = -(-bits // 8)
    return size + size % 2


def _text_faults(elements: Iterable[Element], member: str, patient: str) -> Iterator[Fault]:
    ours = patient.encode()
    for element in elements:
        if element.vr not in _TEXT or element.value.strip(b"\0 ") == ours:
            continue
        for kind in text.kinds(element.value, bare_numbers=element.tag >> 16 == 0x0010):
            code = "K060" if kind in text.CERTAIN else "K061"
            yield Fault(code, f"A text looks like {kind}.", member, _place(element))
