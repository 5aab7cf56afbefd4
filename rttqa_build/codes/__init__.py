"""The one catalogue of finding codes: ``explain``, ``docs/codes.md`` and default hints come from it.

A code is a letter (the family) and three digits. It is stable for ever: never reused, never renumbered.
Pure data; imports nothing of the project but its own families.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from rttqa_build.codes import (
    deidentification,
    dose,
    handover,
    images,
    library,
    manifest,
    package,
    plans,
    reading,
    records,
    resolution,
    structures,
    upload,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rttqa_build.codes.entry import Code

FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "M": "manifest",
        "R": "resolution and completeness",
        "C": "images",
        "S": "structures",
        "P": "plan",
        "D": "dose",
        "A": "pseudonymisation",
        "K": "package, lock, reproducibility",
        "U": "upload",
    }
)

CATALOGUE: Mapping[str, Code] = MappingProxyType(
    {
        **reading.CODES,
        **manifest.CODES,
        **library.CODES,
        **records.CODES,
        **resolution.CODES,
        **images.CODES,
        **structures.CODES,
        **plans.CODES,
        **dose.CODES,
        **deidentification.CODES,
        **package.CODES,
        **upload.CODES,
        **handover.CODES,
    }
)
