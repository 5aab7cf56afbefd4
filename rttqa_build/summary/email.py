"""The emails to the trial's contact: subject and body as plain text, from a short list of safe values.

The template is given no clinical text, no label of the planning system and no name but those of the
functional mailboxes; it holds no link and no password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import Diagnostic
from rttqa_build.summary.template import environment, fill, template_fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rttqa_build.summary.context import Context

TEMPLATE, RECALL = "email.txt.j2", "recall.txt.j2"
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0\xad\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class EmailText:
    """An email without its envelope."""

    recipient: str
    subject: str
    body: str


def render(context: Context, templates: Mapping[str, bytes], name: str = TEMPLATE) -> EmailText | Diagnostic:
    """Return subject and body, or a finding about the trial's own template (K201, K204).

    ``name`` is :data:`TEMPLATE` for what was handed over, :data:`RECALL` for what is taken back. A template
    gives ``Subject: …`` on its first line, an empty line, and the body.
    """
    summary = context.summary
    submission = summary.submission
    values: dict[str, object] = {
        "trial": summary.trial,
        "centre": summary.centre,
        "subject": submission.subject,
        "purpose": submission.purpose,
        "arm": submission.arm,
        "revision": submission.revision,
        "kind": submission.kind,
        "contents": summary.contents,
        "changes": summary.changes,
        "before": summary.before,
        "sending": context.sending,
    }
    text = fill(environment(_one_line), name, templates, values)
    if isinstance(text, Diagnostic):
        return text
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    subject = head.removeprefix("Subject: ").strip()
    if subject == head.strip() or "\n" in subject or not subject or not body.strip():
        return template_fault("K204", "does not give a subject and a body", name, "")
    return EmailText(summary.trial.contact.email, subject, body.strip() + "\n")


def _one_line(value: object) -> object:
    """Return text with every run of spaces, line breaks and invisible characters as one space."""
    return _UNPRINTABLE.sub(" ", str(value)).strip()
