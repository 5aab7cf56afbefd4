"""Bytes of any DICOM character set → text, and text → the form in which it is compared.

Deliberately generous: a value is read in every way in which it may have been meant, because exports mislabel
their character set. Nothing here raises or warns.
"""

from __future__ import annotations

import re
import unicodedata

# PS3.3 C.12.1.1.2: the number of the ISO registration → codec (ISO_IR nnn and ISO 2022 IR nnn alike)
_CODECS = {
    "6": "ascii", "100": "latin_1", "101": "iso8859_2", "109": "iso8859_3", "110": "iso8859_4",
    "144": "iso8859_5", "127": "iso8859_6", "126": "iso8859_7", "138": "iso8859_8", "148": "iso8859_9",
    "203": "iso8859_15", "13": "shift_jis", "166": "iso8859_11", "192": "utf_8", "87": "iso2022_jp",
    "159": "iso2022_jp_2", "149": "euc_kr", "58": "gb2312", "GB18030": "gb18030", "GBK": "gbk",
}  # fmt: skip
# what programs write in its place, that go by their computer's own character set
_ALIKE = {
    "iso8859_4": ("cp1257",), "iso8859_5": ("cp1251",), "iso8859_6": ("cp1256",),
    "iso2022_jp": ("shift_jis", "euc_jp"), "iso2022_jp_2": ("shift_jis", "euc_jp"),
}  # fmt: skip
_ESCAPE = re.compile(rb"\x1b([$(),\-./]{1,3}[0-9A-Z@])")
# what an escape sequence says itself, whatever the object's Specific Character Set (PS3.3 C.12.1.1.2)
_ESCAPED = {
    b"-A": "latin_1", b"-B": "iso8859_2", b"-C": "iso8859_3", b"-D": "iso8859_4", b"-L": "iso8859_5",
    b"-G": "iso8859_6", b"-F": "iso8859_7", b"-H": "iso8859_8", b"-M": "iso8859_9", b"-T": "iso8859_11",
    b")I": "shift_jis", b"(J": "shift_jis", b"$B": "iso2022_jp", b"$@": "iso2022_jp",
    b"$(D": "iso2022_jp_2", b"$)C": "euc_kr", b"$)A": "gb2312",
}  # fmt: skip
_INVISIBLE = dict.fromkeys(
    [
        *(0xAD, 0x34F, 0x61C, 0x180E, 0xFEFF),
        *(*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)),
        *(*range(0xFE00, 0xFE10), *range(0xE0000, 0xE0200)),  # variation selectors, tags
    ]
)
_DASHES = dict.fromkeys([*range(0x2010, 0x2016), 0x2043, 0x207B, 0x208B, 0x2212, 0x2E3A, 0x2E3B, 0xFE58], "-")
_ONE_FORM = {**_INVISIBLE, **_DASHES, 0x2044: "/", 0x2215: "/"}
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
_BREAKS = re.compile(r"\s*[\r\n\v\f\\\x85\u2028\u2029]\s*")
_BLANKS = re.compile(r"[^\S\r\n\v\f\x85\u2028\u2029]+")  # sought first: a break beside many takes long
_CJK = 0x2E80
# no base letter in Unicode: Latin letters, the sigma that ends words, Arabic letters written for each other
_BARE = {
    "ß": "s", "ø": "o", "đ": "d", "ł": "l", "\u0131": "i", "\u03c2": "\u03c3", "\u0649": "\u064a",
    "\u0629": "\u0647",
}  # fmt: skip
_KATAKANA = range(0x30A1, 0x30F7)
_TO_HIRAGANA = 0x60


def codecs(charset: str) -> tuple[str, ...]:
    """Return the codecs of a Specific Character Set value; unknown terms are left out."""
    terms = (term.strip().rpartition(" ")[2] for term in charset.split("\\"))
    return tuple(dict.fromkeys(_CODECS[term] for term in terms if term in _CODECS))


def with_terms(charsets: tuple[str, ...], value: bytes) -> tuple[str, ...]:
    """Return the terms of character sets seen so far, and those of another value that say another one.

    There may be as many values as items, and each of any length.
    """
    terms = (term.strip() for term in dict.fromkeys(value.decode("ascii", "replace").split("\\")))
    by_number = {term.rpartition(" ")[2]: term for term in (*terms, *charsets)}
    fresh = [term for number, term in by_number.items() if number in _CODECS and term not in charsets]
    return (*charsets, *fresh) if fresh else charsets


def is_plain(value: bytes) -> bool:
    """Return whether every character set reads ``value`` alike: ASCII without escape sequences (ISO 2022)."""
    return value.isascii() and b"\x1b" not in value


def decoded(value: bytes, charsets: tuple[str, ...] = ()) -> frozenset[str]:
    """Return the texts that ``value`` may stand for.

    ``charsets`` are the Specific Character Set values (0008,0005) seen in the object. UTF-8, Latin-1, what
    escape sequences name and, where there are NULs, UTF-16 are always tried besides.
    """
    value = value.rstrip(b"\0 ")
    if is_plain(value) and b"\0" not in value:
        return frozenset({value.decode("ascii")})
    texts = {_strict_utf8(value) or value.decode("latin_1")}
    bare = _ESCAPE.sub(b"", value)
    said = [_ESCAPED[escape] for escape in _ESCAPE.findall(value) if escape in _ESCAPED]
    named = dict.fromkeys((*(codec for charset in charsets for codec in codecs(charset)), *said))
    for codec in dict.fromkeys((*named, *(other for one in named for other in _ALIKE.get(one, ())))):
        texts.add(value.decode(codec, "replace"))
        texts.add(bare.decode(codec, "replace"))
    if b"\0" in value:
        texts.add(value.replace(b"\0", b"").decode("latin_1"))
        texts.update(value.decode(codec, "replace") for codec in ("utf_16_le", "utf_16_be"))
    return frozenset(texts)


def _strict_utf8(value: bytes) -> str:
    try:
        return value.decode("utf_8")
    except UnicodeDecodeError:
        return ""


def normalised(text: str) -> str:
    """Return ``text`` in NFKC, one space for blanks, one line feed between lines and between values.

    Dashes of every length are hyphens, digits of every script ASCII, what is not seen is left out.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_ONE_FORM))
        text = _FOREIGN_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), text)
    return _BREAKS.sub("\n", _BLANKS.sub(" ", text)).strip(" ")


class _Folds(dict[int, str]):
    """Character → its lower-case base letter, filled as characters are met; always one for one."""

    def __missing__(self, code: int) -> str:
        character = chr(code - _TO_HIRAGANA if code in _KATAKANA else code)
        base = unicodedata.normalize("NFKD", character)[0] if code < _CJK else character
        lower = base.lower()[:1]
        self[code] = _BARE.get(lower, lower) or character
        return self[code]


_FOLDS = _Folds({10: " "})


def folded(text: str) -> str:
    """Return normalised ``text`` without case, accents and line ends, character for character."""
    return text.lower().replace("\n", " ") if text.isascii() else text.translate(_FOLDS)


def squeezed(text: str) -> str:
    """Return only the letters and digits of ``text``, folded: equal for ``EP-0123`` and ``ep 0123``."""
    return "".join(c for c in folded(normalised(text)) if c.isalnum())
