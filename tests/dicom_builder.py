"""A writer of DICOM bytes in every encoding (PS3.5 section 7), independent of the project's own.

It writes what it is told, valid or not: tags in any order, any VR, any length.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UNDEFINED = 0xFFFFFFFF
LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
SHORT_VRS = frozenset(
    {
    "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST",
    "TM", "UI", "UL", "US",
    }
)  # fmt: skip
VRS = tuple(sorted(LONG_VRS | SHORT_VRS))


class Syntax(NamedTuple):
    """A transfer syntax; ``uid`` is the one in the file meta information."""

    name: str
    uid: str
    explicit: bool
    little: bool

    @property
    def order(self) -> str:
        return "<" if self.little else ">"

    @property
    def deflated(self) -> bool:
        return self.name == "deflated"


EXPLICIT = Syntax("explicit", "1.2.840.10008.1.2.1", True, True)
IMPLICIT = Syntax("implicit", "1.2.840.10008.1.2", False, True)
BIG = Syntax("big endian", "1.2.840.10008.1.2.2", True, False)
DEFLATED = Syntax("deflated", "1.2.840.10008.1.2.1.99", True, True)
SYNTAXES = (EXPLICIT, IMPLICIT, BIG, DEFLATED)


def padded(vr: str, value: bytes) -> bytes:
    return value + (b"\0" if vr in ("UI", "OB", "UN") else b" ") * (len(value) % 2)


def header(syntax: Syntax, tag: int, vr: str, length: int) -> bytes:
    group, number = tag >> 16, tag & 0xFFFF
    if not syntax.explicit:
        return struct.pack(syntax.order + "HHL", group, number, length)
    if vr in LONG_VRS:
        return struct.pack(syntax.order + "HH2sHL", group, number, vr.encode(), 0, length)
    return struct.pack(syntax.order + "HH2sH", group, number, vr.encode(), length)


def element(syntax: Syntax, tag: int, vr: str, value: bytes) -> bytes:
    value = padded(vr, value)
    return header(syntax, tag, vr, len(value)) + value


def item(syntax: Syntax, content: bytes, *, undefined: bool = False) -> bytes:
    length = UNDEFINED if undefined else len(content)
    start = struct.pack(syntax.order + "HHL", 0xFFFE, 0xE000, length)
    return start + content + (struct.pack(syntax.order + "HHL", 0xFFFE, 0xE00D, 0) if undefined else b"")


def sequence(syntax: Syntax, tag: int, *contents: bytes, vr: str = "SQ", undefined: bool = False) -> bytes:
    """Return a sequence; under ``vr="UN"`` its items are implicit VR little endian (PS3.5 6.2.2 note 2)."""
    inner = IMPLICIT if vr == "UN" else syntax
    body = b"".join(item(inner, content, undefined=undefined) for content in contents)
    if not undefined:
        return header(syntax, tag, vr, len(body)) + body
    return header(syntax, tag, vr, UNDEFINED) + body + struct.pack(inner.order + "HHL", 0xFFFE, 0xE0DD, 0)


def ordered(elements: Mapping[int, bytes]) -> bytes:
    """Return ready elements in ascending order of their tags."""
    return b"".join(elements[tag] for tag in sorted(elements))


def part10(syntax: Syntax, body: bytes, *, meta: Iterable[bytes] = (), preamble: bytes = bytes(128)) -> bytes:
    """Return a file: preamble, prefix, file meta information (with ``meta`` behind its syntax), data set."""
    if syntax.deflated:
        deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        body = deflater.compress(body) + deflater.flush()
        body += b"\0" * (len(body) % 2)
    group = b"".join([element(EXPLICIT, 0x00020010, "UI", syntax.uid.encode()), *meta])
    length = element(EXPLICIT, 0x00020000, "UL", struct.pack("<L", len(group)))
    return preamble + b"DICM" + length + group + body
