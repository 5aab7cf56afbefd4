"""One spelling of one identity, and the rule that says where it counts as evidence."""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rttqa_build.deidentify.identity import Kind, Who

LONG = 8  # letters, digits or bytes: so long a pattern is evidence anywhere, even in opaque binary
CJK = "\u2e80"  # from here on scripts without spaces between words
LETTERS = re.compile(r"[^\W\d_]+")
DIGITS = re.compile(r"[0-9]+")


class Rule(enum.Enum):
    """Where a pattern counts."""

    WORD = "as a word of its own, or anywhere when it is long"
    WEAK = "as a whole value, or beside another part of the same name"
    PHRASE = "between characters that are neither letters nor digits; anywhere when long and with digits"
    NUMBER = "as a whole run of digits"
    SPACED = "as a PHRASE, whatever punctuation stands at its joints"
    DATE = "between characters that are no digits"
    VALUE = "as a whole value"
    ANYWHERE = "anywhere"


class Pattern(NamedTuple):
    """One spelling: folded, as it was written, its rule, and the other parts of the name (WEAK).

    A SPACED text has letters and digits only; what is written shows its joints.
    """

    text: str
    written: str
    rule: Rule
    who: Who
    kind: Kind
    partners: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """Return a text without the value."""
        return f"Pattern({self.rule}, {self.who}, {self.kind}, …)"
