"""Values that hold no words by their VR, and what of a person they may hold all the same."""

from __future__ import annotations

import re

SHORT = 256  # bytes: longer ones are contours, pixels and tables
_LONG_RUN = re.compile(rb"[0-9]{7}")
_WHOLE = re.compile(rb" *[+-]?(0*([0-9]{7,}))(?:\.0*)?[ \0]*")
_PRINTABLE = re.compile(rb"[\x20-\x7e]{4,256}\0*")
_LETTER = re.compile(rb"[A-Za-z]")


def whole_numbers(value: bytes) -> tuple[str, ...]:
    """Return the whole numbers of seven digits or more in a DS or IS value, as their digits alone.

    Hospital and NHS numbers and dates of birth are such, however they are signed, padded or pointed.
    """
    if len(value) > SHORT or not _LONG_RUN.search(value):
        return ()
    found = (_WHOLE.fullmatch(part) for part in value.split(b"\\"))
    runs = (run for match in found if match for run in {match[1], match[1].lstrip(b"0")})
    return tuple(sorted(run.decode("ascii") for run in runs if len(run) >= 7))


def reads_as_text(value: bytes) -> bool:
    """Return whether a short binary value is text to whoever looks at its bytes."""
    return 4 <= len(value) <= SHORT and bool(_PRINTABLE.fullmatch(value) and _LETTER.search(value))
