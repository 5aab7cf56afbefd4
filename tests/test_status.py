from __future__ import annotations

from dataclasses import replace

import pytest
from lock_builder import make_lock

from rttqa_build.lock import LockedFinding
from rttqa_build.records.approval import Approval
from rttqa_build.records.outcome import Grade, Review
from rttqa_build.records.receipt import (
    About,
    Attempt,
    Decision,
    Notice,
    Outcome,
    OutcomeKind,
    Receipt,
    Sent,
    Withdrawal,
    Word,
)
from rttqa_build.status import Facts, State, status
from rttqa_build.trial.deadline import Due

LOCK = make_lock()
YES = Approval("physicist", "a@example.org", "2026-11-22", LOCK.content)
BUILT = Facts(1, lock=LOCK)
BEGUN = Receipt().begun(Attempt(1, LOCK.content, "n", 14, "e" * 64, "folder", "2026-11-22T10:00:00Z"))

RESENT = BEGUN.decided(Decision(Word.RESEND, "nothing arrived", "a@example.org", "2026-11-23"))


def ended(kind: OutcomeKind) -> Facts:
    return replace(BUILT, receipt=BEGUN.ended(Outcome(kind)))


RECEIVED = ended(OutcomeKind.VERIFIED)


def emailed(fate: Sent | None) -> Facts:
    return replace(
        RECEIVED, receipt=RECEIVED.receipt.noticed(Notice(1, About.ANNOUNCEMENT, "2026", outcome=fate))
    )


def reviewed(*, resubmission: bool) -> Facts:
    review = Review(1, Grade.UNACCEPTABLE, resubmission, "2026-12-01", "a@example.org")
    return replace(RECEIVED, reviews=(review,))


def withdrawn(word: str) -> Facts:
    said = Withdrawal("withdrawn", "r", "a@example.org", "2026")
    journal = BEGUN.withdrew(said)
    return replace(
        BUILT, receipt=journal.withdrew(replace(said, word="lifted")) if word == "lifted" else journal
    )


