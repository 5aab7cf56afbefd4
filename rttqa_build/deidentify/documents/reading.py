"""Bytes of a text file → its text; and a text → the other ways in which a person or a program reads it.

A name that a line end parts, that a spreadsheet escapes or that a designer spaces is still that name.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from rttqa_build.deidentify.documents.scrubbed import RefusedError
from rttqa_build.deidentify.pattern import LONG
from rttqa_build.deidentify.vocabulary import ordinary_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_MARKS = {
    b"\xef\xbb\xbf": "utf_8_sig",
    b"\xff\xfe\0\0": "utf_32",
    b"\0\0\xfe\xff": "utf_32",
    b"\xff\xfe": "utf_16",
    b"\xfe\xff": "utf_16",
}
_OTHER_FORMATS = (b"%PDF", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"{\\rtf")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ufffd]")
_END_OF_FILE = "\x1a"  # that editors of old write behind a text
_UTF7 = re.compile(rb"\+[A-Za-z0-9+/]{2,}-?")
_UNKNOWN = "The encoding of the text cannot be told: save it as UTF-8."


def plain_text(data: bytes) -> tuple[str, ...]:
    """Return the text of a file in UTF-8, UTF-16 or UTF-32 with a byte order mark, or Windows-1252.

    A second text is what UTF-7 would have it say. What is binary, or in an encoding that its bytes do not
    tell, is refused: a name in it would not be found.
    """
    if data.startswith(_OTHER_FORMATS):
        raise RefusedError("A204", "The file is not the plain text that its name says.")
    text = _decoded(data)
    if _CONTROL.search(text.rstrip(_END_OF_FILE)):
        raise RefusedError("A204", "The file is not the plain text that its name says.")
    return (text, *_utf7(data))


def _decoded(data: bytes) -> str:
    codec = next((codec for mark, codec in _MARKS.items() if data.startswith(mark)), "")
    for one in [codec] if codec else ["utf_8", "cp1252"]:
        try:
            text = data.decode(one)
        except UnicodeDecodeError:
            continue
        if one == "cp1252" and _is_foreign(text):
            break
        return text
    raise RefusedError("A204", _UNKNOWN)


def _is_foreign(text: str) -> bool:
    """Return whether so many letters have accents that the text is none of Western Europe."""
    letters = sum(c.isalpha() for c in text)
    return letters > 3 and 3 * sum(not c.isascii() for c in text) > letters


def _utf7(data: bytes) -> Iterator[str]:
    if data.isascii() and _UTF7.search(data):
        text = _UTF7.sub(
            lambda match: match[0].decode("utf_7", "ignore").encode(errors="ignore"), data
        ).decode("utf_8", "ignore")
        if text != data.decode("ascii"):
            yield text


# --- other readings -----------------------------------------------------------------------------------------

_OFFICE_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")  # ECMA-376-1 22.4.2.4 (bstr)
_FORMULA_JOINT = re.compile(r'"\s*&\s*"')
_HYPHENATED = re.compile(r"(?<=\w)[-\xad\u2010\u2011][ \t]*\r?\n\s*(?=\w)")
_SPACED_OUT = re.compile(r"(?<![^\W_])(?:[^\W\d_][ \t\xa0]){3,}[^\W\d_](?![^\W_])")
_DIGITS_OF_A_DAY = re.compile(
    r"(?<!\S)(?<!\d[ \t])(?:\d[ \t\xa0]{1,9}(?:[-/.][ \t\xa0]{1,9})?){7}\d(?!\S|[ \t]\d)"
)
_ROW_OF_DIGITS = re.compile(r"(?<!\S)(?:\d[ \t\xa0]{1,3}){10,39}\d(?!\S)")  # of several fields
# a form's boxes for one letter or digit each, or for the parts of an NHS number: each cell is a line here
_EDGE = r"[ \t\xa0\r]*"
_BOXED = re.compile(
    rf"(?<![^\n]){_EDGE}[^\W_](?:{_EDGE}\n{_EDGE}(?:[-/.]{_EDGE}\n{_EDGE})?[^\W_]){{3,}}{_EDGE}(?![^\n])"
    rf"|(?<![^\n]){_EDGE}\d{{3}}{_EDGE}\n{_EDGE}\d{{3}}{_EDGE}\n{_EDGE}\d{{4}}{_EDGE}(?![^\n])"
)
_HEADER = re.compile(r"(?<![^\n])&[LCR][^\n]*")  # of a worksheet, with codes of fonts (ECMA-376-1 18.3.1.46)
_HEADER_CODE = re.compile(r"&(?:K[0-9A-F]{6}|[A-Z]|\d{1,2}|\"[^\"\n]*\")")
_SCIENTIFIC = re.compile(r"(?<![\w.])([0-9])\.?([0-9]{0,15})[eE]\+?([0-9]{1,2})(?![\w.])")
_MOST_DIGITS = 16


def readings(text: str) -> tuple[str, ...]:
    """Return the text and, where it can be read otherwise, the lines of the other reading that differ.

    The last holds the values of boxes that stand side by side.
    """
    text = text.encode(errors="ignore").decode()  # halves of surrogate pairs are no characters
    other = _HEADER.sub(lambda match: _HEADER_CODE.sub("\n", match[0]), text)
    other = html.unescape(_OFFICE_ESCAPE.sub(lambda match: f"&#x{match[1]};", other))
    other = unquote(other) if "%" in other else other
    other = _HYPHENATED.sub("", _FORMULA_JOINT.sub("", other))
    runs: list[str] = []

    def bare(match: re.Match[str]) -> str:
        runs.append(re.sub(r"\s", "", match[0]))
        return runs[-1]

    for row in _ROW_OF_DIGITS.finditer(text):
        bare(row)
    other = _SPACED_OUT.sub(bare, other)
    other = _DIGITS_OF_A_DAY.sub(bare, other)
    other = _SCIENTIFIC.sub(_in_full, other)
    other = _BOXED.sub(bare, other)
    parted = dict.fromkeys(field for run in runs for field in fields(run))
    known = set(text.splitlines())
    differing = (line for line in other.splitlines() if line not in known)
    found = ("\n".join(differing), "\n".join(parted))
    return text, *filter(None, found)


_TAIL = re.compile(r"(?:\d[\d ./-]*|[^\W\d_]+)\Z")
_HEAD = re.compile(r"[./-]?\d[\d ./-]*|[^\W\d_]+")
_MOST_LINES = 4  # that one word or number is broken over
_FEWEST_LETTERS, _FEWEST_DIGITS = 4, 6
_WIDEST = 64  # letters or digits of a word or number


def joined(lines: Sequence[str], is_one: Callable[[Sequence[str]], bool] | None = None) -> Iterator[str]:
    """Yield the words and numbers that may go on in the next line, or in several of one word each.

    ``is_one`` tells whether pieces make one; left out, all do but ordinary words that give no long one.
    """
    is_one = is_one or _is_one
    bare = [line.strip() for line in lines]
    for at, line in enumerate(bare):
        tail = _TAIL.search(line[-_WIDEST:])
        pieces = [tail[0]] if tail else []
        for below in bare[at + 1 : at + _MOST_LINES] if pieces else ():
            head = _HEAD.match(below[:_WIDEST])
            if head is None or not _goes_on(pieces[-1], head[0]):
                break
            pieces.append(head[0])
            if is_one(pieces):
                yield "".join(pieces)
            if head[0] != below:
                break


def _goes_on(tail: str, head: str) -> bool:
    """Return whether one may be the end of the other: both of digits, in capitals, or the end not capital."""
    if not (tail.isalpha() and head.isalpha()):
        return not (tail.isalpha() or head.isalpha())
    return not head[0].isupper() or (tail.isupper() and head.isupper())


def _is_one(pieces: Sequence[str]) -> bool:
    whole = "".join(pieces)
    if not whole.isalpha():
        return sum(c.isdecimal() for c in whole) >= _FEWEST_DIGITS
    words = all(piece.casefold() in ordinary_words() for piece in pieces)
    return len(whole) >= (LONG if words else _FEWEST_LETTERS)


def boxed(lines: Sequence[str]) -> Iterator[str]:
    """Yield the runs of lines that are a form's boxes, each as lines again."""
    yield from (match[0] for match in _BOXED.finditer("\n".join(lines)))


_LONGEST_RUN = 40  # boxes of a form; more are a table's column
_FIELDS = range(6, 11)  # digits of dates and numbers


def fields(run: str) -> Iterator[str]:
    """Yield the values that boxes side by side may hold: every run of digits, one word and another."""
    letters = any(c.isalpha() for c in run)
    if len(run) > _LONGEST_RUN or len(run) < (_FIELDS.start if letters else _FIELDS.stop):
        return
    if run.isdecimal():
        yield from (run[at : at + n] for n in _FIELDS for at in range(len(run) - n + 1))
    else:
        yield from (f"{run[:at]} {run[at:]}" for at in range(2, len(run) - 1))


def _in_full(match: re.Match[str]) -> str:
    """Return a whole number that a spreadsheet shows as 9.434765919E+09 with all its digits."""
    first, rest, exponent = match[1], match[2], int(match[3])
    whole = len(rest.rstrip("0")) <= exponent < _MOST_DIGITS
    return (first + rest).ljust(exponent + 1, "0")[: exponent + 1] if whole else match[0]
