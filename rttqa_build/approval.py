"""``approval.yaml``: who looked at what leaves, and at which content.

An approval is organisational, not cryptographic: it names a role, a Git e-mail address, a date and the
content digest that was looked at. Any change of that digest voids it.
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


def from_document(document: Document) -> tuple[Approval, ...]:
    """Return the approvals of a document that is valid against ``approval.schema.json``."""
    data = cast("dict[str, Any]", document.data)
    return tuple(Approval(**{key: str(value) for key, value in row.items()}) for row in data["approvals"])


def dump(approvals: Iterable[Approval]) -> str:
    """Return ``approval.yaml``."""
    rows: list[Json] = [{name: getattr(item, name) for name in Approval.__slots__} for item in approvals]
    return source.dump({"approvals": rows})


def standing(approvals: Iterable[Approval], content: str) -> tuple[Approval, ...]:
    """Return the approvals that stand for this content: one a person, however often they said yes."""
    by_person = {item.by.casefold(): item for item in approvals if item.content == content}
    return tuple(by_person.values())


def voided(approvals: Iterable[Approval], content: str, where: Location = NOWHERE) -> tuple[Diagnostic, ...]:
    """Return a warning when there are approvals of another content than that of the present lock."""
    count = sum(item.content != content for item in approvals)
    return (finding("M407", _void_words(count), where),) if count else ()


def _void_words(count: int) -> str:
    return "an approval is of another content" if count == 1 else f"{count} approvals are of other contents"


def add(approvals: Iterable[Approval], new: Approval) -> tuple[Approval, ...]:
    """Return the approvals with ``new`` at the end; void ones and an earlier yes of the same person go."""
    kept = (item for item in standing(approvals, new.content) if item.by.casefold() != new.by.casefold())
    return (*kept, new)


def required(wanted: int | None, *, example: bool) -> int:
    """Return how many approvals the gate asks for: as the settings say, but never none outside examples.

    Without a setting (None) an example trial needs none, every other trial one.
    """
    if wanted is None:
        return 0 if example else 1
    return wanted if example else max(wanted, 1)
