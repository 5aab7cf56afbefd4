"""A DICOM file's bytes → its elements, by tag, VR, length and offset; nothing is decoded.

This is the project's own reader, independent of pydicom (DESIGN section 6). It is strict: each length must
end exactly where its parent ends, tags must ascend (PS3.5 7.1), native pixel data must have the size that
the image module says. A file that breaks a rule is refused with :class:`StreamError`, whose message never
holds a value. Encodings: implicit and explicit VR, both endians, deflated, defined and undefined lengths,
``UN`` as implicit VR sequence (PS3.5 6.2.2 note 2), with or without preamble and file meta information.
"""

from __future__ import annotations

import functools
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    Unpack = Callable[[bytes, int], tuple[Any, ...]]

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED_LITTLE = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
NATIVE = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG})

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
TRANSFER_SYNTAX_UID, PIXEL_DATA = 0x00020010, 0x7FE00010
DEEPEST = 32
LARGEST_INFLATED = 1 << 31

LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_SHORT_VRS = (
    "AE",
    "AS",
    "AT",
    "CS",
    "DA",
    "DS",
    "DT",
    "FD",
    "FL",
    "IS",
    "LO",
    "LT",
    "PN",
    "SH",
    "SL",
    "SS",
    "ST",
    "TM",
    "UI",
    "UL",
    "US",
)
_VRS: Mapping[bytes, tuple[str, bool]] = {
    vr.encode(): (vr, vr in LONG_VRS) for vr in (*LONG_VRS, *_SHORT_VRS)
}


_TOO_LONG = "an element is longer than what holds it"


class StreamError(ValueError):
    """The file is not a complete, well-formed DICOM object; the message is safe to show."""


class Encoding(NamedTuple):
    """How a data set is written."""

    explicit: bool
    little: bool


class Element(NamedTuple):
    """One element as offsets into the file's bytes: header, value, end (delimiters included).

    ``vr`` is the one in the file, or the dictionary's for implicit VR and for ``UN``; ``items`` is None but
    for sequences.
    """

    tag: int
    vr: str
    start: int
    value: int
    end: int
    items: tuple[Item, ...] | None


class Item(NamedTuple):
    """One item of a sequence: its elements, their encoding, and whether its length is undefined."""

    elements: list[Element]
    encoding: Encoding
    undefined: bool


class Leaf(NamedTuple):
    """One element that is no sequence; ``path`` holds the tags of the sequences around it."""

    tag: int
    vr: str
    value: bytes
    path: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stream:
    """A parsed file. Offsets refer to ``data``, which is the inflated data set where it was deflated."""

    data: bytes
    meta: list[Element]
    elements: list[Element]
    encoding: Encoding
    transfer_syntax: str
    padding: int = 0

    def value(self, element: Element) -> bytes:
        """Return an element's value as it stands in the file."""
        return self.data[element.value : element.end]

    def find(self, tag: int) -> bytes | None:
        """Return the value of a top-level element, or None."""
        return next((self.value(e) for e in self.elements if e.tag == tag), None)


META = Encoding(explicit=True, little=True)
_IMPLICIT = Encoding(explicit=False, little=True)


@functools.cache
def dictionary() -> Mapping[int, str]:
    """Return tag → VR of PS3.6; an ambiguous VR is given as its first unambiguous bytes-alike."""
    from pydicom._dicom_dict import DicomDictionary

    ambiguous = {"US or SS": "US", "US or SS or OW": "OW", "OB or OW": "OW", "US or OW": "OW", "NONE": "UN"}
    return {tag: ambiguous.get(entry[0], entry[0]) for tag, entry in DicomDictionary.items()}


def parse(data: bytes) -> Stream:
    """Return the elements of one file; raise :class:`StreamError` when it is not whole."""
    start = 132 if data[128:132] == b"DICM" else 0
    meta, body = _parse_meta(data, start)
    syntax = next((_ascii(data[e.value : e.end]) for e in meta if e.tag == TRANSFER_SYNTAX_UID), "")
    if syntax == DEFLATED_LITTLE:
        data, syntax = _inflate(data, body), EXPLICIT_LITTLE
    encoding = _encoding(syntax) if syntax else _guess(data, body)
    end = len(data)
    elements, end = _Reader(data, encoding).top(body)
    stream = Stream(data, meta, elements, encoding, syntax or _syntax_of(encoding), len(data) - end)
    _check_pixels(stream)
    return stream


