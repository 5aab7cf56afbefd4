"""Manifest, lock, approvals and receipt of one submission → its state and the next step, in words."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rttqa_build.records import approval, outcome
from rttqa_build.records.receipt import About, OutcomeKind, Receipt, Sent

if TYPE_CHECKING:
    from rttqa_build.lock import Lock
    from rttqa_build.records.approval import Approval
    from rttqa_build.records.outcome import Review
    from rttqa_build.trial.deadline import Due


class State(enum.StrEnum):
    """How far a submission has come."""

    INCOMPLETE = "incomplete"
    DRAFT = "draft"
    STALE = "stale"
    BUILT = "built"
    BLOCKED = "blocked"
    HELD = "held back"
    APPROVED = "approved"
    ELSEWHERE = "handed over elsewhere"
    UNKNOWN = "unknown"
    SUBMITTED = "submitted, unverified"
    RECEIVED = "received"
    REVIEWED = "reviewed"
    RESUBMIT = "resubmission asked"
    WITHDRAWN = "withdrawn"


_URGENT = frozenset({State.UNKNOWN, State.ELSEWHERE})
_SENT = frozenset({State.SUBMITTED, State.RECEIVED, State.REVIEWED, State.WITHDRAWN})
# states in which a contradicting submission comes before the next step, and what becomes of them
_JUDGED = {
    **{state: state for state in (State.RECEIVED, State.REVIEWED, State.RESUBMIT)},
    **dict.fromkeys(
        (State.INCOMPLETE, State.STALE, State.BUILT, State.BLOCKED, State.APPROVED), State.BLOCKED
    ),
}
WHOSE = "find out whose objects these are: check names the submission that speaks against it"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one submission.

    ``errors``: how many errors ``check`` finds; ``stale``: whether the lock stands for something else than
    what is there now; ``wanted``: how many approvals the gate asks for (see ``approval.required``);
    ``committed``: whether Git has the receipt, the reviews and the frozen revisions as they are on disk;
    ``due``: until when to send, where the trial gives a deadline; ``elsewhere``: why the receipt may not be
    all there is, in words; empty where nothing says so (see ``ledger.doubt``); ``damaged``: the records that
    cannot be read; ``held``: how many finds of the last build wait for a person to release or mend them, None
    where they did not hold it back (see ``release.waiting``); ``contradicted``: whether another submission
    says that these may be another patient's objects (see ``tokens``); ``unfrozen``: the first received
    revision that ``history/`` does not hold, 0 for none.
    """

    revision: int
    errors: int = 0
    stale: bool = False
    lock: Lock | None = None
    approvals: tuple[Approval, ...] = ()
    wanted: int = 1
    receipt: Receipt = field(default_factory=Receipt)
    reviews: tuple[Review, ...] = ()
    committed: bool = True
    due: Due | None = None
    elsewhere: str = ""
    damaged: tuple[str, ...] = ()
    held: int | None = None
    contradicted: bool = False
    unfrozen: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """State and next step.

    ``missing``: how many errors are to be mended first; ``due``: until when to send, while something is to be
    sent; ``since``: the day of the last record (ISO 8601), empty where none has a date; ``today``: it cannot
    wait.
    """

    state: State
    next_step: str
    missing: int = 0
    due: Due | None = None
    since: str = ""
    today: bool = False


def status(facts: Facts) -> Status:
    """Return where the submission stands. What the receipt says goes before everything else, if it is all."""
    known = _damaged(facts) or _elsewhere(facts) or _handed_over(facts) or _forgotten(facts)
    told = known or _prepared(facts)
    if facts.contradicted and told.state in _JUDGED:
        told = replace(told, state=_JUDGED[told.state], next_step=WHOSE)
    due = None if told.state in _SENT else facts.due
    late = due is not None and due.left <= 0
    return replace(
        told,
        missing=_missing(facts, told.state),
        due=due,
        since=_since(facts),
        today=late or told.state in _URGENT or not facts.committed or facts.contradicted,
    )


def _missing(facts: Facts, state: State) -> int:
    locked = len(facts.lock.fatal_findings) if facts.lock and state is State.BLOCKED else 0
    return facts.errors or locked


def _since(facts: Facts) -> str:
    """Return the day of the youngest record; a lock has no date, as the same build gives the same bytes."""
    receipt = facts.receipt
    dates = [
        *(one.date for one in receipt.attempts),
        *(one.date for one in receipt.notices),
        *(one.date for one in receipt.withdrawals),
        *(one.date for one in facts.approvals),
        *(one.date for one in facts.reviews),
    ]
    return max(dates, default="")[:10]