@pytest.mark.parametrize(
    ("facts", "state", "word"),
    [
        (withdrawn("withdrawn"), State.WITHDRAWN, "not sent any more"),
        (withdrawn("lifted"), State.UNKNOWN, "--resend"),
        (emailed(Sent.SENT), State.RECEIVED, "nothing to do"),
        (emailed(Sent.DRAFTED), State.RECEIVED, "nothing to do"),
        (emailed(Sent.FAILED), State.RECEIVED, "submit it again"),
        (emailed(None), State.RECEIVED, "ask whether the e-mail arrived"),
        (replace(RECEIVED, committed=False), State.RECEIVED, "commit what was recorded"),
        (reviewed(resubmission=True), State.RESUBMIT, "unacceptable variation, resubmission asked: raise"),
        (reviewed(resubmission=False), State.REVIEWED, "unacceptable variation"),
        (replace(reviewed(resubmission=True), revision=2, lock=None), State.DRAFT, "build"),
        (replace(RECEIVED, unfrozen=1), State.RECEIVED, "submit it again: history/"),
        (replace(RECEIVED, unfrozen=1, revision=2), State.BLOCKED, "explain U026"),
        (Facts(1, errors=2), State.INCOMPLETE, "2 errors"),
        (Facts(1), State.DRAFT, "build"),
        (Facts(1, held=2), State.HELD, "2 finds"),
        (replace(BUILT, stale=True, held=1), State.HELD, "1 find"),
        (Facts(1, held=0), State.HELD, "build it again"),
        (Facts(1, errors=1, held=1), State.INCOMPLETE, "1 error"),
        (replace(RECEIVED, held=1), State.RECEIVED, "nothing to do"),
        (replace(BUILT, stale=True), State.STALE, "build it again"),
        (replace(BUILT, errors=1), State.BLOCKED, "1 error,"),
        (replace(BUILT, lock=replace(LOCK, findings=(LockedFinding("R1", "error"),))), State.BLOCKED, "mend"),
        (replace(BUILT, errors=1, damaged=("receipt.yaml",)), State.BLOCKED, "bring receipt.yaml back"),
        (replace(RECEIVED, errors=1, damaged=("outcome.yaml",)), State.BLOCKED, "git restore"),
        (Facts(1, errors=2, damaged=("lock.yaml", "receipt.yaml")), State.BLOCKED, "they are damaged"),
        (BUILT, State.BUILT, "a person"),
        (replace(BUILT, approvals=(replace(YES, content="9"),)), State.BUILT, "approve"),
        (replace(BUILT, approvals=(YES,), wanted=2), State.BUILT, "one more person"),
        (replace(BUILT, wanted=0), State.BUILT, "submit"),
        (replace(BUILT, approvals=(YES,)), State.APPROVED, "submit"),
        (replace(BUILT, receipt=BEGUN), State.UNKNOWN, "--resend"),
        (ended(OutcomeKind.UNKNOWN), State.UNKNOWN, "--resend"),
        (ended(OutcomeKind.UNVERIFIED), State.SUBMITTED, "confirm"),
        (ended(OutcomeKind.REFUSED), State.BUILT, "approve"),
        (replace(ended(OutcomeKind.REFUSED), approvals=(YES,)), State.APPROVED, "the portal did not take it"),
        (replace(ended(OutcomeKind.CORRUPT), approvals=(YES,)), State.APPROVED, "a damaged copy lies"),
        (replace(BUILT, approvals=(YES,), receipt=RESENT), State.APPROVED, "submit it again, as decided"),
        (replace(BUILT, approvals=(YES,), contradicted=True, errors=1), State.BLOCKED, "whose objects"),
        (replace(RECEIVED, contradicted=True, errors=1), State.RECEIVED, "whose objects"),
        (replace(RECEIVED, contradicted=True, elsewhere="another clone"), State.ELSEWHERE, "git pull"),
        (replace(RECEIVED, elsewhere="another clone"), State.ELSEWHERE, "git pull"),
        (ended(OutcomeKind.CORRUPT), State.BUILT, "approve"),
        (ended(OutcomeKind.VERIFIED), State.RECEIVED, "nothing to do"),
        (replace(ended(OutcomeKind.VERIFIED), stale=True), State.RECEIVED, "nothing to do"),
        (replace(ended(OutcomeKind.VERIFIED), errors=1), State.RECEIVED, "raise the revision"),
        (replace(ended(OutcomeKind.VERIFIED), revision=2, lock=None), State.DRAFT, "build"),
        (
            replace(
                BUILT,
                receipt=BEGUN.decided(Decision(Word.TREAT_AS_RECEIVED, "r", "a@example.org", "2026-11-23")),
            ),
            State.RECEIVED,
            "nothing",
        ),
    ],
)
def test_state_and_next_step(facts: Facts, state: State, word: str) -> None:
    told = status(facts)
    assert told.state is state
    assert word in told.next_step


LATE, SOON = Due("2026-11-20", 0), Due("2026-11-25", 3)


@pytest.mark.parametrize(
    ("facts", "due", "today"),
    [
        (Facts(1, due=LATE), LATE, True),
        (Facts(1, due=SOON), SOON, False),
        (Facts(1), None, False),
        (replace(RECEIVED, due=LATE), None, False),
        (replace(RECEIVED, committed=False), None, True),
        (replace(reviewed(resubmission=True), due=LATE), LATE, True),
        (replace(reviewed(resubmission=False), due=LATE), None, False),
        (replace(withdrawn("withdrawn"), due=LATE), None, False),
        (ended(OutcomeKind.UNKNOWN), None, True),
        (Facts(1, elsewhere="another clone"), None, True),
        (replace(ended(OutcomeKind.UNVERIFIED), due=LATE), None, False),
    ],
)
def test_what_cannot_wait(facts: Facts, due: Due | None, *, today: bool) -> None:
    told = status(facts)
    assert (told.due, told.today) == (due, today)


@pytest.mark.parametrize(
    ("facts", "since", "missing"),
    [
        (Facts(1, errors=3), "", 3),
        (BUILT, "", 0),
        (replace(BUILT, lock=replace(LOCK, findings=(LockedFinding("R1", "error"),))), "", 1),
        (replace(BUILT, approvals=(YES,)), "2026-11-22", 0),
        (ended(OutcomeKind.VERIFIED), "2026-11-22", 0),
        (reviewed(resubmission=True), "2026-12-01", 0),
    ],
)
def test_the_last_record_and_what_is_missing(facts: Facts, since: str, missing: int) -> None:
    told = status(facts)
    assert (told.since, told.missing) == (since, missing)
