"""What real exports do that DICOM does not allow: one function for each oddity, so that a reader finds it.

Here are those of bytes and values. The others stand where what they concern is decided: dates that are none
in :mod:`~rttqa_build.deidentify.dates`, plans of a planning system's private SOP class in
:func:`rttqa_build.study.classes.is_private_plan`, one content twice and one UID for two contents in
:mod:`rttqa_build.study.folder`, RT objects of one series in :func:`rttqa_build.stages.objects.task`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

LONGEST_UID = 64
_PREAMBLE = 132
_UID = re.compile(rb"[0-2](\.(0|[1-9][0-9]*))+")
_NUMBER = rb" *[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)? *"
_NUMBERS = re.compile(rb"(%b| *)(\\(%b| *))*" % (_NUMBER, _NUMBER))
_NUMERIC_CHARACTERS = b"0123456789.+-eE \\\0"
_LONGEST_PARSED = 256
_APPENDED = b"\0\r\n\x1a "
_FEW = 16
_PUNCTUATION = re.compile(rb"[^A-Z0-9]")
# PS3.3 C.12.1.1.2: the defined terms, by their letters and digits
_CHARACTER_SETS: Mapping[bytes, bytes] = {
    _PUNCTUATION.sub(b"", term): term
    for term in (
        *(b"ISO_IR %d" % n for n in (6, 100, 101, 109, 110, 144, 127, 126, 138, 148, 203, 13, 166, 192)),
        *(b"ISO 2022 IR %d" % n for n in (6, 100, 101, 109, 110, 144, 127, 126, 138, 148, 203, 13, 166)),
        *(b"ISO 2022 IR %d" % n for n in (87, 159, 149, 58)),
        *(b"GB18030", b"GBK"),
    )
} | {b"UTF8": b"ISO_IR 192", b"ISO88591": b"ISO_IR 100", b"LATIN1": b"ISO_IR 100"}


def without_preamble(data: bytes) -> int:
    """No preamble: return where the first element stands, behind the DICM prefix or at once."""
    return _PREAMBLE if data[128:_PREAMBLE] == b"DICM" else 0


def encoding_without_meta(data: bytes, position: int, vrs: Container[bytes]) -> tuple[bool, bool]:
    """No file meta information, or one without transfer syntax: (explicit VR, little endian) by first header.

    ``vrs`` are the value representations there are. The first group is small (0008), so that its zero byte
    tells the byte order; implicit VR is always little endian (PS3.5 A.1).
    """
    explicit = data[position + 4 : position + 6] in vrs
    big = len(data) > position + 1 and data[position] == 0 != data[position + 1]
    return explicit, not (big and explicit)


def is_uid(value: bytes) -> bool:
    """Return whether a value is a UID (PS3.5 9.1); ``UNKNOWN``, and what is over 64 characters, is none."""
    return len(value) <= LONGEST_UID and _UID.fullmatch(value) is not None


def is_numeric(value: bytes) -> bool:
    """Return whether a DS or IS value holds numbers only; telephone numbers pass for no number.

    Long values (contours) are asked for their characters only: that takes no time.
    """
    if len(value) > _LONGEST_PARSED:
        return not value.translate(None, _NUMERIC_CHARACTERS)
    return _NUMBERS.fullmatch(value.rstrip(b"\0")) is not None


def character_set(value: bytes) -> bytes:
    """Wrong character set: return the value with each misspelt term as the standard spells it.

    ``iso-ir 100``, ``ISO_IR_100`` and ``UTF-8`` are met with. Terms that stand for nothing are dropped; where
    none is left, the text is read as Latin-1, and the value says so.
    """
    terms = value.strip(b"\0 ").split(b"\\")
    if not any(terms):
        return b""
    known = [_CHARACTER_SETS.get(_PUNCTUATION.sub(b"", term.upper()), b"") for term in terms]
    further = [term for term in dict.fromkeys(known[1:]) if term]
    return b"\\".join([known[0], *further]) if further or known[0] else b"ISO_IR 100"


def is_garbage(
    rest: bytes, previous: int, known: Container[int], seen: Container[int], *, little: bool
) -> bool:
    """Trailing garbage: return whether bytes behind an element are no beginning of another one.

    ``previous`` is the last tag, ``known`` are the tags of the dictionary, ``seen`` those before. What can be
    an element that was cut is none: an ascending tag that is public, or private with its creator.
    """
    if len(rest) < 4:
        return not rest.translate(None, _APPENDED)
    group, number = (int.from_bytes(rest[at : at + 2], "little" if little else "big") for at in (0, 2))
    tag = group << 16 | number
    if tag <= previous:
        return True
    if group & 1:
        return not (0x10 <= number <= 0xFF or group << 16 | number >> 8 in seen)
    return tag not in known and group >> 8 not in (0x50, 0x60) and group < 0xFFFA


def line_endings_converted(data: bytes) -> bool:
    """Return whether every line feed follows a carriage return: binary data was treated as text."""
    feeds = data.count(b"\n")
    return feeds > 0 and feeds == data.count(b"\r\n")


def with_line_endings_restored(data: bytes) -> bytes | None:
    """Line ends converted: return what the file was before, None where nothing speaks for a conversion."""
    return data.replace(b"\r\n", b"\n") if line_endings_converted(data) else None


def certainly_converted(data: bytes) -> bool:
    """Return whether there are so many CR LF pairs, and no other line feed, that it can be no chance."""
    return line_endings_converted(data) and data.count(b"\n") >= _FEW
