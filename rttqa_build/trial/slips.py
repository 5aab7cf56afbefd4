"""What is right for YAML, and most likely not what its author meant (M226, M227).

Ordinary manifests hold ordinary comments: only what hardly anybody writes on purpose is told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.manifest import Manifest
    from rttqa_build.source import Document, Path

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
# a number sign, as in "PTV #60"; in names of others also what numbers and letters them, as in "Plan #A"
_NUMBERED = re.compile(r" #[0-9]")
_LETTERED = re.compile(r" #(?:[0-9]|[A-Za-z]{0,8}[0-9]\w{0,8}\s*$|[A-Za-z]\s*$)")
_OF_OTHERS = frozenset({"data", "documents", "source", "structures"})
_NO_STRUCTURE = re.compile(
    r"absent\b.*|missing|removed|resected|none|nil|no|n/?a|-+|\?+"
    r"|not (?:applicable|available|contoured|done|drawn|needed|outlined|present|relevant|required|visible)",
    re.IGNORECASE,
)


def slips(manifest: Manifest) -> Iterator[Diagnostic]:
    """Yield a finding for each text that YAML or the schema takes for something else than its author."""
    yield from cut_short(manifest.document)
    written = _Written(manifest.document)
    for name, choice in manifest.structures.items():
        path = ("structures", name)
        if _NO_STRUCTURE.fullmatch(choice.name.strip()) and not written.quoted(path):
            message = "this is taken for the name of a structure in the planning system"
            yield finding("M227", message, manifest.document.at(path))


def cut_short(document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each text that ends at a ``#`` which looks like a part of it."""
    if " #" not in document.text:
        return
    written = _Written(document)
    for path, text in document.texts():
        sign = _LETTERED if path[0] in _OF_OTHERS else _NUMBERED
        if sign.match(written.behind(path, text)):
            where = document.at(path)
            message = "YAML takes what follows here, from # on, for a comment"
            yield finding("M226", message, where)


class _Written:
    """How the values of a document were written."""

    def __init__(self, document: Document) -> None:
        self._places = document.values
        self._lines = _LINE_BREAK.split(document.text)

    def quoted(self, path: Path) -> bool:
        """Return whether a text stands between quotes: then it is meant as it is."""
        return self._from(path).startswith(("'", '"'))

    def behind(self, path: Path, text: str) -> str:
        """Return what follows a plain text on its line; nothing behind any other."""
        line = self._from(path)
        return line[len(text) :] if text and line.startswith(text) else ""

    def _from(self, path: Path) -> str:
        line, column = self._places.get(path, (0, 0))
        return self._lines[line - 1][column - 1 :] if 0 < line <= len(self._lines) else ""
