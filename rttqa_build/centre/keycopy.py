"""The centre's key as a page that can be printed and typed in again.

Four numbered lines of four groups of four hexadecimal digits, each line with a check group of its own, so
that a slip is told by its line; the fingerprint on the page tells that the whole is the right key.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from rttqa_build.diagnostic import UsageError
from rttqa_build.pseudonym import KEY_LENGTH, CentreKey

LINES = 4
_PER_LINE = KEY_LENGTH // LINES
_CHECK = 2  # bytes
_ROW = re.compile(rf"(?m)^[ \t]*([1-{LINES}])[:.)]?[ \t]+((?:[^\W_]{{4}}[ \t-]*){{5}})\r?$")
_FINGERPRINT = re.compile(r"(?mi)^[ \t]*fingerprint:?[ \t]+([0-9a-f]{16})[ \t]*\r?$")
_LOOKALIKES = str.maketrans("oil", "011")

_PAGE = """\
Secret key of {centre}
for the pseudonyms of radiotherapy-trial submissions (rttqa-build)

fingerprint  {fingerprint}

{rows}

The last group of each line is its check. To type the key in, in the submissions repository:

    rttqa-build key restore

Whoever has this page can trace the centre's pseudonyms back to its patients: keep it on paper, sealed, in
a safe, where two people know of it. Keep no photograph and no file of it.
"""


class Copy(NamedTuple):
    """What a copy holds: the key, and the fingerprint that stands beside it, where there is one."""

    key: CentreKey
    fingerprint: str

    def __repr__(self) -> str:
        """Return a text that does not hold the secret."""
        return f"Copy({self.key!r})"


def page(key: CentreKey, centre: str) -> str:
    """Return the page to print; ``centre`` says whose key it is."""
    rows = "\n".join(f"{n}:  {row(key, n)}" for n in range(1, LINES + 1))
    return _PAGE.format(centre=centre, fingerprint=key.fingerprint, rows=rows)


def row(key: CentreKey, number: int) -> str:
    """Return one line of the page (1 to 4), without its number."""
    piece = key.secret[(number - 1) * _PER_LINE : number * _PER_LINE]
    digits = (piece + _check(number, piece)).hex()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def typed(number: int, text: str) -> bytes | None:
    """Return the eight bytes of a line as somebody typed it; None when it does not fit its check.

    Case, spaces and hyphens do not count; the letters O, I and L stand for the digits that they look like.
    """
    digits = re.sub(r"[\s-]+", "", text).lower().translate(_LOOKALIKES)
    if not re.fullmatch(rf"[0-9a-f]{{{2 * (_PER_LINE + _CHECK)}}}", digits):
        return None
    piece, check = bytes.fromhex(digits)[:_PER_LINE], bytes.fromhex(digits)[_PER_LINE:]
    return piece if check == _check(number, piece) else None


def parse(text: str) -> Copy:
    """Return the key of a copy: the page, or the content of a key file.

    Raises UsageError, which says the line, never what stands there.
    """
    if text.startswith("rttqa-key-"):
        return Copy(_of_line(text.strip()), "")
    rows = {int(match[1]): match[2] for match in _ROW.finditer(text)}
    pieces = {number: typed(number, rows.get(number, "")) for number in range(1, LINES + 1)}
    wrong = [str(number) for number, piece in pieces.items() if piece is None]
    if wrong:
        one, several = f"line {wrong[0]} is missing or does not fit its check", ", ".join(wrong)
        told = one if len(wrong) == 1 else f"lines {several} are missing or do not fit their checks"
        raise UsageError(
            f"the copy of the key is damaged: {told}",
            "compare it with the printed page, character by character",
            code="A001",
        )
    printed = _FINGERPRINT.search(text)
    key = CentreKey(b"".join(piece for piece in pieces.values() if piece))
    return Copy(key, printed[1].lower() if printed else "")


def _of_line(line: str) -> CentreKey:
    try:
        return CentreKey.parse(line)
    except UsageError:
        raise UsageError(
            "the copy of the key is damaged: its line does not fit its check digits",
            "use another copy, or type in the printed page: `rttqa-build key restore`",
            code="A001",
        ) from None


def _check(number: int, piece: bytes) -> bytes:
    return hashlib.sha256(bytes([number]) + piece).digest()[:_CHECK]
