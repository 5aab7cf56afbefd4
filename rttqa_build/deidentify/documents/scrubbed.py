"""The values that the document modules share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rttqa_build.diagnostic import Diagnostic

LARGEST = 64 << 20  # bytes of a document
LARGEST_UNPACKED = 256 << 20


class RefusedError(Exception):
    """The document cannot leave as it is; the message is safe to show."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Content(NamedTuple):
    """A cleaned document.

    ``texts``: lines and cells on lines of their own; ``opaque``: parts that are no text; ``unread``: the
    beginning of a sentence that says what only a person can read.
    """

    data: bytes
    texts: tuple[str, ...] = ()
    opaque: tuple[bytes, ...] = ()
    unread: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Scrubbed:
    """What may leave of a document: nothing when there are findings.

    ``texts`` go to ``Scanner.scan_text``, ``opaque`` (pictures, fonts) to ``Scanner.scan_opaque``.
    """

    data: bytes = b""
    texts: tuple[str, ...] = ()
    opaque: tuple[bytes, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    def __repr__(self) -> str:
        """Return a text without any content."""
        return f"Scrubbed({len(self.data)} bytes, {len(self.diagnostics)} findings)"
