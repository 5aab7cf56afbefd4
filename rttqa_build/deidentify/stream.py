"""A DICOM file's bytes → its elements, by tag, VR, length and offset; nothing is decoded.

This is the project's own reader, independent of pydicom (DESIGN section 6). It is strict: each length must
end exactly where its parent ends, tags must ascend (PS3.5 7.1), native pixel data must have the size that
the image module says. A file that breaks a rule is refused with :class:`StreamError`, whose message never
holds a value. Encodings: implicit and explicit VR, both endians, deflated, defined and undefined lengths,
``UN`` as implicit VR sequence (PS3.5 6.2.2 note 2), with or without preamble and file meta information.
What real exports do beyond that is in :mod:`~rttqa_build.deidentify.oddities`.
"""

from __future__ import annotations

import functools
import struct
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from rttqa_build.deidentify import oddities
from rttqa_build.deidentify.elements import (
    DEFLATED_LITTLE,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    ITEM,
    ITEM_END,
    LONG_VRS,
    META,
    NATIVE,
    PIXEL_DATA,
    SEQUENCE_END,
    UNDEFINED,
    Element,
    Encoding,
    Item,
    Stream,
)
from rttqa_build.deidentify.whole import ends_too_early, ends_where_it_may, missing_pixels

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping
    from typing import Any

    Unpack = Callable[[bytes, int], tuple[Any, ...]]

TRANSFER_SYNTAX_UID, SERIES_INSTANCE_UID = 0x00020010, 0x0020000E
DEEPEST = 32
LARGEST_INFLATED = 1 << 31

_SHORT_VRS = (
    *("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO"),
    *("LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US"),
)
_VRS: Mapping[bytes, tuple[str, bool]] = {
    vr.encode(): (vr, vr in LONG_VRS) for vr in (*LONG_VRS, *_SHORT_VRS)
}


_TOO_LONG = "an element is longer than what holds it"
_CUT_HEADER = "an element header is cut off"
_UNORDERED = "elements are not in ascending order: the file is damaged"
_CONVERTED = "its line endings were converted, as if it were text: the file is damaged"


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
    from pydicom._dicom_dict import DicomDictionary

    ambiguous = {"US or SS": "US", "US or SS or OW": "OW", "OB or OW": "OW", "US or OW": "OW", "NONE": "UN"}
    return {tag: ambiguous.get(entry[0], entry[0]) for tag, entry in DicomDictionary.items()}


def parse(data: bytes) -> Stream:
    """Return the elements of one file; raise :class:`StreamError` when it is not whole."""
    try:
        return _parse(data)
    except StreamError:
        restored = oddities.with_line_endings_restored(data)
        if restored is not None and (oddities.certainly_converted(data) or _can_be_read(restored)):
            raise LineEndingError(_CONVERTED) from None
        raise


def demand_whole(stream: Stream) -> None:
    """Raise :class:`CutError` for a data set that was cut between two elements and lacks required ones."""
    if ends_too_early(stream):
        raise CutError("the object ends before elements that must be there")


def _can_be_read(data: bytes) -> bool:
    try:
        return not _parse(data).garbage
    except StreamError:
        return False


def _parse(data: bytes) -> Stream:
    file = data
    meta, body = _parse_meta(data, oddities.without_preamble(data))
    syntax = next((_ascii(data[e.value : e.end]) for e in meta if e.tag == TRANSFER_SYNTAX_UID), "")
    behind = b""
    if syntax == DEFLATED_LITTLE:
        (data, behind), syntax = _inflate(data, body), EXPLICIT_LITTLE
    encoding = (
        _encoding(syntax) if syntax else Encoding(*oddities.encoding_without_meta(data, body, _VRS.keys()))
    )
    elements, end = _Reader(data, encoding).top(body)
    cut_or_padded = 0 < len(data) - end < 8
    behind = data[end:] + behind
    stream = Stream(data, meta, elements, encoding, syntax or _syntax_of(encoding), len(behind))
    _check_pixels(stream)
    return _without_garbage(stream, file, behind) if cut_or_padded or behind.strip(b"\0") else stream


def _without_garbage(stream: Stream, file: bytes, behind: bytes) -> Stream:
    """Return the stream with its trailing garbage counted; refuse what may be the object's own bytes."""
    if not ends_where_it_may(stream):
        raise StreamError(_UNORDERED) if len(behind) > 7 else CutError(_CUT_HEADER)
    if oddities.line_endings_converted(file[: len(file) - len(behind)]):
        raise LineEndingError(_CONVERTED)
    return replace(stream, garbage=len(behind) if behind.strip(b"\0") else 0)


