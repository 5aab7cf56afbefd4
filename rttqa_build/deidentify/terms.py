"""Terms that the standard defines: `HU`, `MU`, `CT`, `GY`, `ORGAN` are names of people too.

In an attribute that has them by definition they tell nothing of a patient who is called so, and without them
the object is not valid, or loses what it is judged by. Looked at only where something was found.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from rttqa_build.deidentify.table import read_defined_terms

if TYPE_CHECKING:
    from collections.abc import Mapping

_FLAGS = frozenset({b"YES", b"NO", b"NONE"})  # of many attributes


def without_terms(tag: int, vr: str, value: bytes) -> bytes:
    """Return a value without those of its values that the standard defines for this attribute."""
    terms = _terms().get(tag, frozenset()) | (_FLAGS if vr == "CS" else frozenset())
    parts = value.rstrip(b"\0").split(b"\\")
    rest = [part for part in parts if part.strip(b" ") not in terms]
    return b"\\".join(rest) if len(rest) < len(parts) else value


@functools.cache
def _terms() -> Mapping[int, frozenset[bytes]]:
    return {tag: frozenset(term.encode("ascii") for term in terms) for tag, terms in read_defined_terms()}
