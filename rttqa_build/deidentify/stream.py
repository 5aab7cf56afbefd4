"""A DICOM file's bytes → its elements, by tag, VR, length and offset; nothing is decoded.

This is the project's own reader, independent of pydicom (DESIGN section 6). It is strict: each length must
end exactly where its parent ends, tags must ascend (PS3.5 7.1), native pixel data must have the size that
the image module says. A file that breaks a rule is refused with :class:`StreamError`, whose message never
holds a value. Encodings: implicit and explicit VR, both endians, deflated, defined and undefined lengths,
``UN`` as implicit VR sequence (PS3.5 6.2.2 note 2), with or without preamble and file meta information.
What real exports do beyond that is in :mod:`~rttqa_build.deidentify.oddities`.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from rttqa_build.deidentify import oddities
from rttqa_build.deidentify.elements import (
    DEFLATED_LITTLE,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    META,
    NATIVE,
    Element,
    Encoding,
    Stream,
)
from rttqa_build.deidentify.reader import (
    CUT_HEADER,
    UNORDERED,
    VRS,
    CutError,
    LineEndingError,
    Reader,
    StreamError,
)
from rttqa_build.deidentify.whole import ends_too_early, ends_where_it_may, missing_pixels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Unpack = Callable[[bytes, int], tuple[Any, ...]]

TRANSFER_SYNTAX_UID, SERIES_INSTANCE_UID = 0x00020010, 0x0020000E
LARGEST_INFLATED = 1 << 28  # bytes; both readers hold it, and a copy
_CONVERTED = "its line endings were converted, as if it were text: the file is damaged"


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
        _encoding(syntax) if syntax else Encoding(*oddities.encoding_without_meta(data, body, VRS.keys()))
    )
    elements, end = Reader(data, encoding).top(body)
    cut_or_padded = 0 < len(data) - end < 8
    behind = data[end:] + behind
    stream = Stream(data, meta, elements, encoding, syntax or _syntax_of(encoding), len(behind))
    _check_pixels(stream)
    return _without_garbage(stream, file, behind) if cut_or_padded or behind.strip(b"\0") else stream


def _without_garbage(stream: Stream, file: bytes, behind: bytes) -> Stream:
    """Return the stream with its trailing garbage counted; refuse what may be the object's own bytes."""
    if not ends_where_it_may(stream):
        raise StreamError(UNORDERED) if len(behind) > 7 else CutError(CUT_HEADER)
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
            else Encoding(*oddities.encoding_without_meta(data, position, VRS.keys()))
        )
    except StreamError:
        return {}
    reader, found = Reader(data, encoding), dict[int, bytes]()
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


def _parse_meta(data: bytes, start: int) -> tuple[list[Element], int]:
    """Return the file meta elements (group 0002, always explicit little endian) and where they end."""
    reader = Reader(data, META)
    meta: list[Element] = []
    position = start
    while data[position : position + 2] == b"\x02\0" and len(data) - position >= 12:
        element = reader.explicit(position, len(data))
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
