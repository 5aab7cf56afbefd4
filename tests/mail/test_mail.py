from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mail_server import PASSWORD, USER, Postbox, postbox

from rttqa_build.diagnostic import UsageError
from rttqa_build.mail import Letter, Posted, Posting, Server, draft, send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TO, SENDER = ("qa@example.org", "b@example.org"), "rt.physics@example.org"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
LETTER = Letter(
    "PLATO EP-0123: prospective review",
    "Dear team,\n\nÄrzte 日本\n.a line that begins with a dot\n",
    TO,
    SENDER,
    "physics@example.org",
    "<1.r1.announcement@example.org>",
)


def opened(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=default)
    assert isinstance(message, EmailMessage)
    return message


# --- drafts ---


def test_a_draft_opens_as_unsent() -> None:
    data = draft(LETTER)
    message = opened(data)
    assert message["X-Unsent"] == "1"
    assert message["Subject"] == "PLATO EP-0123: prospective review"
    assert message["To"] == "qa@example.org, b@example.org"
    assert message["From"] == SENDER
    assert message["Reply-To"] == "physics@example.org"
    assert message["Date"] is message["Message-ID"] is None
    assert message.get_content().splitlines() == LETTER.body.splitlines()
    assert b"\r\n\r\nDear team,\r\n\r\n=C3=84rzte" in data
    assert data == draft(LETTER)
    assert data.isascii()
    assert b"\n" not in data.replace(b"\r\n", b"")


def test_a_date_when_given() -> None:
    assert opened(draft(LETTER, NOW))["Date"] == "Sun, 22 Nov 2026 10:00:00 +0000"


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=200))
def test_any_subject_survives_as_one_header(subject: str) -> None:
    message = opened(draft(Letter(subject, "b", TO, SENDER)))
    assert sorted(message.keys()) == sorted(
        ["Subject", "From", "To", "X-Unsent", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"]
    )


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x00", "\x85", "\u2028"])
def test_a_subject_cannot_become_another_header(end: str) -> None:
    with pytest.raises(UsageError):
        draft(replace(LETTER, subject=f"Subject{end}Bcc: thief@example.org"))


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
    for letter in (replace(LETTER, to=(address,)), replace(LETTER, sender=address)):
        with pytest.raises(UsageError):
            draft(letter)
    if address:
        with pytest.raises(UsageError):
            draft(replace(LETTER, reply_to=address))


# --- by SMTP ---


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Postbox]:
    with postbox(tmp_path) as made:
        yield made


def to(box: Postbox) -> Server:
    return Server("127.0.0.1", box.port, ca_file=box.ca_file, timeout=5)


def test_a_letter_arrives_once_and_whole(box: Postbox) -> None:
    assert send(LETTER, to(box), NOW) == Posting(Posted.SENT)
    (data,) = box.taken
    message = opened(data)
    assert message.get_content().splitlines() == LETTER.body.splitlines()
    assert (message["Message-ID"], message["X-Unsent"]) == (LETTER.message_id, None)
    assert message["Date"] == "Sun, 22 Nov 2026 10:00:00 +0000"
    assert (box.encrypted, box.logins) == ([True], [])
    assert socket.gethostname().encode() not in data


def test_a_password_logs_in_and_is_never_shown(tmp_path: Path) -> None:
    with postbox(tmp_path, login=True) as box:
        server = replace(to(box), user=USER, password=PASSWORD)
        assert PASSWORD not in repr(server)
        assert send(LETTER, server, NOW).result is Posted.SENT
        refused = send(LETTER, replace(server, password=PASSWORD[:-1]), NOW)
        anonymous = send(LETTER, to(box), NOW)
    assert box.logins == [True, False]
    assert refused == Posting(Posted.FAILED, "the mail server refused user or password (code 535)")
    assert anonymous == Posting(Posted.FAILED, "the mail server did not take the sender (code 530)")
    assert len(box.taken) == 1


