from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from lock_builder import parsed

from rttqa_build.records import receipt
from rttqa_build.records.receipt import Attempt, Decision, Outcome, OutcomeKind, Receipt, Withdrawal, Word

SHA = "a" * 64
BEGUN = Attempt(1, "c" * 64, f"example_EP-0123_r1_{SHA[:12]}.zip", 14, SHA, "folder", "2026-11-22T10:00:00Z")
RESEND = Decision(Word.RESEND, "the trial team has nothing", "a@example.org", "2026-11-23T10:00:00Z")
TREAT = Decision(Word.TREAT_AS_RECEIVED, "confirmed by phone", "a@example.org", "2026-11-23T10:00:00Z")


def ended(kind: OutcomeKind, echo: str = "") -> Receipt:
    return Receipt().begun(BEGUN).ended(Outcome(kind, echo, {"reason": "words"} if not echo else {}))


ALL = [
    Receipt(),
    Receipt().begun(BEGUN),
    ended(OutcomeKind.VERIFIED, SHA),
    ended(OutcomeKind.CORRUPT, "b" * 64),
    ended(OutcomeKind.REFUSED).begun(BEGUN).decided(RESEND).begun(BEGUN).ended(Outcome(OutcomeKind.VERIFIED)),
    ended(OutcomeKind.UNVERIFIED).decided(TREAT),
]


@pytest.mark.parametrize("given", ALL)
def test_a_dumped_receipt_reads_back_and_is_valid(given: Receipt) -> None:
    from jsonschema import Draft202012Validator

    document = parsed(receipt.dump(given))
    assert receipt.from_document(document) == given
    path = Path(__file__).resolve().parents[2] / "schemas" / "receipt.schema.json"
    schema = json.loads(path.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(document.data)


@pytest.mark.parametrize(
    ("given", "received", "copies", "open_"),
    [
        (Receipt(), 0, 0, 0),
        (Receipt().begun(BEGUN), 0, 1, 1),
        (ended(OutcomeKind.UNKNOWN), 0, 1, 1),
        (ended(OutcomeKind.UNVERIFIED), 0, 1, 1),
        (ended(OutcomeKind.VERIFIED, SHA), 1, 1, 0),
        (ended(OutcomeKind.CORRUPT, "b" * 64), 0, 1, 0),
        (ended(OutcomeKind.REFUSED), 0, 0, 0),
        (ended(OutcomeKind.UNKNOWN).decided(RESEND), 0, 1, 0),
        (ended(OutcomeKind.UNKNOWN).decided(TREAT), 1, 1, 0),
        (Receipt().begun(BEGUN).decided(RESEND).begun(BEGUN).ended(Outcome(OutcomeKind.VERIFIED)), 1, 2, 0),
    ],
)
def test_what_a_receipt_says(given: Receipt, received: int, copies: int, open_: int) -> None:
    assert (given.received, given.copies, len(given.undecided)) == (received, copies, open_)
    text = receipt.dump(given)
    assert f"received: {received}\ncopies: {copies}\n" in text


def test_an_attempt_without_outcome_is_unknown() -> None:
    assert "outcome" not in receipt.dump(Receipt().begun(BEGUN))
    assert BEGUN.kind is OutcomeKind.UNKNOWN


def test_the_receipt_says_whether_the_echo_is_equal() -> None:
    assert "equal: true" in receipt.dump(ended(OutcomeKind.VERIFIED, SHA))
    assert "equal: false" in receipt.dump(ended(OutcomeKind.CORRUPT, "b" * 64))


def test_a_decision_touches_only_what_waits_for_one() -> None:
    both = ended(OutcomeKind.REFUSED).begun(BEGUN).decided(RESEND)
    assert [item.decision for item in both.attempts] == [None, RESEND]


def test_the_same_content_under_another_revision_is_no_repetition() -> None:
    done = ended(OutcomeKind.VERIFIED, SHA)
    assert done.received_attempt(1, SHA, "x")
    assert done.received_attempt(2, SHA, "x")
    assert done.received_attempt(1, "x", "c" * 64)
    assert done.received_attempt(2, "x", "c" * 64) is None
    assert ended(OutcomeKind.UNKNOWN).received_attempt(1, SHA, "c" * 64) is None
    assert done.tries(SHA) == 1


def test_a_withdrawal_takes_back_what_went_before_it() -> None:
    first = ended(OutcomeKind.VERIFIED, SHA)
    gone = first.withdrew(Withdrawal("withdrawn", "r", "a@example.org", "2026-11-23T10:00:00Z"))
    lifted = gone.withdrew(Withdrawal("lifted", "r", "a@example.org", "2026-11-24T10:00:00Z"))
    after = lifted.begun(replace(BEGUN, revision=2, date="2026-11-23T10:00:00Z"))
    refused = ended(OutcomeKind.REFUSED).withdrew(gone.withdrawals[0])
    assert [one.recalled for one in (Receipt(), first, gone, lifted, after, refused)] == [0, 0, 1, 1, 1, 0]
