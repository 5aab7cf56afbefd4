from __future__ import annotations

from lock_builder import parsed

from rttqa_build.records import outcome
from rttqa_build.records.outcome import Grade, Review

FIRST = Review(1, Grade.UNACCEPTABLE, True, "2026-12-01", "a@example.org")
SECOND = Review(2, None, False, "2026-12-09", "b@example.org")


def test_what_is_written_is_read() -> None:
    assert outcome.from_document(parsed(outcome.dump([FIRST, SECOND]))) == (FIRST, SECOND)
    assert "grade" not in outcome.dump([SECOND])


def test_one_review_a_revision() -> None:
    mended = Review(1, Grade.ACCEPTABLE, False, "2026-12-02", "a@example.org")
    assert outcome.add([SECOND, FIRST], mended) == (mended, SECOND)
    assert outcome.of([FIRST, SECOND], 2) == SECOND
    assert outcome.of([FIRST], 2) is None


def test_in_words() -> None:
    assert FIRST.words == "unacceptable variation, resubmission asked"
    assert SECOND.words == "no grade, nothing asked"