def head(data: bytes) -> Mapping[int, bytes]:
    """Return the first elements, up to the series, of a file that is damaged further down."""
    try:
        meta, position = _parse_meta(data, oddities.without_preamble(data))
        syntax = next((_ascii(data[e.value : e.end]) for e in meta if e.tag == TRANSFER_SYNTAX_UID), "")
        encoding = (
            _encoding(syntax)
            if syntax
            else Encoding(*oddities.encoding_without_meta(data, position, _VRS.keys()))
        )
    except StreamError:
        return {}
    reader, found = _Reader(data, encoding), dict[int, bytes]()
    tag = -1
    while tag < SERIES_INSTANCE_UID and len(data) - position >= 8:
        try:
            element = reader.element(position, len(data))
        except StreamError:
            break
        if element.tag <= tag:
            break
        tag, position = element.tag, element.end
        found[tag] = data[element.value : element.end].strip(b"\0 ")
    return found


@functools.cache
def _unpackers(encoding: Encoding) -> tuple[Unpack, Unpack, Unpack]:
    """Return what reads an element's header, a long length, and the header of an item."""
    order = "<" if encoding.little else ">"
    layouts = (order + ("HH2sH" if encoding.explicit else "HHL"), order + "L", order + "HHL")
    header, long, tag = (struct.Struct(layout).unpack_from for layout in layouts)
    return header, long, tag


class _Reader:
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
            raise StreamError(_UNORDERED)
        return element

    def _is_garbage(self, rest: bytes, previous: int, seen: Container[int]) -> bool:
        if self.encoding.explicit and len(rest) >= 6 and rest[4:6] not in _VRS:
            return True
        return oddities.is_garbage(rest, previous, dictionary(), seen, little=self.encoding.little)

    def element(self, position: int, end: int) -> Element:
        """Return the element that begins at ``position``."""
        if end - position < 8:
            raise CutError(_CUT_HEADER)
        return (self._explicit if self.encoding.explicit else self._implicit)(position, end)

    def elements(self, position: int, end: int, *, delimited: bool = False) -> tuple[list[Element], int]:
        """Return the elements from ``position`` to exactly ``end``, or to an item delimiter."""
        found: list[Element] = []
        previous = -1
        read = self._explicit if self.encoding.explicit else self._implicit
        while position < end:
            if end - position < 8:
                raise CutError(_CUT_HEADER)
            element = read(position, end)
            tag = element.tag
            if tag == ITEM_END:
                return found, self._closed(element, delimited=delimited)
            if tag <= previous:
                raise StreamError(_UNORDERED)
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

    def _explicit(self, position: int, end: int) -> Element:
        group, number, raw, length = self.header(self.data, position)
        tag = group << 16 | number
        if group == 0xFFFE:
            return self._delimiter(position)
        known = _VRS.get(raw)
        if known is None:
            raise StreamError("an element has no valid value representation")
        vr, is_long = known
        if not is_long:
            stop = position + 8 + length
            if stop > end:
                raise CutError(_TOO_LONG)
            return Element(tag, vr, position, position + 8, stop, None)
        if end - position < 12:
            raise CutError(_CUT_HEADER)
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
        inner = _Reader(self.data, encoding, self.depth + 1)
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


def _parse_meta(data: bytes, start: int) -> tuple[list[Element], int]:
    """Return the file meta elements (group 0002, always explicit little endian) and where they end."""
    reader = _Reader(data, META)
    meta: list[Element] = []
    position = start
    while data[position : position + 2] == b"\x02\0" and len(data) - position >= 12:
        element = reader._explicit(position, len(data))
        meta.append(element)
        position = element.end
    return meta, position


def _inflate(data: bytes, body: int) -> tuple[bytes, bytes]:
    """Return the file with its deflated data set inflated (PS3.5 A.5), and what stands behind that."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(data[body:], min(LARGEST_INFLATED, _allowance(len(data))))
    except zlib.error as error:
        raise StreamError("the deflated data set is damaged") from error
    if not inflater.eof:
        raise CutError("the deflated data set is cut off or too large")
    return data[:body] + inflated, inflater.unused_data


def _allowance(size: int) -> int:
    """Return how many bytes a deflated file of ``size`` may inflate to: an image shrinks less than that."""
    return max(1 << 26, 200 * size)


def _encoding(syntax: str) -> Encoding:
    return Encoding(explicit=syntax != IMPLICIT_LITTLE, little=syntax != EXPLICIT_BIG)


def _syntax_of(encoding: Encoding) -> str:
    if not encoding.explicit:
        return IMPLICIT_LITTLE
    return EXPLICIT_LITTLE if encoding.little else EXPLICIT_BIG


def _ascii(value: bytes) -> str:
    return value.rstrip(b"\0 ").decode("ascii", "replace")


def _check_pixels(stream: Stream) -> None:
    """Refuse native pixel data whose length is not what rows, columns, frames and bits say."""
    if stream.transfer_syntax not in NATIVE:
        return
    try:
        missing = missing_pixels(stream)
    except ValueError as error:
        raise StreamError("rows, columns, frames or bits are not written as numbers") from error
    if missing:
        raise CutError(
            "pixel data is not as long as rows, columns and frames say: the file is cut or damaged"
        )
