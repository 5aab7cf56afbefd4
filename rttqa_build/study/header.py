"""The bytes of one DICOM file → a :class:`Header`, whose values stay raw until they are asked for.

pydicom finds the elements; the values are decoded here, because pydicom's own conversion warns and raises
in words that quote the value, under a validation mode that all threads share.
"""

from __future__ import annotations

import functools
import math
import re
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.study.tags import TAGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeAlias

    from pydicom.dataelem import DataElement, RawDataElement

    Element: TypeAlias = "RawDataElement | list[Header]"
    Stop: TypeAlias = Callable[[int, str | None, int], bool]

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"

_UNDEFINED = 0xFFFF_FFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFE_E000, 0xFFFE_E00D, 0xFFFE_E0DD
_PIXELS = frozenset({0x7FE0_0008, 0x7FE0_0009, 0x7FE0_0010})
_CHARACTER_SET = TAGS["SpecificCharacterSet"]
_HALTS = _PIXELS | {_CHARACTER_SET}
_NOTHING = 0  # tag and length of what is no element, but NULs behind the data set
_FIRST_GROUPS = frozenset({b"\x02\0", b"\x08\0"})
_PREAMBLE = 132
_SHORT = 64
_INFLATED_LIMIT = 1 << 28  # bytes, as in deidentify/stream.py
_DEEPEST = 32  # as in deidentify/reader.py
_CUT = "it is cut short or damaged"
_PUNCTUATION = re.compile(r"[^A-Z0-9]")
_ESCAPED = re.compile(rb"(?=\x1b)")


class MalformedError(Exception):
    """The bytes end, or make no sense, where DICOM says how they go on. The text is safe to show."""


class Encoding(NamedTuple):
    """How elements are written: implicit or explicit VR, byte order, Python codecs of its text; how deep."""

    implicit: bool
    little: bool = True
    codecs: tuple[str, ...] = ("latin_1",)
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Header:
    """The elements of a data set or sequence item but pixel data, of which it says whether there is any."""

    elements: Mapping[int, Element]
    encoding: Encoding
    pixels: bool = False

    def raw(self, keyword: str) -> bytes:
        """Return the bytes of a value; none when it is absent, empty or a sequence."""
        element = self.elements.get(TAGS[keyword])
        return b"" if element is None or isinstance(element, list) else element.value or b""

    def texts(self, keyword: str) -> tuple[str, ...]:
        """Return the values of a text element without their padding."""
        value = self.raw(keyword)
        return (_remembered if len(value) <= _SHORT else _texts)(value, self.encoding.codecs) if value else ()

    def text(self, keyword: str) -> str:
        """Return the first value of a text element, or nothing."""
        return next(iter(self.texts(keyword)), "")

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """Return the values of a DS or IS element; none at all when one of them is no finite number."""
        try:
            values = tuple(float(text) for text in self.texts(keyword))
        except ValueError:
            return ()
        return values if all(math.isfinite(v) for v in values) else ()

    def number(self, keyword: str) -> float | None:
        """Return the first value of a DS element."""
        return next(iter(self.numbers(keyword)), None)

    def integer(self, keyword: str) -> int | None:
        """Return the first value of an IS element."""
        value = self.number(keyword)
        return None if value is None else int(value)

    def unsigned(self, keyword: str) -> int:
        """Return the value of a US element, 0 when it has none."""
        value = self.raw(keyword)
        return int.from_bytes(value[:2], "little" if self.encoding.little else "big")

    def items(self, keyword: str) -> Iterator[Header]:
        """Yield the items of a sequence; ``UN`` hides one in implicit VR (PS3.5 6.2.2)."""
        element = self.elements.get(TAGS[keyword])
        if isinstance(element, list):
            yield from element
        elif element is not None and element.value:
            yield from _items(BytesIO(element.value), len(element.value), _inside(element.VR, self.encoding))

    def has(self, keyword: str) -> bool:
        """Return whether an element is there with a value or with items."""
        element = self.elements.get(TAGS[keyword])
        return bool(element if element is None or isinstance(element, list) else element.value)


class File(NamedTuple):
    """One DICOM file: its file meta information, its data set, its transfer syntax (told or found)."""

    meta: Header
    dataset: Header
    transfer_syntax: str


