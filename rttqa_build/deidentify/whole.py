"""Whether an object is all there: its pixels have the size that it says, and it ends no sooner than it may.

A file that was cut between two elements is well-formed. What it lacks tells: each class has an element near
its end that must be there (PS3.3 A.18 to A.20, A.39). Objects cut behind that one lack nothing required.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build.deidentify.elements import PIXEL_DATA

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rttqa_build.deidentify.elements import Element, Stream

_SOP_CLASS, _RT_PLAN_GEOMETRY, _MODALITY = 0x00080016, 0x300A000C, 0x00080060
_BEAMS, _STRUCTURE_SETS, _DVH = 0x300A00B0, 0x300C0060, 0x30040050
_SIZE_TAGS = {0x00280002: 1, 0x00280008: 1, 0x00280010: 0, 0x00280011: 0, 0x00280100: 0}
_STORAGE = b"1.2.840.10008.5.1.4.1.1."
# SOP class → a required element with the highest tag; pixel data for images
_ENDS: Mapping[bytes, int] = {
    **{
        _STORAGE + suffix: PIXEL_DATA
        for suffix in (b"2", b"2.1", b"2.2", b"4", b"4.1", b"4.4", b"128", b"130", b"128.1")
    },
    _STORAGE + b"481.2": _DVH,
    _STORAGE + b"481.3": 0x30060080,  # RTROIObservationsSequence
    _STORAGE + b"481.5": _BEAMS,
    _STORAGE + b"481.8": 0x300A03A2,  # IonBeamSequence
    _STORAGE + b"66.1": 0x00700308,  # RegistrationSequence
    _STORAGE + b"66.3": 0x00700080,  # ContentLabel
}


def ends_too_early(stream: Stream) -> bool:
    """Return whether elements lack that an object of this class must have near its end."""
    end = _end(stream)
    return end is not None and _last(stream) < end


def ends_where_it_may(stream: Stream) -> bool:
    """Return whether the object is known to be complete at its last element."""
    end = _end(stream)
    return end is not None and _last(stream) >= end


def _last(stream: Stream) -> int:
    return stream.elements[-1].tag if stream.elements else -1


def _end(stream: Stream) -> int | None:
    sop_class = _text(stream, _SOP_CLASS)
    if _text(stream, _MODALITY) == b"RTPLAN" and _text(stream, _RT_PLAN_GEOMETRY) == b"PATIENT":
        return _STRUCTURE_SETS
    if _ENDS.get(sop_class) == _DVH and stream.find(0x00280010):
        return PIXEL_DATA
    return _ENDS.get(sop_class)


def _text(stream: Stream, tag: int) -> bytes:
    return (stream.find(tag) or b"").strip(b"\0 ")


def missing_pixels(stream: Stream) -> int:
    """Return how many bytes of native pixel data lack by rows, columns, frames and bits; negative: too many.

    Raises ValueError when one of these is no number, or not written as one.
    """
    if not stream.elements or stream.elements[-1].tag < PIXEL_DATA:
        return 0
    sizes = dict(_SIZE_TAGS)
    pixels = None
    for element in stream.elements:
        if element.tag in sizes:
            sizes[element.tag] = _integer(stream, element)
        elif element.tag == PIXEL_DATA:
            pixels = element.end - element.value
    if pixels is None:
        return 0
    bits = 1
    for size in sizes.values():
        bits *= size
    expected = (bits + 7) // 8
    return expected + expected % 2 - pixels


def _integer(stream: Stream, element: Element) -> int:
    raw = stream.value(element)
    if element.vr == "US" and len(raw) == 2:
        return int.from_bytes(raw, "little" if stream.encoding.little else "big")
    if element.vr not in ("IS", "DS"):
        raise ValueError  # under another VR it might be emptied as text, and the pixels then be too many
    return int(raw.strip(b"\0 ") or b"1")
