"""A letter → the bytes of a draft that opens as an unsent message, or a message given to a mail server.

``X-Unsent: 1`` makes Outlook and Thunderbird open the file for sending. Without a date the same letter gives
the same bytes. A message is sent once: whoever calls :func:`send` records it before and after.
"""

from __future__ import annotations

import contextlib
import enum
import os
import re
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.diagnostic import UsageError

if TYPE_CHECKING:
    import smtplib
    import ssl
    from datetime import datetime
    from pathlib import Path

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_IMPLICIT_TLS = 465
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OURSELVES = "[127.0.0.1]"  # what a client may call itself (RFC 5321, 4.1.3): the computer's name stays here


@dataclass(frozen=True, slots=True)
class Letter:
    """A plain-text e-mail: ``sender`` is where it comes from, ``reply_to`` who gets the answer if another.

    ``message_id`` is given to servers only; a mail program makes its own for a draft.
    """

    subject: str
    body: str
    to: tuple[str, ...]
    sender: str
    reply_to: str = ""
    message_id: str = ""


def draft(letter: Letter, date: datetime | None = None) -> bytes:
    """Return an ``.eml`` file (CRLF lines, ASCII throughout, the body as quoted-printable UTF-8).

    Raises UsageError when an address is none, or a header holds a line break or another control character.
    """
    message = _message(letter, date)
    message["X-Unsent"] = "1"
    return message.as_bytes()


def _message(letter: Letter, date: datetime | None) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["Subject"] = _line(letter.subject, "the subject of the e-mail")
    message["From"] = _address(letter.sender)
    message["To"] = [_address(one) for one in letter.to]
    if letter.reply_to and letter.reply_to != letter.sender:
        message["Reply-To"] = _address(letter.reply_to)
    if date is not None:
        message["Date"] = date
    message.set_content(letter.body, charset="utf-8", cte="quoted-printable")
    return message


def _line(text: str, what: str) -> str:
    if _CONTROL.search(text):
        raise UsageError(f"{what} holds a line break or a control character", "write it on one line")
    return text


def _address(text: str) -> Address:
    if not _ADDRESS.fullmatch(text):
        raise UsageError(
            "an e-mail address in the settings or the trial is not valid", "write name@example.org"
        )
    return Address(addr_spec=text)


