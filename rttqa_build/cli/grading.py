"""``outcome``: what the reviewers said of a received revision."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build import disk
from rttqa_build import outcome as outcomes
from rttqa_build.cli import session
from rttqa_build.diagnostic import UsageError
from rttqa_build.outcome import Review
from rttqa_build.records import OUTCOME
from rttqa_build.workspace import SUBMISSIONS

if TYPE_CHECKING:
    from rttqa_build.outcome import Grade
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
            out.say(f"revision {one.revision}, {one.date}: {one.words}")
        if not kept:
            out.say("no review is recorded")
        return 0
    revision, date = _revision(submission, said.revision), _date(said.date)
    review = Review(revision, said.grade, said.resubmission, date, session.author(here))
    disk.write(path.parent / OUTCOME, outcomes.dump(outcomes.add(kept, review)).encode())
    out.say(f"{submission.name}, revision {revision}: {review.words}")
    out.say(f"  {SUBMISSIONS}/{submission.name}/{OUTCOME} (commit it)")
    if review.resubmission:
        out.say("  next: raise the revision in the manifest, add kind and reason, and build")
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


def _date(text: str) -> str:
    if not text:
        return session.today()
    try:
        date = dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError("--date is no date", "write year-month-day, for example 2026-12-14") from None
    if date > session.today():
        raise UsageError("--date lies in the future", "give the day of the review")
    return date
