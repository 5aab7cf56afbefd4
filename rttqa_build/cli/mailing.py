"""The e-mails of ``submit`` and ``withdraw``: their text from the trial's template, and the server."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING

from rttqa_build.cli import session
from rttqa_build.cli.passwords import kept
from rttqa_build.diagnostic import Diagnostic, RttqaError
from rttqa_build.records.receipt import About, OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from rttqa_build.mail import Letter, Posting
    from rttqa_build.records.receipt import Attempt
    from rttqa_build.settings import SmtpSettings
    from rttqa_build.summary.context import Context
    from rttqa_build.workspace import Submission, Workspace

PASSWORD = "RTTQA_SMTP_PASSWORD"  # noqa: S105 - the name of a variable, not its value


def announcement(here: Workspace, submission: Submission, attempt: Attempt) -> Letter:
    """Return the e-mail that announces a received package."""
    from rttqa_build.mail.announcement import announce
    from rttqa_build.summary import email

    manifest, trial, lock = submission.manifest, submission.trial, submission.records.lock
    if manifest is None or trial is None or lock is None:
        raise ValueError("only a submission that was built is announced")
    confirmed = f"{_done(attempt)} on {attempt.date}, SHA-256 {attempt.sha256}"
    context = announce(manifest, trial, here.settings, lock, here.previous(submission), confirmed)
    return _letter(here, context, submission, email.TEMPLATE, _message_id(here, attempt, About.ANNOUNCEMENT))


def recall(here: Workspace, submission: Submission, attempts: tuple[Attempt, ...]) -> Letter:
    """Return the e-mail that asks the trial to delete what may lie at the portal."""
    from rttqa_build.mail.announcement import take_back
    from rttqa_build.summary import email

    manifest, trial = submission.manifest, submission.trial
    if manifest is None or trial is None:
        raise ValueError("only a submission with a valid manifest is recalled")
    return _letter(here, take_back(manifest, trial, here.settings, attempts), submission, email.RECALL, "")


def _letter(
    here: Workspace, context: Context, submission: Submission, template: str, message_id: str
) -> Letter:
    from rttqa_build.mail import Letter
    from rttqa_build.summary import email

    told = email.render(context, submission.trial.templates if submission.trial else {}, template)
    if isinstance(told, Diagnostic):
        raise RttqaError(told.message, told.hint, code=told.code)
    smtp, contact = here.settings.smtp, here.settings.centre.contact.email
    sender = smtp.sender if smtp else contact
    return Letter(told.subject, told.body, (told.recipient,), sender, contact, message_id)


def _message_id(here: Workspace, attempt: Attempt, about: About) -> str:
    """Return the same Message-ID for the same e-mail: mail programs show one that came twice once."""
    smtp = here.settings.smtp
    domain = (smtp.sender if smtp else here.settings.centre.contact.email).rpartition("@")[2]
    return f"<{attempt.sha256[:32]}.r{attempt.revision}.{about}@{domain}>"


def _done(attempt: Attempt) -> str:
    """Return what became of an attempt, in the email's words."""
    if attempt.kind is not OutcomeKind.VERIFIED:
        return "handed over, without proof of receipt,"
    return "copied to the hand-over folder and read back" if attempt.portal == "folder" else "received"


def post(here: Workspace) -> Callable[[Letter], Posting] | None:
    """Return what gives a letter to the mail server of the settings; None where they name none."""
    smtp = here.settings.smtp
    if smtp is None:
        return None

    def give(letter: Letter) -> Posting:
        from rttqa_build import mail

        certificates = here.root / smtp.ca_file if smtp.ca_file else None
        user, password = smtp.user or smtp.sender, _password(smtp)
        server = mail.Server(smtp.host, smtp.port, smtp.starttls, user, password, certificates)
        return mail.send(letter, server, dt.datetime.now(dt.UTC))

    return give


def _password(smtp: SmtpSettings) -> str:
    """Return the password from environment, keyring or a person; empty where nobody has to log in."""
    given = session.environ().get(PASSWORD, "")
    if not given and smtp.user:
        given = kept(f"rttqa-build {smtp.host}", smtp.user)
    if given or not smtp.user or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return given
    import getpass

    return getpass.getpass(f"Password of {smtp.user} at {smtp.host}: ")
