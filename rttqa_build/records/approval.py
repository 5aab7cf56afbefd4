"""``approval.yaml``: who looked at what leaves, who released which coincidence, and for which content.

An approval is organisational, not cryptographic: it names a role, a Git e-mail address, a date and the
content digest that was looked at. Any change of that digest voids it. A release lies beside the approvals and
goes the same way: it names a finding's code, an element and the files of the package, never a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from rttqa_build import source
from rttqa_build.diagnostic import NOWHERE, Diagnostic, Location, finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rttqa_build.source import Document, Json


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's yes: role in words, Git e-mail, ISO date, SHA-256 of the content that was approved."""

    role: str
    by: str
    date: str
    content: str


@dataclass(frozen=True, slots=True)
class Release:
    """One person's word that a find of the residue search is a coincidence, in some files of one content.

    ``element``: as the finding shows it; ``files``: names inside the package; Git e-mail, ISO date, SHA-256.
    ``whose``: the keyed digest of the identities that were searched for.
    """

    code: str
    element: str
    files: tuple[str, ...]
    reason: str
    by: str
    date: str
    content: str
    whose: str = ""

    @property
    def places(self) -> frozenset[tuple[str, str, str]]:
        """Return code, file and element of each place."""
        return frozenset((self.code, file, self.element) for file in self.files)


def from_document(document: Document) -> tuple[Approval, ...]:
    """Return the approvals of a document that is valid against ``approval.schema.json``."""
    data = cast("dict[str, Any]", document.data)
    return tuple(Approval(**{key: str(value) for key, value in row.items()}) for row in data["approvals"])


def releases(document: Document) -> tuple[Release, ...]:
    """Return the releases of a document that is valid against ``approval.schema.json``."""
    data = cast("dict[str, Any]", document.data)
    return tuple(
        Release(
            files=tuple(map(str, row["files"])),
            **{key: str(value) for key, value in row.items() if key != "files"},
        )
        for row in data.get("released", [])
    )


def dump(approvals: Iterable[Approval], released: Iterable[Release] = ()) -> str:
    """Return ``approval.yaml``."""
    data: dict[str, Json] = {
        "approvals": [{name: getattr(item, name) for name in Approval.__slots__} for item in approvals]
    }
    if others := [_row(item) for item in released]:
        data["released"] = others
    return source.dump(data)


def _row(item: Release) -> Json:
    said = {name: getattr(item, name) for name in Release.__slots__} | {"files": list(item.files)}
    return {name: value for name, value in said.items() if value}


def standing(approvals: Iterable[Approval], content: str) -> tuple[Approval, ...]:
    """Return the approvals that stand for this content: one a person, however often they said yes."""
    by_person = {item.by.casefold(): item for item in approvals if item.content == content}
    return tuple(by_person.values())


def voided(
    given: Iterable[Approval | Release], content: str, where: Location = NOWHERE, noun: str = "approval"
) -> tuple[Diagnostic, ...]:
    """Return a warning when there are approvals, or releases, of another content than the present lock's."""
    count = sum(item.content != content for item in given)
    return (finding("M407", _void_words(count, noun), where),) if count else ()


def _void_words(count: int, noun: str) -> str:
    if count > 1:
        return f"{count} {noun}s are of other contents"
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun} is of another content"


def add(approvals: Iterable[Approval], new: Approval) -> tuple[Approval, ...]:
    """Return the approvals with ``new`` at the end; void ones and an earlier yes of the same person go."""
    kept = (item for item in standing(approvals, new.content) if item.by.casefold() != new.by.casefold())
    return (*kept, new)


def released(given: Iterable[Release], new: Iterable[Release], content: str) -> tuple[Release, ...]:
    """Return the releases of a content, the ``new`` ones last; void ones go, and one's own repeated.

    Void are those of other identities, too, once there are new ones.
    """
    new = tuple(new)
    mine = {(item.by.casefold(), item.places) for item in new}
    whose = {item.whose for item in new} or {item.whose for item in given}
    kept = (item for item in given if item.content == content and item.whose in whose)
    return (*(item for item in kept if (item.by.casefold(), item.places) not in mine), *new)


def required(wanted: int | None, *, example: bool) -> int:
    """Return how many approvals the gate asks for: as the settings say, but never none outside examples.

    Without a setting (None) an example trial needs none, every other trial one.
    """
    if wanted is None:
        return 0 if example else 1
    return wanted if example else max(wanted, 1)
