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
    def stored(self) -> bool:
        """Whether a copy may lie at the portal, whole or not."""
        return self.kind is not OutcomeKind.REFUSED

    @property
    def open(self) -> bool:
        """Whether nobody knows for sure what the portal has of it, and no person has given a word."""
        return self.kind in {OutcomeKind.UNKNOWN, OutcomeKind.UNVERIFIED} and self.decision is None


class About(enum.StrEnum):
    """What an e-mail is about."""

    ANNOUNCEMENT = "announcement"
    RECALL = "recall"


class Sent(enum.StrEnum):
    """What became of an e-mail."""

    DRAFTED = "drafted"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"  # the mail server's answer was lost


@dataclass(frozen=True, slots=True)
class Notice:
    """One e-mail about a revision: its Message-ID, when it was written (ISO 8601, UTC), what became of it.

    It is recorded before it is sent: without an outcome it is unknown whether it went out.
    """

    revision: int
    about: About
    date: str
    message_id: str = ""
    outcome: Sent | None = None

    @property
    def fate(self) -> Sent:
        """Return what became of it; none recorded means unknown."""
        return self.outcome or Sent.UNKNOWN


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A person's word that the submission is withdrawn, or that this is lifted: reason, who, when.

    ``revision`` is the highest of which a copy may have lain at the portal by then; 0 for none.
    """

    word: Literal["withdrawn", "lifted"]
    reason: str
    by: str
    date: str
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """All attempts of one submission, oldest first; the e-mails about it; whether it was withdrawn."""

    attempts: tuple[Attempt, ...] = ()
    notices: tuple[Notice, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()

    @property
    def withdrawn(self) -> Withdrawal | None:
        """Return the word by which the submission is withdrawn; None when it is not, or not any more."""
        last = self.withdrawals[-1] if self.withdrawals else None
        return last if last is not None and last.word == "withdrawn" else None

    def notice(self, revision: int, about: About) -> Notice | None:
        """Return the e-mail of this kind about a revision."""
        return next((one for one in self.notices if (one.revision, one.about) == (revision, about)), None)

    def noticed(self, notice: Notice) -> Receipt:
        """Return the receipt with this e-mail, in the place of an earlier one about the same."""
        kept = (one for one in self.notices if (one.revision, one.about) != (notice.revision, notice.about))
        return replace(self, notices=(*kept, notice))

    def withdrew(self, withdrawal: Withdrawal) -> Receipt:
        """Return the receipt with a further word about withdrawal, of all that was handed over until now."""
        sent = max((item.revision for item in self.attempts if item.stored), default=0)
        return replace(self, withdrawals=(*self.withdrawals, replace(withdrawal, revision=sent)))

    @property
    def received(self) -> int:
        """Return the highest revision that was received; 0 for none."""
        return max((item.revision for item in self.attempts if item.received), default=0)

    @property
    def recalled(self) -> int:
        """Return the highest revision that a withdrawal asked to delete, lifted since or not; 0 for none."""
        return max((word.revision for word in self.withdrawals if word.word == "withdrawn"), default=0)

    @property
    def copies(self) -> int:
        """Return how many copies may lie at the portal, over all revisions."""
        return sum(item.stored for item in self.attempts)

    @property
    def undecided(self) -> tuple[Attempt, ...]:
        """Return the attempts about which a person must decide before anything is sent again."""
        return tuple(item for number, item in enumerate(self.attempts) if self._waits(number))

    def _waits(self, number: int) -> bool:
        """Whether an attempt waits for a person: not when the same bytes were received after it."""
        one, later = self.attempts[number], self.attempts[number + 1 :]
        return one.open and not any(item.received and item.sha256 == one.sha256 for item in later)

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
        told = (
            replace(item, decision=decision) if self._waits(number) else item
            for number, item in enumerate(self.attempts)
        )
        return replace(self, attempts=tuple(told))

    def doubts_since(self, earlier: Receipt) -> bool:
        """Whether an attempt waits for a person that ``earlier`` did not hold, or not in this state."""
        return any(item not in earlier.attempts for item in self.undecided)


def from_document(document: Document) -> Receipt:
    """Return the receipt of a document that is valid against ``receipt.schema.json``."""
    data = cast("dict[str, Any]", document.data)
    return Receipt(
        tuple(_attempt(row) for row in data["attempts"]),
        tuple(_notice(row) for row in data.get("emails", [])),
        tuple(Withdrawal(**row) for row in data.get("withdrawals", [])),
    )


def _notice(row: dict[str, Any]) -> Notice:
    outcome = row.get("outcome")
    return Notice(
        int(row["revision"]),
        About(row["about"]),
        str(row["date"]),
        str(row.get("message_id", "")),
        Sent(outcome) if outcome else None,
    )


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
    data: dict[str, Any] = {
        "receipt": 1,
        "received": receipt.received,
        "copies": receipt.copies,
        "attempts": [_row(item) for item in receipt.attempts],
        "emails": [_filled(item) for item in receipt.notices],
        "withdrawals": [_filled(item) for item in receipt.withdrawals],
    }
    return source.dump({key: value for key, value in data.items() if value != [] or key == "attempts"})


def _filled(item: Notice | Withdrawal) -> dict[str, Any]:
    """Return the fields that are set."""
    pairs = ((name, getattr(item, name)) for name in item.__slots__)
    return {name: value if isinstance(value, int) else str(value) for name, value in pairs if value}


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
