"""The bytes of one DICOM object → its elements, at every level, to the last byte.

pydicom's element reader splits the stream; lengths are held to account here, because it takes cut files
without a word. Values stay bytes: nothing is decoded that is not asked for.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from pydicom.datadict import dictionary_VR
from pydicom.filereader import data_element_generator, read_sequence
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydicom.dataelem import DataElement, RawDataElement
    from pydicom.dataset import Dataset

Path = tuple[tuple[int, int], ...]

_ITEM = 0xFFFEE000
_UNDEFINED = 0xFFFFFFFF
_META = 132
_PREFIX = b"DICM"


class UnreadableError(Exception):
    """The object does not end where its lengths say; holds no value."""


class Syntax(NamedTuple):
    """How a data set is encoded."""

    implicit: bool
    little: bool


class Element(NamedTuple):
    """One element: the sequences and item numbers (from 0) around it, its tag, VR, and value as bytes."""

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


def read(data: bytes) -> Object:
    """Return an object's elements. Raises UnreadableError when it cannot be read to its last byte."""
    if not is_dicom(data):
        raise UnreadableError
    try:
        meta, start = _meta(data)
        name = _text(next((item.value for item in meta if item.tag == 0x00020010), b""))
        syntax = _syntax(name)
        elements: list[Element] = []
        _dataset(data, start, (), syntax, elements)
    except UnreadableError:
        raise
    except Exception:  # noqa: BLE001  (whatever a parser raises on damaged bytes is one finding)
        raise UnreadableError from None
    return Object(data[:128], meta, tuple(elements), name, syntax)


def _text(value: bytes) -> str:
    return value.decode("ascii", "replace").rstrip("\0 ")


def _meta(data: bytes) -> tuple[tuple[Element, ...], int]:
    """Return the file meta information and where it ends, by its group length (PS3.10 7.1)."""
    tag, vr, size, length = struct.unpack_from("<L2sHL", data, _META)
    if (tag, vr, size) != (2, b"UL", 4) or _META + 12 + length > len(data):
        raise UnreadableError
    end = _META + 12 + length
    found: list[Element] = []
    _dataset(data[_META:end], 0, (), Syntax(implicit=False, little=True), found)
    if any(element.tag >> 16 != 2 for element in found):
        raise UnreadableError
    return tuple(found), end


def _syntax(name: str) -> Syntax:
    uid = UID(name)
    if uid.type != "Transfer Syntax" or uid == DeflatedExplicitVRLittleEndian:
        raise UnreadableError
    return Syntax(uid == ImplicitVRLittleEndian, uid != ExplicitVRBigEndian)


def _dataset(data: bytes, start: int, path: Path, syntax: Syntax, found: list[Element]) -> None:
    """Add the elements from ``start`` to exactly the end of ``data``."""
    stream = BytesIO(data)
    stream.seek(start)
    end = start
    for raw in data_element_generator(stream, syntax.implicit, syntax.little):
        end = stream.tell()
        _element(raw, path, syntax, found)
    if end != len(data):
        raise UnreadableError


def _element(raw: RawDataElement | DataElement, path: Path, syntax: Syntax, found: list[Element]) -> None:
    tag = int(raw.tag)
    if raw.VR == "SQ" and not isinstance(raw.value, bytes | None):
        found.append(Element(path, tag, "SQ", b""))
        _parsed(raw.value, 0, (path, tag), syntax, found)
        return
    value = raw.value or b""
    length = getattr(raw, "length", 0)  # pydicom decodes empty elements of the items that it parsed
    if not isinstance(value, bytes) or length not in {len(value), _UNDEFINED}:
        raise UnreadableError
    vr = raw.VR or dictionary_vr(tag)
    found.append(Element(path, tag, vr, value))
    if vr == "SQ":
        _items(value, (path, tag), syntax, found)
    elif vr == "UN" and value[:4] == b"\xfe\xff\x00\xe0":  # PS3.5 6.2.2: implicit, little endian
        _items(value, (path, tag), Syntax(implicit=True, little=True), found)


def _items(value: bytes, place: tuple[Path, int], syntax: Syntax, found: list[Element]) -> None:
    """Add what the items of a sequence of known length hold; ``place`` is its own path and tag."""
    header = struct.Struct("<HHL" if syntax.little else ">HHL")
    offset, index = 0, 0
    while offset < len(value):
        group, element, length = header.unpack_from(value, offset)
        if group << 16 | element != _ITEM:
            raise UnreadableError
        if length == _UNDEFINED:
            stream = BytesIO(value)
            stream.seek(offset)
            rest = read_sequence(stream, syntax.implicit, syntax.little, len(value) - offset, "iso8859")
            _parsed(rest, index, place, syntax, found)
            return
        offset += 8 + length
        if offset > len(value):
            raise UnreadableError
        _dataset(value[offset - length : offset], 0, _inside(place, index), syntax, found)
        index += 1


def _parsed(
    items: Iterable[Dataset], first: int, place: tuple[Path, int], syntax: Syntax, found: list[Element]
) -> None:
    """Add the elements of items that pydicom had to parse, because they end at a delimiter."""
    for index, item in enumerate(items, start=first):
        inside = _inside(place, index)
        for raw in item.elements():
            _element(raw, inside, syntax, found)


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
