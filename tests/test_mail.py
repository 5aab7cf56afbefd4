from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rttqa_build.diagnostic import UsageError
from rttqa_build.mail import draft

TO, SENDER = ["qa@example.org", "b@example.org"], "rt.physics@example.org"


def opened(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_draft_opens_as_unsent() -> None:
    data = draft("PLATO EP-0123: prospective review", "Dear team,\n\nÄrzte 日本\n", TO, SENDER)
    message = opened(data)
    assert message["X-Unsent"] == "1"
    assert message["Subject"] == "PLATO EP-0123: prospective review"
    assert message["To"] == "qa@example.org, b@example.org"
    assert message["From"] == SENDER
    assert message["Date"] is None
    assert message.get_content().splitlines() == ["Dear team,", "", "Ärzte 日本"]
    assert b"\r\n\r\nDear team,\r\n\r\n=C3=84rzte" in data
    assert data == draft("PLATO EP-0123: prospective review", "Dear team,\n\nÄrzte 日本\n", TO, SENDER)
    assert data.isascii()
    assert b"\n" not in data.replace(b"\r\n", b"")


def test_a_date_when_given() -> None:
    date = datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert opened(draft("s", "b", TO, SENDER, date))["Date"] == "Sun, 22 Nov 2026 10:00:00 +0000"


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=200))
def test_any_subject_survives_as_one_header(subject: str) -> None:
    message = opened(draft(subject, "b", TO, SENDER))
    assert sorted(message.keys()) == sorted(
        ["Subject", "From", "To", "X-Unsent", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"]
    )


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x00", "\x85", "\u2028"])
def test_a_subject_cannot_become_another_header(end: str) -> None:
    with pytest.raises(UsageError):
        draft(f"Subject{end}Bcc: thief@example.org", "b", TO, SENDER)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@b c",
        "a@example.org, b@example.org",
        "a@example.org\nBcc: x@y",
        "<a@example.org>",
        "ä@b.org",
    ],
)
def test_an_address_must_be_one(address: str) -> None:
    with pytest.raises(UsageError):
        draft("s", "b", [address], SENDER)
    with pytest.raises(UsageError):
        draft("s", "b", TO, address)
