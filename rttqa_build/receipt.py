"""``receipt.yaml``: journal and receipt of the hand-over in one file.

An attempt is written before anything is sent and gets its outcome afterwards; an attempt without an outcome
is *unknown*, because the process may have been killed at any instant. Pure data: reading, adding, deciding.
It proves that a portal received exact bytes, not that the trial team has seen them.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, cast

from rttqa_build import source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rttqa_build.source import Document


class OutcomeKind(enum.StrEnum):
    """What is known about the bytes at the portal after one attempt."""

    VERIFIED = "verified"  # the portal holds exactly these bytes
    UNVERIFIED = "unverified"  # accepted, but the portal gave no proof
    CORRUPT = "corrupt"  # the portal holds other bytes
    UNKNOWN = "unknown"  # the answer was lost
    REFUSED = "refused"  # the portal holds nothing of this attempt


class Word(enum.StrEnum):
    """A person's explicit word about an attempt whose outcome nobody knows for sure."""

    RESEND = "resend"
    TREAT_AS_RECEIVED = "treat-as-received"


@dataclass(frozen=True, slots=True)
class Decision:
    """The word, its reason, who gave it (Git e-mail), and when (ISO 8601, UTC)."""

    word: Word
    reason: str
    by: str
    date: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt led to; ``echo`` is the SHA-256 that the portal or the read-back gave."""

    kind: OutcomeKind
    echo: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One hand-over: revision, content digest, file name at the portal, size, SHA-256, portal, start time."""

    revision: int
    content: str
    name: str
    size: int
    sha256: str
    portal: str
    date: str
    outcome: Outcome | None = None
    decision: Decision | None = None

    @property
    def kind(self) -> OutcomeKind:
        """Return the outcome's kind; none recorded means unknown."""
        return self.outcome.kind if self.outcome else OutcomeKind.UNKNOWN

    @property
    def received(self) -> bool:
        """Whether the portal received these bytes, by proof or by a person's word."""
        by_word = self.decision is not None and self.decision.word is Word.TREAT_AS_RECEIVED
        return self.kind is OutcomeKind.VERIFIED or by_word

    @property
    def open(self) -> bool:
        """Whether a person must decide before anything is sent again."""
        return self.kind in {OutcomeKind.UNKNOWN, OutcomeKind.UNVERIFIED} and self.decision is None


@dataclass(frozen=True, slots=True)
class Receipt:
    """All attempts of one submission, oldest first."""

    attempts: tuple[Attempt, ...] = ()

    @property
    def received(self) -> int:
        """Return the highest revision that was received; 0 for none."""
        return max((item.revision for item in self.attempts if item.received), default=0)

    @property
    def copies(self) -> int:
        """Return how many copies may lie at the portal, over all revisions."""
        return sum(item.kind is not OutcomeKind.REFUSED for item in self.attempts)

    @property
    def undecided(self) -> tuple[Attempt, ...]:
        """Return the attempts about which a person must decide."""
        return tuple(item for item in self.attempts if item.open)

    def received_attempt(self, revision: int, sha256: str, content: str) -> Attempt | None:
        """Return the received attempt with this package, or with this content under the same revision."""
        packed_again = (revision, content)
        for item in self.attempts:
            if item.received and (item.sha256 == sha256 or (item.revision, item.content) == packed_again):
                return item
        return None

    def tries(self, sha256: str) -> int:
        """Return how often these bytes were attempted: each further try takes a new name."""
        return sum(item.sha256 == sha256 for item in self.attempts)

    def begun(self, attempt: Attempt) -> Receipt:
        """Return the receipt with a new attempt at the end."""
        return replace(self, attempts=(*self.attempts, attempt))

    def ended(self, outcome: Outcome) -> Receipt:
        """Return the receipt with the outcome of its last attempt."""
        *earlier, last = self.attempts
        return replace(self, attempts=(*earlier, replace(last, outcome=outcome)))

    def decided(self, decision: Decision) -> Receipt:
        """Return the receipt with a person's word on every attempt that waits for one."""
        return replace(
            self, attempts=tuple(replace(a, decision=decision) if a.open else a for a in self.attempts)
        )


def from_document(document: Document) -> Receipt:
    """Return the receipt of a document that is valid against ``receipt.schema.json``."""
    data = cast("dict[str, Any]", document.data)
    return Receipt(tuple(_attempt(row) for row in data["attempts"]))


def _attempt(row: dict[str, Any]) -> Attempt:
    decision, kind = row.get("decision"), row.get("outcome")
    return Attempt(
        revision=int(row["revision"]),
        content=str(row["content"]),
        name=str(row["name"]),
        size=int(row["size"]),
        sha256=str(row["sha256"]),
        portal=str(row["portal"]),
        date=str(row["date"]),
        outcome=Outcome(OutcomeKind(kind), str(row.get("echo", "")), row.get("facts", {})) if kind else None,
        decision=Decision(**{**decision, "word": Word(decision["word"])}) if decision else None,
    )


def dump(receipt: Receipt) -> str:
    """Return ``receipt.yaml``; ``received`` and ``copies`` are written for the reader and never read back."""
    return source.dump(
        {
            "receipt": 1,
            "received": receipt.received,
            "copies": receipt.copies,
            "attempts": [_row(item) for item in receipt.attempts],
        }
    )


def _row(attempt: Attempt) -> dict[str, Any]:
    names: tuple[Literal["revision", "content", "name", "size", "sha256", "portal", "date"], ...]
    names = ("revision", "content", "name", "size", "sha256", "portal", "date")
    row: dict[str, Any] = {name: getattr(attempt, name) for name in names}
    if attempt.outcome:
        row["outcome"] = str(attempt.outcome.kind)
        if attempt.outcome.echo:
            row |= {"echo": attempt.outcome.echo, "equal": attempt.outcome.echo == attempt.sha256}
        if attempt.outcome.facts:
            row["facts"] = dict(sorted(attempt.outcome.facts.items()))
    if attempt.decision:
        row["decision"] = {name: str(getattr(attempt.decision, name)) for name in Decision.__slots__}
    return row
