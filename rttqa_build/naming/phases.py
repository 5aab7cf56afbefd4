"""The label of a series of a 4D CT → the id that a manifest may give it: ``phase50``, ``average``."""

from __future__ import annotations

import re

_PHASE = re.compile(r"(?<!\d)(\d{1,3})\s*%")
_SUMS = {
    "average": re.compile(r"(?i)\b(average|ave|avg|aip|mean)\b"),
    "mip": re.compile(r"(?i)\bmip\b"),
    "minip": re.compile(r"(?i)\bmin ?ip\b"),
}


def phase_id(label: str) -> str:
    """Return the id that a label suggests, or nothing where it says neither phase nor projection."""
    found = [name for name, words in _SUMS.items() if words.search(label)]
    phases = {int(percent) for percent in _PHASE.findall(label)}
    if len(phases) == 1 and not found:
        return f"phase{phases.pop()}"
    return found[0] if len(found) == 1 and not phases else ""
