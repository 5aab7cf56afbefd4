"""Manifest × trial × today → whether a prospective review is sent in time for the reviewer.

Working days are Monday to Friday; bank holidays are not known here. Nothing of this enters a build or a lock:
the same manifest would be judged otherwise tomorrow.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.diagnostic import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.manifest import Manifest
    from rttqa_build.trial import Trial

_SATURDAY = 5


class Due(NamedTuple):
    """The last day on which to send (ISO 8601), and the working days until then, negative when it is over."""

    date: str
    left: int


def deadline(manifest: Manifest, trial: Trial, today: str) -> Iterator[Diagnostic]:
    """Yield a finding where too few days are left before the start of radiotherapy; ``today`` is ISO 8601.

    An example trial reviews nothing, so nobody waits.
    """
    submission = manifest.submission
    dates = _dates(submission.purpose, submission.radiotherapy_start, trial, today)
    if dates is None:
        return
    wanted, start, now = dates
    where = manifest.document.at(("submission", "radiotherapy_start"))
    left = working_days(now, start)
    if start <= now:
        message = "radiotherapy has started: the review is no longer prospective"
        yield finding("M231", message, where)
    elif left < wanted:
        message = f"{left} working days are left before radiotherapy; the trial asks for {wanted}"
        yield finding("M230", message, where)


def due(purpose: str, start: str, trial: Trial, today: str) -> Due | None:
    """Return until when to send, where the trial gives a deadline; ``start`` of radiotherapy is ISO 8601.

    Takes no manifest, as one that is not complete yet has a deadline too.
    """
    dates = _dates(purpose, start, trial, today)
    if dates is None:
        return None
    wanted, last, now = dates
    for _ in range(wanted):
        last -= timedelta(1)
        while last.weekday() >= _SATURDAY:
            last -= timedelta(1)
    return Due(last.isoformat(), working_days(now, last) - working_days(last, now))


def _dates(purpose: str, start: str, trial: Trial, today: str) -> tuple[int, date, date] | None:
    """Return the working days that the trial asks for, the start of radiotherapy, and today."""
    wanted = trial.deadline_working_days
    if wanted is None or purpose != "prospective-review" or trial.status == "example":
        return None
    try:
        return wanted, date.fromisoformat(start), date.fromisoformat(today)
    except ValueError:
        return None


def working_days(first: date, end: date) -> int:
    """Return the number of days from Monday to Friday from ``first`` on and before ``end``, at least 0."""
    return sum((first + timedelta(days)).weekday() < 5 for days in range((end - first).days))
