"""Values and elements → bytes, in the encoding of the object that they go into (PS3.5 section 7)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from rttqa_build.deidentify.elements import ITEM, ITEM_END, LONG_VRS, SEQUENCE_END, UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rttqa_build.deidentify.elements import Encoding


def pad(value: bytes, vr: str) -> bytes:
    """Return a value of even length: text ends with a space, UIDs and binary with a NUL."""
    if not len(value) % 2:
        return value
    return value + (b"\0" if vr in ("UI", "OB", "UN") else b" ")


def header(encoding: Encoding, tag: int, vr: str, length: int) -> bytes:
    """Return tag, VR (explicit only) and length."""
    order = "<" if encoding.little else ">"
    group, number = tag >> 16, tag & 0xFFFF
    if not encoding.explicit:
        return struct.pack(order + "HHL", group, number, length)
    if vr in LONG_VRS:
        return struct.pack(order + "HH2s2xL", group, number, vr.encode(), length)
    return struct.pack(order + "HH2sH", group, number, vr.encode(), length)


def element(encoding: Encoding, tag: int, vr: str, value: bytes) -> bytes:
    """Return a whole element; the value is padded."""
    value = pad(value, vr)
    return header(encoding, tag, vr, len(value)) + value


def delimiter(encoding: Encoding, tag: int) -> bytes:
    """Return an item or sequence delimitation item."""
    return struct.pack(("<" if encoding.little else ">") + "HHL", tag >> 16, tag & 0xFFFF, 0)


def item(encoding: Encoding, content: bytes, *, undefined: bool = False) -> bytes:
    """Return an item around its elements."""
    order = "<" if encoding.little else ">"
    length = UNDEFINED if undefined else len(content)
    start = struct.pack(order + "HHL", ITEM >> 16, ITEM & 0xFFFF, length)
    return start + content + (delimiter(encoding, ITEM_END) if undefined else b"")


def sequence(
    encoding: Encoding, tag: int, items: Iterable[bytes], *, vr: str = "SQ", undefined: bool = False
) -> bytes:
    """Return a sequence of ready items."""
    return b"".join(sequence_parts(encoding, tag, items, vr=vr, undefined=undefined))


def sequence_parts(
    encoding: Encoding, tag: int, items: Iterable[bytes], *, vr: str = "SQ", undefined: bool = False
) -> list[bytes]:
    """Return the same before it is copied into one: its header, its items, its delimiter."""
    parts = [b"", *items]
    if undefined:
        inner = encoding._replace(little=encoding.little or vr == "UN")  # behind UN all is little endian
        parts.append(delimiter(inner, SEQUENCE_END))
    length = UNDEFINED if undefined else sum(map(len, parts))
    parts[0] = header(encoding, tag, vr, length)
    return parts
