"""Bytes of a data set → its elements, each length held to account: the recursive part of the stream reader.

Each length must end exactly where its parent ends, and tags must ascend (PS3.5 7.1). What breaks a rule is
refused with :class:`StreamError`, whose message never holds a value.
"""

from __future__ import annotations

import functools
import struct
from typing import TYPE_CHECKING

from rttqa_build.deidentify import oddities
from rttqa_build.deidentify.dictionary import entries
from rttqa_build.deidentify.elements import (
    ITEM,
    ITEM_END,
    LONG_VRS,
    PIXEL_DATA,
    SEQUENCE_END,
    UNDEFINED,
    Element,
    Encoding,
    Item,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping
    from typing import Any

    Unpack = Callable[[bytes, int], tuple[Any, ...]]

DEEPEST = 32
_SHORT_VRS = (
    *("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO"),
    *("LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US"),
)
VRS: Mapping[bytes, tuple[str, bool]] = {vr.encode(): (vr, vr in LONG_VRS) for vr in (*LONG_VRS, *_SHORT_VRS)}

_TOO_LONG = "an element is longer than what holds it"
CUT_HEADER = "an element header is cut off"
UNORDERED = "elements are not in ascending order: the file is damaged"


class StreamError(ValueError):
    """The file is not a complete, well-formed DICOM object; the message is safe to show."""


class CutError(StreamError):
    """The file, or a value in it, ends sooner or later than its own lengths say."""


class LineEndingError(StreamError):
    """The line endings of a binary file were converted."""


_IMPLICIT = Encoding(explicit=False, little=True)


@functools.cache
def dictionary() -> Mapping[int, str]:
    """Return tag → VR of PS3.6; an ambiguous VR is given as its first unambiguous bytes-alike."""
    ambiguous = {"US or SS": "US", "US or SS or OW": "OW", "OB or OW": "OW", "US or OW": "OW", "NONE": "UN"}
    return {tag: ambiguous.get(entry[0], entry[0]) for tag, entry in entries().items()}


@functools.cache
def _unpackers(encoding: Encoding) -> tuple[Unpack, Unpack, Unpack]:
    """Return what reads an element's header, a long length, and the header of an item."""
    order = "<" if encoding.little else ">"
    layouts = (order + ("HH2sH" if encoding.explicit else "HHL"), order + "L", order + "HHL")
    header, long, tag = (struct.Struct(layout).unpack_from for layout in layouts)
    return header, long, tag


class Reader:
    """Reads elements of one file; recursion follows the nesting, to a depth of 32."""

    def __init__(self, data: bytes, encoding: Encoding, depth: int = 0) -> None:
        self.data = data
        self.encoding = encoding
        self.depth = depth
        self.header, self.long, self.tag = _unpackers(encoding)

    def top(self, start: int) -> tuple[list[Element], int]:
        """Return the elements of the data set and where it ends: at the last byte, or before what is none."""
        end = len(self.data)
        if end - start < 8:
            raise CutError("the file holds no data set")
        try:
            return self.elements(start, end)
        except StreamError:
            return self._before_garbage(start, end)

    def _before_garbage(self, position: int, end: int) -> tuple[list[Element], int]:
        """Return the elements up to the first bytes that cannot begin one; raise where they can."""
        found: dict[int, Element] = {}
        previous = -1
        while position < end:
            try:
                element = self._next(position, end, previous)
            except StreamError:
                if found and self._is_garbage(self.data[position : position + 8], previous, found.keys()):
                    break
                raise
            previous = element.tag
            found[previous] = element
            position = element.end
        return list(found.values()), position

    def _next(self, position: int, end: int, previous: int) -> Element:
        element = self.element(position, end)
        if element.tag == ITEM_END:
            self._closed(element, delimited=False)
        if element.tag <= previous:
            raise StreamError(UNORDERED)
        return element

    def _is_garbage(self, rest: bytes, previous: int, seen: Container[int]) -> bool:
        if self.encoding.explicit and len(rest) >= 6 and rest[4:6] not in VRS:
            return True
        return oddities.is_garbage(rest, previous, dictionary(), seen, little=self.encoding.little)

    def element(self, position: int, end: int) -> Element:
        """Return the element that begins at ``position``."""
        if end - position < 8:
            raise CutError(CUT_HEADER)
        return (self.explicit if self.encoding.explicit else self._implicit)(position, end)

    def elements(self, position: int, end: int, *, delimited: bool = False) -> tuple[list[Element], int]:
        """Return the elements from ``position`` to exactly ``end``, or to an item delimiter."""
        found: list[Element] = []
        previous = -1
        read = self.explicit if self.encoding.explicit else self._implicit
        while position < end:
            if end - position < 8:
                raise CutError(CUT_HEADER)
            element = read(position, end)
            tag = element.tag
            if tag == ITEM_END:
                return found, self._closed(element, delimited=delimited)
            if tag <= previous:
                raise StreamError(UNORDERED)
            previous = tag
            found.append(element)
            position = element.end
        if delimited:
            raise CutError("an item of undefined length does not end")
        return found, position

    def _closed(self, delimiter: Element, *, delimited: bool) -> int:
        if not delimited:
            raise StreamError("an item delimiter stands where an element should")
        return delimiter.end

    def item_header(self, position: int, end: int) -> tuple[int, int]:
        """Return tag and length of an item or a delimiter, which have no VR in any encoding."""
        if end - position < 8:
            raise CutError("an item header is cut off")
        group, number, length = self.tag(self.data, position)
        return group << 16 | number, length

    def _implicit(self, position: int, end: int) -> Element:
        group, number, length = self.header(self.data, position)
        tag = group << 16 | number
        vr = dictionary().get(tag, "UN") if not group & 1 else "UN"
        return self._finish(tag, vr, position, position + 8, length, end)

    def explicit(self, position: int, end: int) -> Element:
        """Return the element with its own VR that begins at ``position``."""
        group, number, raw, length = self.header(self.data, position)
        tag = group << 16 | number
        if group == 0xFFFE:
            return self._delimiter(position)
        known = VRS.get(raw)
        if known is None:
            raise StreamError("an element has no valid value representation")
        vr, is_long = known
        if not is_long:
            stop = position + 8 + length
            if stop > end:
                raise CutError(_TOO_LONG)
            return Element(tag, vr, position, position + 8, stop, None)
        if end - position < 12:
            raise CutError(CUT_HEADER)
        (length,) = self.long(self.data, position + 8)
        return self._finish(tag, vr, position, position + 12, length, end)

    def _delimiter(self, position: int) -> Element:
        if self.item_header(position, position + 8) != (ITEM_END, 0):
            raise StreamError("a sequence delimiter stands where an element should")
        return Element(ITEM_END, "", position, position + 8, position + 8, None)

    def _finish(self, tag: int, vr: str, start: int, value: int, length: int, end: int) -> Element:
        if length == UNDEFINED:
            return self._undefined(tag, vr, start, value, end)
        stop = value + length
        if stop > end:
            raise CutError(_TOO_LONG)
        if vr == "SQ":
            return Element(tag, vr, start, value, stop, self._items(value, stop, self.encoding)[0])
        if vr == "UN" and self.encoding.explicit:
            return self._unknown(tag, start, value, stop)
        if tag == ITEM_END:
            return self._delimiter(start)
        return Element(tag, vr, start, value, stop, None)

    def _undefined(self, tag: int, vr: str, start: int, value: int, end: int) -> Element:
        if vr in ("OB", "OW") and tag == PIXEL_DATA:
            return Element(tag, vr, start, value, self._fragments(value, end), None)
        if vr not in ("SQ", "UN"):
            raise StreamError("an element that is no sequence has no length")
        encoding = _IMPLICIT if vr == "UN" else self.encoding
        items, stop = self._items(value, end, encoding, delimited=True)
        return Element(tag, "SQ", start, value, stop, items)

    def _unknown(self, tag: int, start: int, value: int, stop: int) -> Element:
        """Return a ``UN`` element under its dictionary VR; one that hides a sequence is entered."""
        vr = dictionary().get(tag, "UN")
        if vr != "SQ":
            return Element(tag, vr, start, value, stop, None)
        return Element(tag, "SQ", start, value, stop, self._items(value, stop, _IMPLICIT)[0])

    def _items(
        self, position: int, end: int, encoding: Encoding, *, delimited: bool = False
    ) -> tuple[tuple[Item, ...], int]:
        if self.depth >= DEEPEST:
            raise StreamError("sequences are nested deeper than 32 levels")
        inner = Reader(self.data, encoding, self.depth + 1)
        items: list[Item] = []
        while position < end:
            tag, length = inner.item_header(position, end)
            position += 8
            if tag == SEQUENCE_END and delimited and not length:
                return tuple(items), position
            if tag != ITEM:
                raise StreamError("a sequence holds something that is no item")
            undefined = length == UNDEFINED
            stop = end if undefined else position + length
            if stop > end:
                raise CutError("an item is longer than its sequence")
            elements, position = inner.elements(position, stop, delimited=undefined)
            items.append(Item(elements, encoding, undefined))
        if delimited:
            raise CutError("a sequence of undefined length does not end")
        return tuple(items), position

    def _fragments(self, position: int, end: int) -> int:
        """Return where encapsulated pixel data ends (PS3.5 A.4)."""
        while position < end:
            tag, length = self.item_header(position, end)
            position += 8
            if tag == SEQUENCE_END and not length:
                return position
            if tag != ITEM or length == UNDEFINED:
                break
            position += length
        raise CutError("compressed pixel data is cut off")
