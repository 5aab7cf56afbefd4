"""Patterns of eight characters or more × bytes of unknown meaning → the patterns found.

Shorter ones occur in pixel values by chance. Characters are counted, not bytes: four letters in UTF-16 are
eight bytes, and four pixels.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.deidentify.identity import Kind, Who
from rttqa_build.deidentify.pattern import LONG, Pattern, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TAIL = 16  # characters of a UID that are searched; the rest is compared. Keeps the automaton small
_LARGEST_TABLE = 1 << 18  # bytes of needles up to which the automaton is a table (faster, larger)
_REACH = 160
_LONG_RULES = frozenset({Rule.WORD, Rule.PHRASE, Rule.ANYWHERE, Rule.NUMBER, Rule.DATE})

_UID = Pattern("", "", Rule.VALUE, Who.UID, Kind.UID)


class _Meaning(NamedTuple):
    """What a needle stands for, and the run of digits (and points) that must stand there whole."""

    pattern: Pattern
    run: bytes


class Opaque:
    """The compiled search; ``codecs`` are those of the originals' own character sets."""

    def __init__(self, patterns: Iterable[Pattern], uids: Iterable[bytes], codecs: tuple[str, ...]) -> None:
        from ahocorasick_rs import BytesAhoCorasick, Implementation

        needles: dict[bytes, list[_Meaning]] = {}
        for pattern in patterns:
            if pattern.rule in _LONG_RULES and (len(pattern.text) >= LONG or pattern.rule is Rule.ANYWHERE):
                numeric = pattern.rule in (Rule.NUMBER, Rule.DATE)
                for needle in sorted(_encodings(pattern, codecs)):
                    needles.setdefault(needle, []).append(_Meaning(pattern, needle if numeric else b""))
        for uid in sorted(uids):
            wide = _wide(uid.decode("latin_1"))[0]
            needles.setdefault(uid[-_TAIL:], []).append(_Meaning(_UID, uid))
            needles.setdefault(wide[1 - 2 * _TAIL :], []).append(_Meaning(_UID, wide))
        self._needles = list(needles)
        self._meanings = list(needles.values())
        small = sum(map(len, self._needles)) <= _LARGEST_TABLE
        kind = Implementation.DFA if small else Implementation.ContiguousNFA
        self._find = BytesAhoCorasick(self._needles, implementation=kind)

    def hits(self, data: bytes) -> Iterator[Pattern]:
        """Yield the patterns found in ``data``."""
        if len(data) < LONG:
            return
        for index, start, end in self._find.find_matches_as_indexes(data, overlapping=True):
            for pattern, run in self._meanings[index]:
                if not run or _stands_whole(
                    run, pattern is _UID, data[max(0, start - _REACH) : end + _REACH]
                ):
                    yield pattern


def _encodings(pattern: Pattern, codecs: tuple[str, ...]) -> set[bytes]:
    """Return a pattern in the usual casings and encodings."""
    written = (pattern.written, pattern.text)
    casings = {form for text in written for form in (text, text.lower(), text.upper(), text.title())}
    found: set[bytes] = set()
    for text in casings:
        for codec in ("utf_8", "latin_1", *codecs):
            found.add(text.encode(codec, "ignore"))
        found.update(_wide(text))
    return {needle for needle in found if len(needle) >= LONG}


def _wide(text: str) -> tuple[bytes, ...]:
    """Return ``text`` in UTF-16 of both orders; without its outer NUL one needle stands for both."""
    little = text.encode("utf_16_le")
    return (little[:-1],) if not any(little[1::2]) else (little, text.encode("utf_16_be"))


def _stands_whole(run: bytes, is_uid: bool, data: bytes) -> bool:
    """Return whether ``run`` occurs where no digit, nor a point that joins it to digits, touches it.

    A UID may be continued by a point: what is derived from an original UID tells it.
    """
    gap = rb"\0" if b"\0" in run else b""
    before = rb"(?<![0-9]" + gap + rb")(?<![0-9]" + gap + rb"\." + gap + b")"
    after = b"(?!" + gap + (b"" if is_uid else rb"(?:\." + gap + b")?") + b"[0-9])"
    return re.search(before + re.escape(run) + after, data) is not None