# --- by SMTP -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server. With ``encrypted``, TLS from the start on port 465, else STARTTLS, always verified.

    ``ca_file`` adds certificates to those of the system. Without a password nobody logs in.
    """

    host: str
    port: int = 587
    encrypted: bool = True
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    timeout: float = 60.0


class Posted(enum.StrEnum):
    """What is known of a message that was given to a server."""

    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"  # the server has all of it, and its answer was lost


class Posting(NamedTuple):
    """How sending ended, and why, in words that hold neither the server's nor the message's text."""

    result: Posted
    reason: str = ""


class _RefusedError(Exception):
    """The server said no, or cannot be used; the text is for people."""


def send(letter: Letter, server: Server, date: datetime) -> Posting:
    """Give a letter to a mail server. Never raises for what server and network do: that is the outcome.

    Raises UsageError as :func:`draft` does.
    """
    import smtplib

    message = _message(letter, date)
    if letter.message_id:
        message["Message-ID"] = letter.message_id
    data = re.sub(rb"(?m)^\.", b"..", message.as_bytes())  # RFC 5321, 4.5.2
    try:
        with contextlib.closing(_connected(server)) as connection:
            _introduce(connection, server)
            _envelope(connection, letter)
            connection.send(data)
            return _conclude(connection)
    except _RefusedError as error:
        return Posting(Posted.FAILED, str(error))
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return Posting(Posted.FAILED, _failure(error))


def _connected(server: Server) -> smtplib.SMTP:
    import smtplib

    if server.encrypted and server.port == _IMPLICIT_TLS:
        return smtplib.SMTP_SSL(
            server.host, server.port, _OURSELVES, timeout=server.timeout, context=_context(server)
        )
    return smtplib.SMTP(server.host, server.port, _OURSELVES, timeout=server.timeout)


def _context(server: Server) -> ssl.SSLContext:
    import ssl

    context = ssl.create_default_context()
    context.keylog_filename = os.devnull  # SSLKEYLOGFILE would get what decrypts the password
    if server.ca_file is not None:
        try:
            context.load_verify_locations(server.ca_file)
        except OSError:
            raise _RefusedError("the certificates in `ca_file` cannot be read") from None
    return context


def _introduce(connection: smtplib.SMTP, server: Server) -> None:
    """Encrypt, and log in where there is a password."""
    connection.ehlo_or_helo_if_needed()
    if server.encrypted and server.port != _IMPLICIT_TLS:
        if not connection.has_extn("starttls"):
            raise _RefusedError("the mail server offers no encryption (STARTTLS)")
        connection.starttls(context=_context(server))
        connection.ehlo()
    if not server.password:
        return
    if not server.encrypted and server.host not in _LOOPBACK:
        raise _RefusedError("a password is never sent over a connection that is not encrypted")
    _log_in(connection, server)


def _log_in(connection: smtplib.SMTP, server: Server) -> None:
    """Log in, in one way: a library that tries each in turn makes one wrong password three, and locks out."""
    ways = {"PLAIN": connection.auth_plain, "LOGIN": connection.auth_login}
    offered = connection.esmtp_features.get("auth", "").upper().split()
    chosen = next((way for way in ways if way in offered), "")
    if not chosen:
        raise _RefusedError("the mail server lets nobody log in with a password")
    connection.user, connection.password = server.user, server.password
    connection.auth(chosen, ways[chosen])


def _envelope(connection: smtplib.SMTP, letter: Letter) -> None:
    _expect(connection.mail(letter.sender), "the sender")
    for address in letter.to:
        _expect(connection.rcpt(address), "a recipient")
    _expect(connection.docmd("DATA"), "the message", 354)


def _expect(answer: tuple[int, bytes], what: str, *accepted: int) -> None:
    code = answer[0]
    if code not in (accepted or (250, 251, 252)):
        raise _RefusedError(f"the mail server did not take {what} (code {code})")


def _conclude(connection: smtplib.SMTP) -> Posting:
    """End the message. From here on the server may have taken it, whatever becomes of its answer."""
    import smtplib

    try:
        code, _ = connection.docmd(".")
    except (smtplib.SMTPException, OSError):
        return Posting(Posted.UNKNOWN, "the connection broke off before the mail server's answer")
    if code != 250:
        return Posting(Posted.FAILED, f"the mail server did not take the message (code {code})")
    with contextlib.suppress(smtplib.SMTPException, OSError):
        connection.putcmd("QUIT")  # nobody waits for the answer: the message is taken
    return Posting(Posted.SENT)


def _failure(error: Exception) -> str:
    """Return what went wrong before the message was complete; the server's own words stay out."""
    import smtplib
    import socket
    import ssl

    reasons: tuple[tuple[type[Exception], str], ...] = (
        (ssl.SSLCertVerificationError, "the mail server's certificate is not trusted"),
        (ssl.SSLError, "the mail server could not be spoken to over TLS"),
        (socket.gaierror, "the mail server's name is not known"),
        (TimeoutError, "the mail server did not answer in time"),
        (smtplib.SMTPAuthenticationError, "the mail server refused user or password"),
        (smtplib.SMTPResponseException, "the mail server refused"),
        (smtplib.SMTPServerDisconnected, "the mail server closed the connection, or did not answer in time"),
    )
    words = next(
        (text for kind, text in reasons if isinstance(error, kind)), "the mail server is out of reach"
    )
    code = getattr(error, "smtp_code", 0)
    return f"{words} (code {code})" if code else words
