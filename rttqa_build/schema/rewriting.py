"""A value or a name in the wrong form → how to write it, for common slips. No value is quoted."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

_NUMERAL = re.compile(r"[-+]?\d+(\.\d+)?")
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
_WITH_UNIT = re.compile(r"[-+]?\d+([.,]\d+)? ?[A-Za-z%µ/]{1,8}")
_SPELT = (
    (re.compile(r"-?0\d+(\.\d+)?"), "write the number without zeros before it"),
    (re.compile(r"\+\d+(\.\d+)?"), "write the number without a plus sign"),
    (re.compile(r"[-+]?\d+(\.\d+)?[eE][-+]?\d+"), "write the number out, without an exponent"),
    (re.compile(r"[-+]?(\d+\.|\.\d+)"), "write a digit on either side of the decimal point"),
)
_UNLISTED = "write its fields without dashes, each on a line of its own"
_ANSWERS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def rewritten(instance: object, wanted: str) -> str:
    """Return how to write a value that must be ``wanted`` (in words); nothing where no slip is known."""
    if isinstance(instance, list) and "list" not in wanted:
        alone = len(instance) == 1
        return "write it without brackets or dash" if alone else _UNLISTED if "group" in wanted else ""
    if isinstance(instance, dict | str) and wanted == "a list":
        return "begin each entry with a dash and a space"
    if (
        isinstance(instance, Decimal)
        and "whole number" in wanted
        and instance == instance.to_integral_value()
    ):
        return "write it without a decimal point"
    if not isinstance(instance, str):
        return ""
    text = instance.strip()
    if "true or false" in wanted:
        answer = _ANSWERS.get(text.casefold(), "")
        return f"write {answer}" if answer else ""
    return _number(text) if "number" in wanted else ""


def _number(text: str) -> str:
    if how := next((how for pattern, how in _SPELT if pattern.fullmatch(text)), ""):
        return how
    if _NUMERAL.fullmatch(text):
        return "write the number without quotation marks"
    if _DECIMAL_COMMA.fullmatch(text):
        return "write the number with a decimal point"
    return "write the number without its unit" if _WITH_UNIT.fullmatch(text) else ""


def foreign_letter(name: str) -> str:
    """Return which letter of a name is not the one on the keyboard; nothing where all are."""
    for number, character in enumerate(name, start=1):
        if not character.isascii():
            what = unicodedata.name(character, "a character without a name").lower()
            return f"character {number} is a look-alike: {what}"
    return ""