def parse(data: bytes) -> File:
    """Read a file with or without preamble and file meta information; pixel data is stepped over.

    Raises:
        MalformedError: the bytes are no complete DICOM data set.

    """
    try:
        return _parse(data)
    except zlib.error:
        raise MalformedError("its deflated part cannot be inflated") from None
    except RecursionError:
        raise MalformedError("its sequences are nested too deeply") from None


def starts_like_dicom(data: bytes) -> bool:
    """Return whether a file begins with the DICM prefix, or with a first element of file meta or data set."""
    if data[128:132] == b"DICM" or data[:3] == b"\0\x08\0":
        return True
    return len(data) > 8 and data[:2] in _FIRST_GROUPS and data[2] <= 0x18 and data[3] == 0


def _parse(data: bytes) -> File:
    stream = BytesIO(data)
    stream.seek(_PREAMBLE if data[128:132] == b"DICM" else 0)
    meta = _meta(stream)
    syntax = meta.text("TransferSyntaxUID")
    if syntax == DEFLATED:
        stream = BytesIO(_inflate(stream.read()))
    head = stream.read(6)
    stream.seek(-len(head), 1)
    encoding = _encoding(head, syntax)
    if not syntax:
        syntax = (
            IMPLICIT_LITTLE if encoding.implicit else EXPLICIT_LITTLE if encoding.little else EXPLICIT_BIG
        )
    return File(meta, _dataset(stream, encoding), syntax)


def _meta(stream: BytesIO) -> Header:
    """Read the elements of group 0002, always explicit VR little endian (PS3.10 7.1)."""
    encoding = Encoding(implicit=False)
    elements: dict[int, Element] = {}
    _add_elements(stream, encoding, elements, lambda tag, _vr, _length: tag >> 16 != 2)
    return Header(elements, encoding)


def _encoding(head: bytes, syntax: str) -> Encoding:
    """Return how a data set is written by its first bytes: writers exist whose file meta is wrong."""
    little = syntax != EXPLICIT_BIG and head[:2] != b"\0\x08"
    return Encoding(implicit=not head[4:6].isalpha(), little=little)


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    result = inflater.decompress(data, min(_INFLATED_LIMIT, max(1 << 26, 200 * len(data))))
    if not inflater.eof:
        raise MalformedError("its deflated part is cut short or too large")
    return result


def _dataset(stream: BytesIO, encoding: Encoding, *, item: bool = False) -> Header:
    """Read elements to the end of the stream or to the delimiter of an item; pixel data is stepped over."""
    elements: dict[int, Element] = {}
    pixels = False
    while halt := _plain_elements(stream, encoding, elements):
        if halt.tag == _NOTHING:
            break
        if halt.tag in _PIXELS:
            _pass_pixels(stream, encoding, halt.length)
            pixels = True
        elif halt.tag == _CHARACTER_SET:
            encoding = encoding._replace(codecs=_codecs(_exactly(stream, halt.length)))
        else:
            elements[halt.tag] = list(_items(stream, None, _inside(halt.vr, encoding)))
    if _tag_and_length(stream, encoding)[0] != _ITEM_END if item else stream.read().strip(b"\0"):
        raise MalformedError(_CUT)
    return Header(elements, encoding, pixels)


class _Halt(NamedTuple):
    """An element that needs more than its bytes to be handed over; the stream stands at its value."""

    tag: int
    vr: str | None
    length: int
    start: int


def _plain_elements(stream: BytesIO, encoding: Encoding, elements: dict[int, Element]) -> _Halt | None:
    """Add elements up to the next one that is not plain, or to the end, and leave the stream there.

    pydicom's generator is halted where it would do more than hand over bytes: at the character set, of
    which it may warn, at undefined lengths, from which it would build whole trees, and at NULs, of which it
    would make an element for every eight.
    """
    halted: list[_Halt] = []

    def halt(tag: int, vr: str | None, length: int) -> bool:
        if length == _UNDEFINED or tag in _HALTS or tag == length == _NOTHING:
            halted.append(_Halt(tag, vr, length, stream.tell()))
            return True
        return False

    end = _add_elements(stream, encoding, elements, halt)
    stream.seek(halted[0].start if halted else end)
    return halted[0] if halted else None


def _add_elements(stream: BytesIO, encoding: Encoding, elements: dict[int, Element], stop: Stop) -> int:
    """Add the elements up to ``stop`` and return where they end.

    Whatever pydicom raises on bad bytes is said in our words.
    """
    generator, plain = _pydicom()
    end = stream.tell()
    try:
        for each in generator(stream, encoding.implicit, encoding.little, stop_when=stop):
            if not isinstance(each, plain) or len(each.value or b"") < each.length:
                raise MalformedError(_CUT)
            elements[int(each.tag)] = each
            end = each.value_tell + each.length
    except (struct.error, ValueError, LookupError, EOFError, OSError, OverflowError, TypeError):
        raise MalformedError("its elements cannot be told apart") from None
    return end


