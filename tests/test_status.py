from __future__ import annotations

from dataclasses import replace

import pytest
from lock_builder import make_lock

from rttqa_build.approval import Approval
from rttqa_build.lock import LockedFinding
from rttqa_build.receipt import Attempt, Decision, Outcome, OutcomeKind, Receipt, Word
from rttqa_build.status import Facts, State, status

LOCK = make_lock()
YES = Approval("physicist", "a@example.org", "2026-11-22", LOCK.content)
BUILT = Facts(1, lock=LOCK)
BEGUN = Receipt().begun(Attempt(1, LOCK.content, "n", 14, "e" * 64, "folder", "2026-11-22T10:00:00Z"))


def ended(kind: OutcomeKind) -> Facts:
    return replace(BUILT, receipt=BEGUN.ended(Outcome(kind)))


@pytest.mark.parametrize(
    ("facts", "state", "word"),
    [
        (Facts(1, errors=2), State.INCOMPLETE, "2 errors"),
        (Facts(1), State.DRAFT, "build"),
        (replace(BUILT, stale=True), State.STALE, "build it again"),
        (replace(BUILT, errors=1), State.BLOCKED, "1 error,"),
        (replace(BUILT, lock=replace(LOCK, findings=(LockedFinding("R1", "error"),))), State.BLOCKED, "mend"),
        (BUILT, State.BUILT, "a person"),
        (replace(BUILT, approvals=(replace(YES, content="9"),)), State.BUILT, "approve"),
        (replace(BUILT, approvals=(YES,), wanted=2), State.BUILT, "one more person"),
        (replace(BUILT, wanted=0), State.BUILT, "submit"),
        (replace(BUILT, approvals=(YES,)), State.APPROVED, "submit"),
        (replace(BUILT, receipt=BEGUN), State.UNKNOWN, "--resend"),
        (ended(OutcomeKind.UNKNOWN), State.UNKNOWN, "--resend"),
        (ended(OutcomeKind.UNVERIFIED), State.SUBMITTED, "confirm"),
        (ended(OutcomeKind.REFUSED), State.BUILT, "approve"),
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