def _damaged(facts: Facts) -> Status | None:
    """Return what is to be done before anything can be told: what a damaged record said is not known."""
    if not facts.damaged:
        return None
    these, state = " and ".join(facts.damaged), "it is" if len(facts.damaged) == 1 else "they are"
    return Status(State.BLOCKED, f"bring {these} back from Git with `git restore`: {state} damaged")


def _elsewhere(facts: Facts) -> Status | None:
    if not facts.elsewhere:
        return None
    return Status(State.ELSEWHERE, f"bring receipt.yaml here with `git pull`: {facts.elsewhere}")


def _handed_over(facts: Facts) -> Status | None:
    receipt = facts.receipt
    if receipt.withdrawn:
        return Status(State.WITHDRAWN, _unless_committed(facts, "nothing to do: it is not sent any more"))
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
        return _reviewed(facts)
    return None


def _forgotten(facts: Facts) -> Status | None:
    """Return what goes before a new revision where nobody kept what an earlier one was."""
    if not facts.unfrozen:
        return None
    step = f"bring back what revision {facts.unfrozen} was: `rttqa-build explain U026` says how"
    return Status(State.BLOCKED, step)


def _reviewed(facts: Facts) -> Status:
    review = outcome.of(facts.reviews, facts.receipt.received)
    if review is None:
        step = _left(facts) or _email(facts) or "nothing to do; raise the revision to send anything else"
        return Status(State.RECEIVED, _unless_committed(facts, step))
    if review.resubmission:
        step = f"{review.words}: raise the revision, with kind and reason"
        return Status(State.RESUBMIT, _unless_committed(facts, step))
    return Status(State.REVIEWED, _unless_committed(facts, f"nothing to do: {review.words}"))


def _left(facts: Facts) -> str:
    """Return what a run that was cut off after the upload left undone, where it did."""
    cut_off = facts.unfrozen == facts.receipt.received
    return "submit it again: history/ does not hold it yet" if cut_off else ""


def _email(facts: Facts) -> str:
    """Return what is to be done about the e-mail, where something is."""
    notice = facts.receipt.notice(facts.receipt.received, About.ANNOUNCEMENT)
    if notice is None or notice.fate in {Sent.SENT, Sent.DRAFTED}:
        return ""
    if notice.fate is Sent.FAILED:
        return "submit it again: the e-mail was not sent"
    return "ask whether the e-mail arrived; else send its draft by hand"


def _unless_committed(facts: Facts, step: str) -> str:
    """Return the next step; before all else, what was recorded goes into Git, where colleagues see it."""
    return step if facts.committed else "commit what was recorded (and push it), so that colleagues see it"


def _prepared(facts: Facts) -> Status:
    if facts.held is not None and not facts.errors:
        return _held(facts.held)
    if facts.lock is None:
        if facts.errors:
            return Status(State.INCOMPLETE, f"complete the manifest: check finds {_errors(facts.errors)}")
        return Status(State.DRAFT, "build it")
    if facts.stale:
        return Status(State.STALE, "build it again: what it was built from has changed")
    if count := facts.errors or len(facts.lock.fatal_findings):
        return Status(State.BLOCKED, f"mend or waive {_errors(count)}, then build it again")
    return _approved(facts, facts.lock)


def _held(count: int) -> Status:
    if not count:
        return Status(State.HELD, "build it again: what was found is released")
    finds = "1 find" if count == 1 else f"{count} finds"
    return Status(State.HELD, f"mend {finds} that may identify, or release coincidences with approve")


def _approved(facts: Facts, lock: Lock) -> Status:
    missing = facts.wanted - len(approval.standing(facts.approvals, lock.content))
    if missing > 0:
        people = "one more person" if facts.approvals and missing == 1 else "a person"
        return Status(State.BUILT, f"have {people} look at the report and approve it, then commit")
    return Status(State.APPROVED if facts.wanted else State.BUILT, _send(facts))


def _send(facts: Facts) -> str:
    """Return the word to submit; and what the portal has of an earlier try that came to nothing."""
    tries = [one for one in facts.receipt.attempts if one.revision == facts.revision]
    if any(one.kind is OutcomeKind.CORRUPT for one in tries):
        return "submit it again: a damaged copy lies at the portal"
    if any(one.stored for one in tries):
        return "submit it again, as decided"
    return "submit it again: the portal did not take it" if tries else "commit, then submit it"


def _errors(count: int) -> str:
    return "1 error" if count == 1 else f"{count} errors"