def walk(stream: Stream, *, pixels: bool = True) -> Iterator[Leaf]:
    """Yield every element that is no sequence, at every depth, file meta information first.

    ``pixels=False`` leaves out group 7FE0, for readers that have no use for it.
    """
    data = stream.data
    stack: list[tuple[list[Element], tuple[int, ...]]] = [(stream.elements, ()), (stream.meta, ())]
    while stack:
        elements, path = stack.pop()
        for tag, vr, _, value, end, items in elements:
            if items is not None:
                inside = (*path, tag)
                stack.extend([(item.elements, inside) for item in items])
            elif pixels or tag >> 16 != PIXEL_DATA >> 16:
                yield Leaf(tag, vr, data[value:end], path)


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
        """Return the elements of the data set and where it ends; NULs behind it are padding."""
        data = self.data
        end = len(data)
        if end - start < 8:
            raise StreamError("the file holds no data set")
        if not data.endswith(b"\0" * 8):
            return self.elements(start, end)
        try:
            return self.elements(start, end)
        except StreamError:
            padding = start + len(data[start:].rstrip(b"\0"))
            elements, _ = self.elements(start, end, padding_from=padding)
            return elements, elements[-1].end

    def elements(
        self, position: int, end: int, *, delimited: bool = False, padding_from: int | None = None
    ) -> tuple[list[Element], int]:
        """Return the elements from ``position`` to exactly ``end``, or to an item delimiter."""
        found: list[Element] = []
        previous = -1
        read = self._explicit if self.encoding.explicit else self._implicit
        while position < end:
            if end - position < 8:
                raise StreamError("an element header is cut off")
            element = read(position, end)
            tag = element.tag
            if tag == ITEM_END:
                return found, self._closed(element, delimited=delimited)
            if tag <= previous:
                if padding_from is not None and position >= padding_from:
                    return found, position
                raise StreamError("elements are not in ascending order: the file is damaged")
            previous = tag
            found.append(element)
            position = element.end
        if delimited:
            raise StreamError("an item of undefined length does not end")
        return found, position

    def _closed(self, delimiter: Element, *, delimited: bool) -> int:
        if not delimited:
            raise StreamError("an item delimiter stands where an element should")
        return delimiter.end

    def item_header(self, position: int, end: int) -> tuple[int, int]:
        """Return tag and length of an item or a delimiter, which have no VR in any encoding."""
        if end - position < 8:
            raise StreamError("an item header is cut off")
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
                raise StreamError(_TOO_LONG)
            return Element(tag, vr, position, position + 8, stop, None)
        if end - position < 12:
            raise StreamError("an element header is cut off")
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
            raise StreamError(_TOO_LONG)
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
                raise StreamError("an item is longer than its sequence")
            elements, position = inner.elements(position, stop, delimited=undefined)
            items.append(Item(elements, encoding, undefined))
        if delimited:
            raise StreamError("a sequence of undefined length does not end")
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
        raise StreamError("compressed pixel data is cut off")


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


def _inflate(data: bytes, body: int) -> bytes:
    """Return the file with its deflated data set replaced by the inflated one (PS3.5 A.5)."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(data[body:], LARGEST_INFLATED)
    except zlib.error as error:
        raise StreamError("the deflated data set is damaged") from error
    if not inflater.eof:
        raise StreamError("the deflated data set is cut off or too large")
    return data[:body] + inflated


def _encoding(syntax: str) -> Encoding:
    return Encoding(explicit=syntax != IMPLICIT_LITTLE, little=syntax != EXPLICIT_BIG)


def _guess(data: bytes, position: int) -> Encoding:
    """Return the encoding of a data set whose file meta information lacks, by its first header."""
    explicit = data[position + 4 : position + 6] in _VRS
    little = not (data[position] == 0 and data[position + 1] != 0) if len(data) > position + 1 else True
    return Encoding(explicit, little or not explicit)


def _syntax_of(encoding: Encoding) -> str:
    if not encoding.explicit:
        return IMPLICIT_LITTLE
    return EXPLICIT_LITTLE if encoding.little else EXPLICIT_BIG


def _ascii(value: bytes) -> str:
    return value.rstrip(b"\0 ").decode("ascii", "replace")


_SIZE_TAGS = {0x00280002: 1, 0x00280008: 1, 0x00280010: 0, 0x00280011: 0, 0x00280100: 0}


def _check_pixels(stream: Stream) -> None:
    """Refuse native pixel data whose length is not what rows, columns, frames and bits say."""
    if stream.transfer_syntax not in NATIVE or stream.elements[-1].tag < PIXEL_DATA:
        return
    sizes = dict(_SIZE_TAGS)
    pixels = None
    for element in stream.elements:
        if element.tag in sizes:
            sizes[element.tag] = _integer(stream, element)
        elif element.tag == PIXEL_DATA:
            pixels = element.end - element.value
    if pixels is None:
        return
    bits = 1
    for size in sizes.values():
        bits *= size
    expected = (bits + 7) // 8
    if pixels != expected + expected % 2:
        raise StreamError(
            "pixel data is not as long as rows, columns and frames say: the file is cut or damaged"
        )


def _integer(stream: Stream, element: Element) -> int:
    raw = stream.value(element)
    if element.vr == "US" and len(raw) == 2:
        return int.from_bytes(raw, "little" if stream.encoding.little else "big")
    try:
        return int(raw.strip(b"\0 ") or b"1")
    except ValueError as error:
        raise StreamError("the number of frames is no number") from error
