"""Texts → what stands in them in base64 (RFC 4648, MIME): text to be read, or bytes.

Any long word may be taken for base64. What comes of one that is none is no text, and bytes are searched for
long patterns only.
"""

from __future__ import annotations

import binascii
import contextlib
import re
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.deidentify.pattern import CJK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_RUN = re.compile(
    r"(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{60,76}[ \t]*\r?\n[ \t]*)*[A-Za-z0-9+/]{8,}={0,2}(?![A-Za-z0-9+/=])"
)
_BLANKS = re.compile(r"\s+")
_ASCII = re.compile(rb"[\t\r\n\x20-\x7e]")
_LETTERS = re.compile(r"[^\W\d_]{3}|\d{4}")
_CODECS = ("utf_8", "utf_16_le", "utf_16_be")
_ENOUGH, _MOSTLY = 24, 0.9  # so many bytes may hold some that are no text
_OPAQUE = 48  # bytes: of a word that is no base64 come fewer


class Contents(NamedTuple):
    """What was encoded: texts, and bytes that are none."""

    texts: tuple[str, ...]
    opaque: tuple[bytes, ...]


def contents(texts: Iterable[str]) -> Contents:
    """Return what the texts hold in base64, however it is padded."""
    runs = dict.fromkeys(_BLANKS.sub("", run) for text in texts for run in _RUN.findall(text))
    found: dict[str, None] = {}
    opaque: list[bytes] = []
    for data in filter(None, map(_bytes, runs)):
        if text := _text(data):
            found[text] = None
        elif len(data) >= _OPAQUE:
            opaque.append(data)
    return Contents(("\n".join(found),) if found else (), tuple(opaque))


def _bytes(run: str) -> bytes:
    digits = run.rstrip("=")
    try:
        return binascii.a2b_base64(digits + "=" * (-len(digits) % 4))
    except binascii.Error:
        return b""


def _text(data: bytes) -> str:
    """Return what bytes say if all of them, or of many nearly all, are text with a word or number in it."""
    text = next(filter(_is_printable, _decoded(data)), "")
    if not text and len(data) >= _ENOUGH and len(_ASCII.findall(data)) >= _MOSTLY * len(data):
        text = data.decode("latin_1")
    return text if _LETTERS.search(text) else ""


def _decoded(data: bytes) -> Iterator[str]:
    for codec in _CODECS if b"\0" in data else _CODECS[:1]:
        with contextlib.suppress(UnicodeDecodeError):
            yield data.decode(codec).lstrip("\ufeff")


def _is_printable(text: str) -> bool:
    """Return whether nothing but letters and marks is in it; a few bytes read as UTF-16 give rare ones."""
    return max(text, default="") < CJK and all(c.isprintable() or c in "\t\r\n" for c in text)
