"""A structure set with many contours, written as bytes: what takes up memory in a small export."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, TypeVar

from rttqa_build.deidentify import encode
from rttqa_build.deidentify.elements import META

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_CLASS = b"1.2.840.10008.5.1.4.1.1.481.3"
_IMAGES = b"1.2.840.10008.5.1.4.1.1.2"
_SYNTAX = b"1.2.840.10008.1.2.1"


def structure_set(rois: int = 10, contours: int = 100, points: int = 300) -> bytes:
    """Return a file of about ``rois`` × ``contours`` × ``points`` × 20 bytes, explicit VR little endian."""
    meta = _elements(
        (0x00020001, "OB", b"\0\1"),
        (0x00020002, "UI", _CLASS),
        (0x00020003, "UI", b"1.2.3.4"),
        (0x00020010, "UI", _SYNTAX),
        (0x00020012, "UI", b"1.2.3"),
    )
    length = encode.element(META, 0x00020000, "UL", len(meta).to_bytes(4, "little"))
    body = _elements(
        (0x00080016, "UI", _CLASS),
        (0x00080018, "UI", b"1.2.3.4"),
        (0x00080060, "CS", b"RTSTRUCT"),
        (0x00100010, "PN", b"PL-0001"),
        (0x00100020, "LO", b"PL-0001"),
        (0x00120062, "CS", b"YES"),
        (0x0020000D, "UI", b"1.2.3.5"),
        (0x0020000E, "UI", b"1.2.3.6"),
    )
    names = [_item(_elements((0x30060022, "IS", b"%d" % n), (0x30060026, "LO", b"ROI"))) for n in range(rois)]
    drawn = [_roi(n, contours, points) for n in range(rois)]
    return b"".join(
        [
            bytes(128),
            b"DICM",
            length,
            meta,
            body,
            encode.sequence(META, 0x30060020, names),
            encode.sequence(META, 0x30060039, drawn),
        ]
    )


def _roi(number: int, contours: int, points: int) -> bytes:
    value = b"\\".join(b"%06.1f\\%06.1f\\%05.1f" % (n, n, number) for n in range(points))
    items = []
    for contour in range(contours):
        uid = b"1.2.3.7.%d" % (contour % 50)
        image = _item(_elements((0x00081150, "UI", _IMAGES), (0x00081155, "UI", uid)))
        rest = _elements((0x30060042, "CS", b"CLOSED_PLANAR"), (0x30060046, "IS", b"%d" % points))
        shape = encode.element(META, 0x30060050, "DS", value)
        items.append(_item(encode.sequence(META, 0x30060016, [image]) + rest + shape))
    return _item(encode.sequence(META, 0x30060040, items) + _elements((0x30060084, "IS", b"%d" % number)))


def _elements(*rows: tuple[int, str, bytes]) -> bytes:
    return b"".join(encode.element(META, tag, vr, value) for tag, vr, value in rows)


def _item(content: bytes) -> bytes:
    return encode.item(META, content)


def peak(work: Callable[[], T]) -> tuple[T, int]:
    """Return what comes of a piece of work, and how many bytes it took at most beside what was there."""
    tracemalloc.start()
    try:
        result = work()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