def test_nobody_notes_the_keys_of_the_connection(
    tmp_path: Path, box: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.txt"))
    assert send(LETTER, to(box), NOW).result is Posted.SENT
    assert "CLIENT" not in (tmp_path / "keys.txt").read_text("utf-8")


def test_a_certificate_must_be_trusted(tmp_path: Path, box: Postbox) -> None:
    untrusted = "the mail server's certificate is not trusted"
    assert send(LETTER, replace(to(box), ca_file=None), NOW) == Posting(Posted.FAILED, untrusted)
    (tmp_path / "x").mkdir()
    with postbox(tmp_path / "x", name="mail.example.org") as other:
        assert send(LETTER, to(other), NOW) == Posting(Posted.FAILED, untrusted)
    missing = replace(to(box), ca_file=tmp_path / "missing.pem")
    assert "ca_file" in send(LETTER, missing, NOW).reason
    assert box.taken == other.taken == []


def test_without_encryption_nothing_is_sent_unless_the_settings_say_so(tmp_path: Path) -> None:
    with postbox(tmp_path, encrypted=False) as box:
        assert "STARTTLS" in send(LETTER, to(box), NOW).reason
        plain = replace(to(box), encrypted=False)
        assert send(LETTER, plain, NOW).result is Posted.SENT
        assert len(box.taken) == 1


def test_no_password_travels_in_clear_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with postbox(tmp_path, encrypted=False) as box:
        real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", lambda _, *rest, **more: real("127.0.0.1", *rest, **more))
        server = Server(
            "mail.example.org", box.port, encrypted=False, user=USER, password=PASSWORD, timeout=5
        )
        assert "never sent" in send(LETTER, server, NOW).reason
    assert box.logins == []


@pytest.mark.parametrize(
    ("step", "answer", "result", "words", "taken"),
    [
        ("MAIL", "451 later", Posted.FAILED, "the sender (code 451)", 0),
        ("MAIL", "close", Posted.FAILED, "closed the connection", 0),
        ("RCPT", "550 no such user qa@example.org", Posted.FAILED, "a recipient (code 550)", 0),
        ("DATA", "554 spam", Posted.FAILED, "the message (code 554)", 0),
        ("DATA", "close", Posted.UNKNOWN, "broke off", 1),
    ],
)
def test_faults(step: str, answer: str, result: Posted, words: str, taken: int, box: Postbox) -> None:
    box.faults[step] = answer
    told = send(LETTER, to(box), NOW)
    assert (told.result, len(box.taken)) == (result, taken)
    assert words in told.reason
    assert "example.org" not in told.reason
    box.faults.clear()
    assert send(LETTER, to(box), NOW) == Posting(Posted.SENT)


def test_nobody_there() -> None:
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        told = send(LETTER, Server("127.0.0.1", taken.getsockname()[1], timeout=2), NOW)
    assert told == Posting(Posted.FAILED, "the mail server is out of reach")
    nowhere = send(LETTER, Server("mail.invalid", timeout=2), NOW)
    assert nowhere == Posting(Posted.FAILED, "the mail server's name is not known")


def test_a_server_that_says_nothing() -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as silent:
        told = send(LETTER, Server("127.0.0.1", silent.getsockname()[1], timeout=0.3), NOW)
    assert told.result is Posted.FAILED
    assert "in time" in told.reason


def test_an_answer_that_never_comes_is_unknown() -> None:
    """Everything is acknowledged but the end of the message."""
    seen: list[bytes] = []

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rwb", buffering=0) as stream:
            stream.write(b"220 here\r\n")
            for line in stream:
                seen.append(line)
                if line == b".\r\n":
                    break
                if line.upper().startswith((b"EHLO", b"MAIL", b"RCPT")):
                    stream.write(b"250 fine\r\n")
                elif line.upper().startswith(b"DATA"):
                    stream.write(b"354 go on\r\n")
            connection.recv(1)  # until the other side gives up

    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listening:
        serving = threading.Thread(target=serve, args=(listening,))
        serving.start()
        server = Server("127.0.0.1", listening.getsockname()[1], encrypted=False, timeout=0.5)
        told = send(LETTER, server, NOW)
        serving.join(5)
    assert told.result is Posted.UNKNOWN
    assert seen.count(b".\r\n") == 1
    assert b"..a line that begins with a dot\r\n" in seen
    assert seen[0] == b"ehlo [127.0.0.1]\r\n"
