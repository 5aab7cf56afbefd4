"""Headers → who the patient is, in a spelling that can be compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rttqa_build.study.facts import PatientIdentity

if TYPE_CHECKING:
    from rttqa_build.study.header import Header

_SEPARATORS = re.compile(r"[\s-]+")
_WEIGHTS = range(10, 1, -1)
_LONG = 6  # digits: a shorter number of one digit may be somebody's
_NOBODYS = frozenset(
    {
    "ANON", "ANONYM", "ANONYMISED", "ANONYMIZED", "ANONYMOUS", "N/A", "NA", "NIL", "NO ID", "NONE",
    "NOT KNOWN", "NULL", "PATIENT", "PSEUDONYMISED", "REMOVED", "TEST", "UNKNOWN",
    }
)  # fmt: skip


def patient_of(header: Header) -> PatientIdentity:
    """Return the patient of an object (PS3.3 C.7.1.1)."""
    others = (
        *header.texts("OtherPatientIDs"),
        *(item.text("PatientID") for item in header.items("OtherPatientIDsSequence")),
    )
    return PatientIdentity(
        patient_id=identifier(header.text("PatientID")),
        name=_name(header.text("PatientName")),
        birth_date=header.text("PatientBirthDate"),
        other_ids=tuple(sorted({identifier(other) for other in others} - {""})),
    )


def identifier(text: str) -> str:
    """Return an identifier in one spelling: upper case, and digits without spaces or hyphens."""
    compact = _SEPARATORS.sub("", text)
    return compact if compact.isdigit() else " ".join(text.upper().split())


def is_placeholder(number: str) -> bool:
    """Return whether an identifier stands where there is none: it tells no two patients apart.

    One digit over and over, which always has the right check digit, or a word that says so.
    """
    same = len(set(number)) == 1 and number.isdigit()
    return number in _NOBODYS or (same and (len(number) >= _LONG or number[0] == "0"))


def is_nhs(digits: str) -> bool:
    """Return whether an identifier is an NHS, CHI or H&C number by its check digit (NHS Data Dictionary)."""
    if len(digits) != 10 or not (digits.isascii() and digits.isdigit()) or is_placeholder(digits):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=False))
    return (11 - total % 11) % 11 == int(digits[9])


def _name(text: str) -> str:
    """Return the first component group of a name, components stripped, trailing empty ones dropped."""
    group = next((g for g in text.upper().split("=") if g.strip(" ^")), "")
    return "^".join(" ".join(part.split()) for part in group.split("^")).rstrip("^")