@functools.cache
def _pydicom() -> tuple[Callable[..., Iterator[RawDataElement | DataElement]], type[RawDataElement]]:
    """Return pydicom's reader and what it yields; to import them anew for each item takes a tenth of it."""
    from pydicom.dataelem import RawDataElement
    from pydicom.filereader import data_element_generator

    return data_element_generator, RawDataElement


def _pass_pixels(stream: BytesIO, encoding: Encoding, length: int) -> None:
    """Step over pixel data; encapsulated, it is a list of fragments (PS3.5 A.4)."""
    tag = _ITEM
    while length == _UNDEFINED and tag == _ITEM:
        tag, fragment = _tag_and_length(stream, encoding)
        _step(stream, fragment)
    if length != _UNDEFINED:
        _step(stream, length)
    elif tag != _SEQUENCE_END:
        raise MalformedError(_CUT)


def _step(stream: BytesIO, length: int) -> None:
    there = stream.seek(length, 1)
    if there > stream.seek(0, 2):
        raise MalformedError(_CUT)
    stream.seek(there)


def _items(stream: BytesIO, end: int | None, encoding: Encoding) -> Iterator[Header]:
    """Yield the items up to ``end``, or to the sequence's delimiter."""
    while end is None or stream.tell() < end:
        tag, length = _tag_and_length(stream, encoding)
        if tag == _SEQUENCE_END:
            return
        if tag != _ITEM:
            raise MalformedError(_CUT)
        if length == _UNDEFINED:
            yield _dataset(stream, encoding, item=True)
            continue
        yield _dataset(BytesIO(_exactly(stream, length)), encoding)


def _tag_and_length(stream: BytesIO, encoding: Encoding) -> tuple[int, int]:
    group, element, length = struct.unpack("<HHL" if encoding.little else ">HHL", _exactly(stream, 8))
    return group << 16 | element, length


def _exactly(stream: BytesIO, length: int) -> bytes:
    value = stream.read(length)
    if len(value) < length:
        raise MalformedError(_CUT)
    return value


def _inside(vr: str | None, encoding: Encoding) -> Encoding:
    """Return how a sequence's items are written: ``UN`` hides implicit VR little endian (PS3.5 6.2.2)."""
    if encoding.depth >= _DEEPEST:  # each level may hold a copy of all below it
        raise MalformedError("its sequences are nested too deeply")
    inner = encoding._replace(depth=encoding.depth + 1)
    return inner._replace(implicit=True, little=True) if vr == "UN" else inner


def _codecs(value: bytes) -> tuple[str, ...]:
    """Return the Python codecs of a Specific Character Set (PS3.3 C.12.1.1.2), whatever its punctuation."""
    known = _known_codecs()
    names = (_PUNCTUATION.sub("", name) for name in value.decode("latin_1").upper().split("\\", 1))
    return tuple(known.get(name, "latin_1") for name in names)


@functools.cache
def _known_codecs() -> Mapping[str, str]:
    from pydicom.charset import python_encoding

    return {_PUNCTUATION.sub("", name): codec for name, codec in python_encoding.items()}


def _texts(value: bytes, codecs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text.strip(" \0") for text in _decoded(value, codecs).split("\\"))


# most slices of a series have the same: one string, here and where they are sent
_remembered = functools.lru_cache(1 << 12)(_texts)


def _decoded(value: bytes, codecs: tuple[str, ...]) -> str:
    if b"\x1b" not in value:
        return value.decode(codecs[0], "replace")
    return "".join(_fragment(part, codecs[0]) for part in _ESCAPED.split(value))


def _fragment(part: bytes, default: str) -> str:
    """Decode text up to the next escape sequence (PS3.5 6.1.2.5); Python's ISO 2022 codecs want to see it."""
    from pydicom.charset import CODES_TO_ENCODINGS

    code = next((code for code in CODES_TO_ENCODINGS if part.startswith(code)), b"")
    codec = CODES_TO_ENCODINGS.get(code, default)
    return part[0 if codec.startswith("iso2022") else len(code) :].decode(codec, "replace")
