from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import summary_example as example

from rttqa_build.diagnostic import Diagnostic
from rttqa_build.summary import email
from rttqa_build.summary.context import Fact, Sending

if TYPE_CHECKING:
    from collections.abc import Callable

    from rttqa_build.summary.context import Context


def rendered(context: Context, template: str | None = None) -> email.EmailText:
    result = email.render(context, {email.TEMPLATE: template.encode()} if template else {})
    assert isinstance(result, email.EmailText), result
    return result


@pytest.mark.parametrize("name", ["received", "draft", "bare", "revision"])
def test_email_is_as_stored(name: str, golden: Callable[[str, str], None]) -> None:
    context = example.context()
    summary = context.summary
    second = replace(summary.submission, revision=2, kind="replacement", reason="rectum redrawn")
    contexts = {
        "received": context,
        "draft": replace(context, sending=replace(context.sending, confirmation="")),
        "bare": replace(
            context,
            summary=replace(summary, contents=(), submission=replace(summary.submission, arm="")),
            sending=Sending(),
        ),
        "revision": replace(
            context,
            summary=replace(
                summary,
                submission=second,
                changes=(Fact("Plan", "replaced"), Fact("Diagnostic MR images", "new")),
            ),
        ),
    }
    message = rendered(contexts[name])
    golden(f"email_{name}.txt", f"To: {message.recipient}\nSubject: {message.subject}\n\n{message.body}")


def test_a_recall_is_as_stored(golden: Callable[[str, str], None]) -> None:
    files = (Fact("PATH_1_0123456789ab.zip", "revision 1, sent 2026-11-22T10:00:00Z, SHA-256 0123"),)
    context = replace(example.context(), sending=Sending(recalled=files))
    message = email.render(context, {}, email.RECALL)
    assert isinstance(message, email.EmailText)
    golden("email_recall.txt", f"To: {message.recipient}\nSubject: {message.subject}\n\n{message.body}")


def test_no_link_and_nothing_clinical() -> None:
    message = rendered(example.context())
    for word in ("http", "www.", "password", "biopsy", "Prostate60", "rectum", "PTV"):
        assert word not in message.subject + message.body


def test_a_value_cannot_start_another_header() -> None:
    context = example.context()
    trial = replace(context.summary.trial, id="x\r\nBcc: a@example.org\r\n\r\nhello\u2028\u202e")
    message = rendered(replace(context, summary=replace(context.summary, trial=trial)))
    assert message.subject.startswith("x Bcc: a@example.org hello EP-0123: ")


def test_template_of_a_trial() -> None:
    message = rendered(example.context(), "Subject: {{ subject }}\n\nHello {{ trial.contact.name }}\n")
    assert message == email.EmailText("qa@example.org", "EP-0123", "Hello Example trial QA team\n")


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("Subject: {{ clinical }}\n\nx", "K201"),
        ("Subject: {{ summary.clinical }}\n\nx", "K201"),
        ("Subject: {% for %}\n\nx", "K201"),
        ("Hello\n\nx", "K204"),
        ("Subject: \n\nx", "K204"),
        ("Subject: a\nBcc: b\n\nx", "K204"),
        ("Subject: a\n\n", "K204"),
    ],
)
def test_faulty_template_of_a_trial(template: str, code: str) -> None:
    result = email.render(example.context(), {email.TEMPLATE: template.encode()})
    assert isinstance(result, Diagnostic)
    assert result.code == code
