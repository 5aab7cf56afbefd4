"""The bytes of one DICOM object → its elements, at every level, to the last byte.

pydicom's element reader splits the stream; lengths are held to account here, because it takes cut files
without a word. Values stay bytes: nothing is decoded that is not asked for. What no check asks for, and large
structure sets are made of, is read and not kept.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.filereader import data_element_generator, read_sequence
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

Path = tuple[tuple[int, int], ...]
Asked = Callable[[Path, int, str], bool]

_ITEM = 0xFFFEE000
_UNDEFINED = 0xFFFFFFFF
_META = 132
_PREFIX = b"DICM"
_SHORT = 64
_LARGE = 1 << 16  # bytes: longer values are not copied from where they stand


class UnreadableError(Exception):
    """The object does not end where its lengths say; holds no value."""


class _Kept:
    """The elements of an object that are asked for; thousands of contours name a few hundred images."""

    def __init__(self, asked: Asked) -> None:
        self.elements: list[Element] = []
        self._asked = asked
        self._known: dict[bytes, bytes] = {}

    def add(self, path: Path, tag: int, vr: str, value: bytes = b"") -> None:
        """Keep an element if a check asks for it."""
        if self._asked(path, tag, vr):
            if len(value) <= _SHORT:
                value = self._known.setdefault(value, value)
            self.elements.append(Element(path, tag, vr, value))


class Syntax(NamedTuple):
    """How a data set is encoded."""

    implicit: bool
    little: bool


class Element(NamedTuple):
    """One element: the sequences and item numbers (from 0) around it, its tag, VR, and value as bytes.

    A sequence has no value of its own: its elements stand behind it.
    """

    path: Path
    tag: int
    vr: str
    value: bytes


class Object(NamedTuple):
    """One object: its preamble, its file meta information, its data set, and how that is encoded."""

    preamble: bytes
    meta: tuple[Element, ...]
    elements: tuple[Element, ...]
    transfer_syntax: str
    syntax: Syntax


def is_dicom(data: bytes) -> bool:
    """Return whether ``data`` starts as a DICOM file does (PS3.10 7.1)."""
    return data[128:_META] == _PREFIX


def everything(_path: Path, _tag: int, _vr: str) -> bool:
    """Ask for every element."""
    return True


def read(data: bytes, asked: Asked = everything) -> Object:
    """Return the elements of an object that are ``asked`` for, by path, tag and VR.

    Raises UnreadableError when it cannot be read to its last byte.
    """
    if not is_dicom(data):
        raise UnreadableError
    try:
        meta, start = _meta(data)
        name = _text(next((item.value for item in meta if item.tag == 0x00020010), b""))
        syntax = _syntax(name)
        found = _Kept(asked)
        _dataset(data, start, (), syntax, found)
    except UnreadableError:
        raise
    except Exception:  # noqa: BLE001  (whatever a parser raises on damaged bytes is one finding)
        raise UnreadableError from None
    return Object(data[:128], meta, tuple(found.elements), name, syntax)


def _text(value: bytes) -> str:
    return value.decode("ascii", "replace").rstrip("\0 ")


def _meta(data: bytes) -> tuple[tuple[Element, ...], int]:
    """Return the file meta information and where it ends, by its group length (PS3.10 7.1)."""
    tag, vr, size, length = struct.unpack_from("<L2sHL", data, _META)
    if (tag, vr, size) != (2, b"UL", 4) or _META + 12 + length > len(data):
        raise UnreadableError
    end = _META + 12 + length
    found = _Kept(everything)
    _dataset(data[_META:end], 0, (), Syntax(implicit=False, little=True), found)
    if any(element.tag >> 16 != 2 for element in found.elements):
        raise UnreadableError
    return tuple(found.elements), end


def _syntax(name: str) -> Syntax:
    uid = UID(name)
    if uid.type != "Transfer Syntax" or uid == DeflatedExplicitVRLittleEndian:
        raise UnreadableError
    return Syntax(uid == ImplicitVRLittleEndian, uid != ExplicitVRBigEndian)


def _dataset(data: bytes, start: int, path: Path, syntax: Syntax, found: _Kept) -> None:
    """Add the elements from ``start`` to exactly the end of ``data``."""
    stream = BytesIO(data)
    stream.seek(start)
    end = start
    for raw in data_element_generator(stream, syntax.implicit, syntax.little, defer_size=_LARGE):
        end = stream.tell()
        _element(raw, data, path, syntax, found)
    if end != len(data):
        raise UnreadableError


def _element(
    raw: RawDataElement | DataElement, around: bytes, path: Path, syntax: Syntax, found: _Kept
) -> None:
    """Add an element that was read from ``around``, and what it holds."""
    tag = int(raw.tag)
    if raw.VR == "SQ" and not isinstance(raw.value, bytes | None):
        found.add(path, tag, "SQ")
        _parsed(raw.value, 0, (path, tag), syntax, found)
        return
    data, start, end = _extent(raw, around)
    vr = raw.VR or dictionary_vr(tag)
    found.add(path, tag, vr, b"" if vr == "SQ" else data[start:end])
    if vr == "SQ":
        _items(data, (start, end), (path, tag), syntax, found)
    elif vr == "UN" and data[start : start + 4] == b"\xfe\xff\x00\xe0":  # PS3.5 6.2.2: implicit, little
        _items(data, (start, end), (path, tag), Syntax(implicit=True, little=True), found)


def _extent(raw: RawDataElement | DataElement, around: bytes) -> tuple[bytes, int, int]:
    """Return the bytes that hold a value, and from where to where: a large one stays where it was read."""
    length = getattr(raw, "length", 0)  # pydicom decodes empty elements of the items that it parsed
    if raw.value is None and length and isinstance(raw, RawDataElement):
        data, start, end = around, raw.value_tell, raw.value_tell + length
    else:
        data, start, end = raw.value or b"", 0, len(raw.value or b"")
        if not isinstance(data, bytes) or length not in {end, _UNDEFINED}:
            raise UnreadableError
    if end > len(data):
        raise UnreadableError
    return data, start, end


def _items(
    data: bytes, extent: tuple[int, int], place: tuple[Path, int], syntax: Syntax, found: _Kept
) -> None:
    """Add what the items of a sequence of known length hold; ``place`` is its own path and tag."""
    header = struct.Struct("<HHL" if syntax.little else ">HHL")
    offset, end = extent
    index = 0
    while offset < end:
        if offset + 8 > end:
            raise UnreadableError
        group, element, length = header.unpack_from(data, offset)
        if group << 16 | element != _ITEM:
            raise UnreadableError
        if length == _UNDEFINED:
            stream = BytesIO(data[offset:end])
            rest = read_sequence(stream, syntax.implicit, syntax.little, end - offset, "iso8859")
            _parsed(rest, index, place, syntax, found)
            return
        offset += 8 + length
        if offset > end:
            raise UnreadableError
        _dataset(data[offset - length : offset], 0, _inside(place, index), syntax, found)
        index += 1


def _parsed(
    items: Iterable[Dataset], first: int, place: tuple[Path, int], syntax: Syntax, found: _Kept
) -> None:
    """Add the elements of items that pydicom had to parse, because they end at a delimiter."""
    for index, item in enumerate(items, start=first):
        inside = _inside(place, index)
        for raw in item.elements():
            _element(raw, b"", inside, syntax, found)


def _inside(place: tuple[Path, int], index: int) -> Path:
    path, tag = place
    return (*path, (tag, index))


@lru_cache(maxsize=8192)
def dictionary_vr(tag: int) -> str:
    """Return the VR that the standard gives a tag (of several the first); UN when it is unknown."""
    try:
        return dictionary_VR(tag)[:2]
    except KeyError:
        return "UL" if not tag & 0xFFFF else "UN"
