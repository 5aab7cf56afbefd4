"""Manifest, lock, approvals and receipt of one submission → its state and the next step, in words."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rttqa_build import approval
from rttqa_build.receipt import OutcomeKind, Receipt

if TYPE_CHECKING:
    from rttqa_build.approval import Approval
    from rttqa_build.lock import Lock


class State(enum.StrEnum):
    """How far a submission has come."""

    INCOMPLETE = "incomplete"
    DRAFT = "draft"
    STALE = "stale"
    BUILT = "built"
    BLOCKED = "blocked"
    APPROVED = "approved"
    UNKNOWN = "unknown"
    SUBMITTED = "submitted, unverified"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one submission.

    ``errors``: how many errors ``check`` finds; ``stale``: whether the lock stands for something else than
    what is there now; ``wanted``: how many approvals the gate asks for (see ``approval.required``).
    """

    revision: int
    errors: int = 0
    stale: bool = False
    lock: Lock | None = None
    approvals: tuple[Approval, ...] = ()
    wanted: int = 1
    receipt: Receipt = field(default_factory=Receipt)


@dataclass(frozen=True, slots=True)
class Status:
    """State and next step."""

    state: State
    next_step: str


def status(facts: Facts) -> Status:
    """Return where the submission stands. What the receipt says goes before everything else."""
    return _handed_over(facts) or _prepared(facts)


def _handed_over(facts: Facts) -> Status | None:
    receipt = facts.receipt
    if receipt.undecided:
        if all(item.kind is OutcomeKind.UNVERIFIED for item in receipt.undecided):
            return Status(
                State.SUBMITTED, "have the trial group confirm it, then submit with --treat-as-received"
            )
        return Status(
            State.UNKNOWN, "find out whether it arrived, then submit with --resend or --treat-as-received"
        )
    if receipt.received >= facts.revision:
        if facts.errors:
            return Status(State.RECEIVED, "undo the edit, or raise the revision: check finds errors")
        return Status(State.RECEIVED, "nothing to do; raise the revision to send anything else")
    return None


def _prepared(facts: Facts) -> Status:
    if facts.lock is None:
        if facts.errors:
            return Status(State.INCOMPLETE, f"complete the manifest: check finds {_errors(facts.errors)}")
        return Status(State.DRAFT, "build it")
    if facts.stale:
        return Status(State.STALE, "build it again: what it was built from has changed")
    if count := facts.errors or len(facts.lock.fatal_findings):
        return Status(State.BLOCKED, f"mend or waive {_errors(count)}, then build it again")
    return _approved(facts, facts.lock)


def _approved(facts: Facts, lock: Lock) -> Status:
    missing = facts.wanted - len(approval.standing(facts.approvals, lock.content))
    if missing > 0:
        people = "one more person" if facts.approvals and missing == 1 else "a person"
        return Status(State.BUILT, f"have {people} look at the report and approve it, then commit")
    return Status(State.APPROVED if facts.wanted else State.BUILT, "commit, then submit it")


def _errors(count: int) -> str:
    return "1 error" if count == 1 else f"{count} errors"
