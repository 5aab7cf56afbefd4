"""The texts of a repository → findings about identifiers that would enter Git.

Nothing of the patient is known here: generic kinds (NHS, CHI and H&C numbers, postcodes, telephone numbers,
e-mail addresses, dates of birth, titled names) and the site's own patterns. No finding shows a value.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import Diagnostic, Location, finding, ordered
from rttqa_build.verify import text as generic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rttqa_build.manifest import Manifest
    from rttqa_build.settings import IdentifierPattern
    from rttqa_build.source import Document

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
# "Dr Smith", "Mrs. O'Neill": a title and a capitalised name. "Dr" alone, or "Mr scan", is none.
_TITLED = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Sister|Sir|Dame)\b\.? ?[A-Z][a-z]*['\u2019-]?[A-Z]?[a-z]+")


def identifiers(
    document: Document, patterns: Iterable[IdentifierPattern], allowed: Iterable[str]
) -> tuple[Diagnostic, ...]:
    """Return a finding for each text, name and comment of a document in which something identifies.

    ``allowed`` are texts that belong there: the contacts of centre and trial.
    """
    chosen, known = tuple(patterns), tuple(allowed)
    own = tuple(_compiled(chosen))
    return ordered(
        (
            *(
                finding(code, f"{what} seems to hold {kind}", where)
                for where, what, text in _places(document, known, searched=bool(own))
                for code, kind in _kinds(_without(text, known), own)
            ),
            *in_lines(_comments(document.text), document.file, chosen, known, "a comment"),
        )
    )


def _places(
    document: Document, known: Iterable[str], *, searched: bool
) -> Iterator[tuple[Location, str, str]]:
    """Yield place, what it is and text of each value and name of a document.

    Nothing where all texts together hold none of the generic kinds: most documents don't, and one search is
    quick. ``searched``: the site's own patterns want each text by itself, as it may be all that they allow.
    """
    texts, names = tuple(document.texts()), tuple(document.names())
    together = "\0".join(text for _, text in (*texts, *names))  # a sign that no text of a document holds
    if not searched and not any(_kinds(_without(together, known), ())):
        return
    yield from ((document.at(path), document.at(path).item, text) for path, text in texts)
    yield from ((document.key(path), "the name of a field", name) for path, name in names)


def in_lines(
    text: str,
    file: str,
    patterns: Iterable[IdentifierPattern],
    allowed: Iterable[str],
    what: str = "this line",
) -> tuple[Diagnostic, ...]:
    """Return a finding for each line of a text in which something identifies.

    What stands on two lines, as a word and the number that it explains, is found where it begins.
    """
    own, text = tuple(_compiled(patterns)), _without(text, allowed)
    if not any(_kinds(text, own)):
        return ()
    lines = text.splitlines()
    held = [tuple(_kinds(line, own)) for line in lines]
    for number, (line, following) in enumerate(pairwise(lines)):
        alone = {kind for _, kind in (*held[number], *held[number + 1])}
        both = (one for one in _kinds(f"{line}\n{following}", own) if one[1] not in alone)
        held[number] = (*held[number], *both)
    return tuple(
        finding(code, f"{what} seems to hold {kind}", Location(file, number))
        for number, kinds_held in enumerate(held, 1)
        for code, kind in kinds_held
    )


def _comments(text: str) -> str:
    """Return the comments of YAML on the lines on which they stand; ``#`` inside a text counts as one."""
    return "\n".join(found[0] if (found := _COMMENT.search(line)) else "" for line in text.splitlines())


def kinds(text: str, patterns: Iterable[IdentifierPattern]) -> tuple[str, ...]:
    """Return in words what a text seems to hold that identifies: for texts that no document holds yet."""
    return tuple(what for _, what in _kinds(text, tuple(_compiled(patterns))))


def _without(text: str, known: Iterable[str]) -> str:
    for one in filter(None, known):
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


def of_another_centre(manifest: Manifest, prefixes: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Yield a finding when a trial's ID of a patient does not begin as this centre's do."""
    patient, prefix = manifest.submission.patient, prefixes.get(manifest.trial, "")
    if patient and not patient.startswith(prefix):
        message = "the trial ID does not begin as this centre's do in this trial"
        yield finding("M228", message, manifest.document.at(("submission", "patient")))
