"""Values → words: the same whatever the locale."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

PURPOSES = {
    "outlining-benchmark": "Outlining benchmark",
    "planning-benchmark": "Planning benchmark",
    "dummy-run": "Dummy run",
    "prospective-review": "Prospective case review",
    "timely-retrospective-review": "Timely retrospective case review",
    "data-collection": "Data collection",
}
STATUS = {
    "example": "Example trial definition, for demonstration only",
    "unofficial": "Unofficial trial definition, not confirmed by the trial team",
    "confirmed": "",
}
_ROLES = {  # singular, plural
    "planning_image": ("planning image", "planning images"),
    "ct_4d": ("4D CT image", "4D CT images"),
    "structure_set": ("structure set", "structure sets"),
    "plan": ("plan", "plans"),
    "dose": ("dose distribution", "dose distributions"),
    "registration": ("registration", "registrations"),
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_OPERATORS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥"}


def date_in_words(iso: str) -> str:
    """Return ``14 December 2026`` for ``2026-12-14``, whatever the locale; other text as it is."""
    year, month, day = [*iso.split("-"), "", ""][:3]
    if not (month.isdecimal() and day.isdecimal() and 1 <= int(month) <= 12):
        return iso
    return f"{int(day)} {_MONTHS[int(month) - 1]} {year}"


def role_words(role: str, count: int, modalities: set[str]) -> str:
    """Return what the objects of a role are called; planning images with their modality where it is one."""
    if role.startswith("diagnostic_"):
        kind = role.removeprefix("diagnostic_").upper()
        return f"diagnostic {kind} image{'s' * (count != 1)}"
    words = _ROLES.get(role, (role.replace("_", " "),) * 2)[count != 1]
    modality = next(iter(modalities)) if len(modalities) == 1 else ""
    return (
        words.replace("planning", f"planning {modality}") if role == "planning_image" and modality else words
    )


def dose_range(low: Decimal, high: Decimal) -> str:
    """Return one dose, or both ends of an isotoxic range, in Gy."""
    return f"{number(low)} Gy" if low == high else f"{number(low)}–{number(high)} Gy"


def number(value: Decimal) -> str:
    """Return at most three decimals, without trailing zeros or exponent."""
    text = format(value.quantize(Decimal("0.001")), "f")
    return text.rstrip("0").rstrip(".")


def in_cubic_centimetres(cc: float) -> str:
    """Return a volume with two decimals below 10 cm³, else with one."""
    return f"{cc:.2f} cm³" if cc < 10 else f"{cc:.1f} cm³"


def limit(operator: str, value: Decimal | None, unit: str) -> str:
    """Return ``≤ 20 %``, or nothing where the trial sets no such limit."""
    return "" if value is None else f"{_OPERATORS[operator]} {with_unit(number(value), unit)}"


def with_unit(figure: str, unit: str) -> str:
    """Return a figure with its unit, or nothing for no figure."""
    return f"{figure} {unit}".rstrip() if figure else ""


def title(name: str) -> str:
    """Return a field's name as a label: ``t_stage`` → ``T stage``."""
    return name.replace("_", " ").capitalize()


def in_words(value: object) -> str:
    """Return a clinical value in words: lists joined by commas, mappings as ``name: value`` pairs."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(in_words, value))
    if isinstance(value, Mapping):
        return "; ".join(f"{title(str(key))}: {in_words(item)}" for key, item in value.items())
    return "" if value is None else str(value).strip()
