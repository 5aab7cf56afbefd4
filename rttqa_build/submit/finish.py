"""After the hand-over: the e-mail, once, and the frozen revision. Neither undoes what was received.

An e-mail is recorded before it is given to a server and gets its outcome afterwards, as an attempt does. One
whose outcome is not known is never sent again by itself: a draft is left for a person.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rttqa_build import disk, mail
from rttqa_build.diagnostic import Diagnostic, RttqaError, finding, ordered
from rttqa_build.mail import Posted
from rttqa_build.records import RECEIPT
from rttqa_build.records.history import freeze
from rttqa_build.records.receipt import About, Notice, Sent
from rttqa_build.submit import journal
from rttqa_build.submit.gate import at

if TYPE_CHECKING:
    from collections.abc import Callable

    from rttqa_build.mail import Letter, Posting
    from rttqa_build.records.receipt import Attempt, Receipt
    from rttqa_build.submit.contract import Steps
    from rttqa_build.submit.gate import Candidate

EMAIL = "email.eml"


def finish(
    candidate: Candidate, kept: Receipt, attempt: Attempt, steps: Steps, now: str
) -> tuple[Diagnostic, ...]:
    """Announce what was received and freeze its revision, unless that is done; return what went wrong.

    ``kept`` is the receipt as it is on disk, ``now`` the time for the record of the e-mail.
    """
    return ordered(
        [
            *_tried(candidate, lambda: _announce(candidate, kept, attempt, steps, now)),
            *_tried(candidate, lambda: _freeze(candidate, attempt)),
        ]
    )


def _tried(candidate: Candidate, step: Callable[[], tuple[Diagnostic, ...]]) -> tuple[Diagnostic, ...]:
    try:
        return step()
    except RttqaError as error:
        return (finding("U040", error.message, at(candidate, RECEIPT), hint=error.hint),)


def _freeze(candidate: Candidate, attempt: Attempt) -> tuple[Diagnostic, ...]:
    freeze(candidate.folder, attempt.revision)
    return ()


def _announce(
    candidate: Candidate, kept: Receipt, attempt: Attempt, steps: Steps, now: str
) -> tuple[Diagnostic, ...]:
    notice = kept.notice(attempt.revision, About.ANNOUNCEMENT)
    fate = notice.fate if notice else Sent.FAILED
    if kept.withdrawn or fate is Sent.SENT:
        return ()
    if fate is Sent.UNKNOWN:
        return _doubtful(candidate, attempt, steps)
    new = notice or Notice(attempt.revision, About.ANNOUNCEMENT, now)
    if steps.post is not None and fate is Sent.FAILED:
        return _send(candidate, kept, attempt, steps, replace(new, date=now, outcome=None))
    if notice is None or fate is not Sent.DRAFTED or not (candidate.output / EMAIL).exists():
        disk.write(candidate.output / EMAIL, mail.draft(steps.letter(attempt)))
    if fate is not Sent.DRAFTED:
        journal.write(candidate, kept.noticed(replace(new, outcome=Sent.DRAFTED)))
    return ()


def _send(
    candidate: Candidate, kept: Receipt, attempt: Attempt, steps: Steps, notice: Notice
) -> tuple[Diagnostic, ...]:
    letter = steps.letter(attempt)
    notice = replace(notice, message_id=letter.message_id)
    journal.write(candidate, kept.noticed(notice))
    posting = _posted(letter, steps)
    journal.write(candidate, kept.noticed(replace(notice, outcome=Sent(posting.result.value))))
    if posting.result is Posted.FAILED:
        return (finding("U056", f"the e-mail was not sent: {posting.reason}", at(candidate, RECEIPT)),)
    disk.remove(candidate.output / EMAIL)  # an earlier revision's
    return _doubtful(candidate, attempt, steps) if posting.result is Posted.UNKNOWN else ()


def _posted(letter: Letter, steps: Steps) -> Posting:
    if steps.post is None:
        raise ValueError("there is no server to send it by")
    return steps.post(letter)


def _doubtful(candidate: Candidate, attempt: Attempt, steps: Steps) -> tuple[Diagnostic, ...]:
    """Leave a draft for a person, and say so."""
    if not (candidate.output / EMAIL).exists():
        disk.write(candidate.output / EMAIL, mail.draft(steps.letter(attempt)))
    return (finding("U055", "it is not known whether the e-mail went out", at(candidate, RECEIPT)),)
