"""The files that the tool keeps beside a manifest → lock, approvals, receipt, reviews, or what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from rttqa_build import disk, lock, source
from rttqa_build.diagnostic import Diagnostic, Location, RttqaError, finding
from rttqa_build.records import approval, outcome, receipt
from rttqa_build.records.receipt import Receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rttqa_build.lock import Lock
    from rttqa_build.records.approval import Approval, Release
    from rttqa_build.records.outcome import Review
    from rttqa_build.schema import CompiledSchema
    from rttqa_build.source import Document

LOCK, APPROVAL, RECEIPT, OUTCOME = "lock.yaml", "approval.yaml", "receipt.yaml", "outcome.yaml"
SCHEMAS: Mapping[str, str] = {
    LOCK: "lock.schema.json",
    APPROVAL: "approval.schema.json",
    RECEIPT: "receipt.schema.json",
    OUTCOME: "outcome.schema.json",
}
_LIMIT = 1 << 20
DAMAGED: Mapping[str, str] = {LOCK: "M408", APPROVAL: "M409", RECEIPT: "M410", OUTCOME: "M411"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Records:
    """What the tool has written about one submission; a missing file is None or empty, never a finding."""

    lock: Lock | None = None
    approvals: tuple[Approval, ...] = ()
    receipt: Receipt = field(default_factory=Receipt)
    reviews: tuple[Review, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    released: tuple[Release, ...] = ()


def read(folder: Path, shown: str, schemas: Mapping[str, CompiledSchema]) -> Records:
    """Read the records in ``folder``, which findings call ``shown``.

    ``schemas`` maps the keys of :data:`SCHEMAS` to those schemas. A damaged file is one finding; what it
    held counts as not there.
    """
    told: list[Diagnostic] = []

    def one(name: str, make: Callable[[Document], T]) -> T | None:
        document, damage = _document(folder / name, f"{shown}/{name}", schemas[name])
        told.extend(damage)
        return None if document is None else make(document)

    locked = one(LOCK, lock.from_document)
    given = one(APPROVAL, lambda document: (approval.from_document(document), approval.releases(document)))
    received = one(RECEIPT, receipt.from_document)
    reviews = one(OUTCOME, outcome.from_document)
    approvals, released = given or ((), ())
    return Records(locked, approvals, received or Receipt(), reviews or (), tuple(told), released)


def _document(
    path: Path, shown: str, schema: CompiledSchema
) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """Return the valid document; None when there is no file, or, with a finding, when it is damaged."""
    if not path.exists():
        return None, ()
    try:
        data = disk.read(path, _LIMIT, path.name)
    except RttqaError as error:
        return None, (finding(DAMAGED[path.name], error.message, Location(shown), hint=error.hint),)
    document, told = source.parse(data, shown)
    if document is not None and not told:
        document, told = schema.validate(document)
    if document is None or told:
        place = told[0].where if told else Location(shown)
        return None, (finding(DAMAGED[path.name], f"{path.name} was damaged or edited by hand", place),)
    return document, ()
