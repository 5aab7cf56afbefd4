"""The text of a manifest → findings about identifiers that would enter Git.

Nothing of the patient is known here: generic kinds (NHS, CHI and H&C numbers, postcodes, telephone numbers,
e-mail addresses, dates of birth, titled names) and the site's own patterns. No finding shows a value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import Diagnostic, finding, ordered
from rttqa_build.verify import text as generic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rttqa_build.settings import IdentifierPattern
    from rttqa_build.source import Document

# "Dr Smith", "Mrs. O'Neill": a title and a capitalised name. "Dr" alone, or "Mr scan", is none.
_TITLED = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Sister|Sir|Dame)\b\.? ?[A-Z][a-z]*['\u2019-]?[A-Z]?[a-z]+")


def identifiers(
    document: Document, patterns: Iterable[IdentifierPattern], allowed: Iterable[str]
) -> tuple[Diagnostic, ...]:
    """Return a finding for each text of a document in which something identifies.

    ``allowed`` are texts that belong there: the contacts of centre and trial.
    """
    own = tuple(_compiled(patterns))
    known = tuple(text for text in allowed if text)
    return ordered(
        found
        for path, text in document.texts()
        for code, what in _kinds(_without(text, known), own)
        for found in (finding(code, f"{document.at(path).item} seems to hold {what}", document.at(path)),)
    )


def kinds(text: str, patterns: Iterable[IdentifierPattern]) -> tuple[str, ...]:
    """Return in words what a text seems to hold that identifies: for texts that no document holds yet."""
    return tuple(what for _, what in _kinds(text, tuple(_compiled(patterns))))


def _without(text: str, known: Iterable[str]) -> str:
    for one in known:
        text = text.replace(one, " ")
    return text


def _kinds(text: str, own: Iterable[tuple[str, re.Pattern[str]]]) -> Iterator[tuple[str, str]]:
    """Yield code and words of each kind of identifier in a text."""
    for kind in generic.kinds(text.encode("ascii", "replace")):
        yield ("M260" if kind in generic.CERTAIN else "M261"), kind
    if _TITLED.search(text):
        yield "M261", "a person's name"
    for name, pattern in own:
        if pattern.search(text):
            yield "M262", f"a {name}"


def _compiled(patterns: Iterable[IdentifierPattern]) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield the site's patterns, compiled with RE2, whose time is bounded whatever the pattern."""
    chosen = tuple(patterns)
    if chosen:
        import re2

        for one in chosen:
            yield one.name, re2.compile(one.pattern)
