"""``outcome``: what the reviewers said of a received revision."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build import disk
from rttqa_build.cli import session
from rttqa_build.diagnostic import UsageError
from rttqa_build.records import OUTCOME
from rttqa_build.records import outcome as outcomes
from rttqa_build.records.outcome import Review
from rttqa_build.workspace import SUBMISSIONS

if TYPE_CHECKING:
    from rttqa_build.records.outcome import Grade
    from rttqa_build.workspace import Submission


class Said(NamedTuple):
    """What the command line says; 0 stands for the last received revision, an empty date for today."""

    grade: Grade | None
    resubmission: bool
    date: str
    revision: int


def outcome(name: str, said: Said) -> int:
    """Record a review, or show those that are recorded."""
    here, out = session.workspace(), session.term()
    (path,) = here.manifests([name])
    submission = here.load(path)
    _demand_readable(submission)
    kept = submission.records.reviews
    if said.grade is None and not said.resubmission:
        if said.date or said.revision:
            raise UsageError("there is nothing to record", "add --grade, --resubmission, or both")
        for one in kept:
            out.tell(f"revision {one.revision}, {one.date}: {one.words}")
        if not kept:
            out.say("no review is recorded")
        return 0
    revision = _revision(submission, said.revision)
    date = _date(said.date, _handed_over(submission, revision))
    review = Review(revision, said.grade, said.resubmission, date, session.author(here))
    disk.write(path.parent / OUTCOME, outcomes.dump(outcomes.add(kept, review)).encode())
    out.tell(f"{submission.name}, revision {revision}: {review.words}")
    out.say(f"  {SUBMISSIONS}/{submission.name}/{OUTCOME} (commit it)")
    if review.resubmission:
        out.tell("  next: raise the revision in the manifest, add kind and reason, and build")
    return 0


def _demand_readable(submission: Submission) -> None:
    for found in submission.diagnostics:
        if found.code in {"M410", "M411"}:
            raise UsageError(found.message, found.hint, code=found.code)


def _revision(submission: Submission, wanted: int) -> int:
    received = {one.revision for one in submission.records.receipt.attempts if one.received}
    revision = wanted or max(received, default=0)
    if revision not in received:
        raise UsageError(
            f"{submission.name} has no received revision" + (f" {wanted}" if wanted else ""),
            "reviewers can only have seen what was received; see `rttqa-build status`",
        )
    return revision


def _handed_over(submission: Submission, revision: int) -> str:
    """Return the day on which a revision was handed over; nothing where its attempts tell none."""
    attempts = submission.records.receipt.attempts
    return min((one.date[:10] for one in attempts if one.revision == revision and one.received), default="")


def _date(text: str, earliest: str) -> str:
    """Return the day of a review; raise UsageError when nobody can have reviewed the package on it."""
    if not text:
        return session.today()
    try:
        date = dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError("--date is no date", "write year-month-day, for example 2026-12-14") from None
    if date > session.today():
        raise UsageError("--date lies in the future", "give the day of the review")
    # the hand-over is told in UTC, the review by the calendar on the wall: they may differ by a day
    if earliest and dt.date.fromisoformat(date) < dt.date.fromisoformat(earliest) - dt.timedelta(days=1):
        raise UsageError(
            f"--date lies before the hand-over on {earliest}",
            "give the day of the review; of an earlier revision with --revision",
        )
    return date
