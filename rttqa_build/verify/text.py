"""Text, as bytes → the kinds of identifier that it seems to hold. Never what they are.

Generic patterns only: they know nothing of the patient. All are ASCII, so one search serves every character
set of DICOM.
"""

from __future__ import annotations

import re
from typing import Final

_CONTEXT = re.compile(rb"(?i)\b(?:nhs|chi|h&c|hcn|hospital|patient|pid|mrn)\b")
_TEN_DIGITS = re.compile(rb"(?<![\w.])(\d{3})([ -]?)(\d{3})\2(\d{4})(?!\w|\.\d)")
_DATE = (
    rb"(?:\d{1,2}(?:st|nd|rd|th)?[ ./-]{1,2}(?:of )?(?:\d{1,2}|[a-z]{3,9})[ ./,-]{1,2}\d{2,4}"
    rb"|\d{4}[./-]?\d{2}[./-]?\d{2}|[a-z]{3,9} \d{1,2},? \d{4})"
)
_BIRTH = re.compile(
    rb"(?i)\b(?:d\.?o\.?b\b\.?|date of birth|birth ?da(?:te|y)|born(?: on)?)[\s:=,(-]{0,4}(?:is |was )?"
    + _DATE
)
_AREAS = (
    b"AB AL B BA BB BD BF BH BL BN BR BS BT BX CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY "
    b"E EC EH EN EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN "
    b"LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP "
    b"SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE"
).split()
_POSTCODE = re.compile(rb"\b(?:" + b"|".join(_AREAS) + rb")\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}\b")
_EMAIL = re.compile(rb"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}\b")
_PHONE = re.compile(rb"(?<![\w.])(?:\+44[ -]?(?:\(0\)[ -]?)?|\(?0)[1-37](?:[ ()-]{0,2}\d){8,9}(?!\w|\.\d)")
_WORTH_A_LOOK = re.compile(rb"[@\d]")

NHS: Final = "an NHS or CHI number"
BIRTH: Final = "a date of birth"
MAYBE_NHS: Final = "perhaps an NHS number"
POSTCODE: Final = "a postcode"
EMAIL: Final = "an e-mail address"
PHONE: Final = "a telephone number"

CERTAIN = frozenset({NHS, BIRTH})


def kinds(value: bytes, *, bare_numbers: bool = False) -> tuple[str, ...]:
    """Return the kinds of identifier in a text, sorted; ``bare_numbers`` where the element itself is for one.

    A ten-digit number counts when its check digit is right (modulus 11) and a word near it says what it is;
    written 3-3-4 without such a word it counts as a possible one.
    """
    if not _WORTH_A_LOOK.search(value):
        return ()
    found = {kind for kind, pattern in _PATTERNS.items() if pattern.search(value)}
    found.update(_numbers(value, bare_numbers=bare_numbers))
    return tuple(sorted(found))


_PATTERNS = {BIRTH: _BIRTH, POSTCODE: _POSTCODE, EMAIL: _EMAIL, PHONE: _PHONE}


def _numbers(value: bytes, *, bare_numbers: bool) -> set[str]:
    found = set()
    for match in _TEN_DIGITS.finditer(value):
        if not _check_digit(match[1] + match[3] + match[4]):
            continue
        near = (
            value[max(match.start() - 40, 0) : match.start()] + b"\n" + value[match.end() : match.end() + 20]
        )
        if bare_numbers or _CONTEXT.search(near):
            found.add(NHS)
        elif match[2]:
            found.add(MAYBE_NHS)
    return found


def _check_digit(digits: bytes) -> bool:
    """Return whether ten ASCII digits end in the right check digit (NHS Data Dictionary, NHS NUMBER)."""
    weighted = sum((digit - 48) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False))
    return (11 - weighted % 11) % 11 == digits[9] - 48
