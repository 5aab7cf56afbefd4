"""Subject, body and addresses → the bytes of a draft that opens as an unsent message in a mail program.

``X-Unsent: 1`` makes Outlook open the file for sending; Thunderbird offers *Edit as new message*. Without a
date the same input gives the same bytes. Nothing is sent here.
"""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


def draft(subject: str, body: str, to: Sequence[str], sender: str, date: datetime | None = None) -> bytes:
    """Return an ``.eml`` file (CRLF lines, ASCII throughout, the body as quoted-printable UTF-8).

    Raises UsageError when an address is none, or a header holds a line break or another control character.
    """
    message = EmailMessage(policy=SMTP)
    message["Subject"] = _line(subject, "the subject of the e-mail")
    message["From"] = _address(sender)
    message["To"] = [_address(one) for one in to]
    if date is not None:
        message["Date"] = date
    message["X-Unsent"] = "1"
    message.set_content(body, charset="utf-8", cte="quoted-printable")
    return message.as_bytes()


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
