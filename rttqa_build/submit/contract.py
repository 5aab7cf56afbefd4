"""What the hand-over needs from other pipelines, what it is asked, and how it ends."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

from rttqa_build.diagnostic import Diagnostic, exit_code

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rttqa_build.lock import Lock
    from rttqa_build.mail import Letter, Posting
    from rttqa_build.portal import PortalError
    from rttqa_build.records.receipt import Attempt, Decision


class Built(Protocol):
    """What a rebuild from nothing gives: findings, and lock and package unless the findings forbid them."""

    @property
    def lock(self) -> Lock | None:
        """Return the lock of the rebuild."""

    @property
    def package(self) -> Path | None:
        """Return the rebuilt zip file."""

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Return what the rebuild found."""

    @property
    def whose(self) -> str:
        """Return the keyed digest of whom the source names: releases hold for these."""


class Report(Protocol):
    """What ``verify`` says about the package that it read from an open handle."""

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Return what it found."""

    @property
    def content_digest(self) -> str:
        """Return the SHA-256 of the bag's manifest."""

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the zip file."""

    @property
    def size(self) -> int:
        """Return the size of the zip file in bytes."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The other pipelines: rebuild from nothing, verify an open package, write the e-mail.

    ``post`` gives the e-mail to a mail server; without it a draft is left. ``pause`` waits before another try
    of the hand-over: it gets the number of tries so far and why the last failed, and returns the time after
    it; without it there is one try.
    """

    rebuild: Callable[[], Built]
    verify: Callable[[BinaryIO, str], Report]
    letter: Callable[[Attempt], Letter]
    post: Callable[[Letter], Posting] | None = None
    pause: Callable[[int, str], str] | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What the user asks for: ``now`` (ISO 8601, UTC, ``Z``), and a decision when ``--resend`` etc. is given.

    ``send`` is False for ``--dry-run``: everything is done but the hand-over, and nothing is written.
    """

    now: str
    decision: Decision | None = None
    send: bool = True


class Ending(enum.StrEnum):
    """How a run of :func:`submit` ended for one submission."""

    STOPPED = "stopped"  # findings; nothing was sent
    READY = "ready"  # dry run: nothing speaks against sending
    ALREADY = "already received"
    RECEIVED = "received"
    UNVERIFIED = "accepted, unverified"
    CORRUPT = "corrupt copy at the portal"
    UNKNOWN = "unknown"
    REFUSED = "not taken by the portal"


_FAILED = frozenset({Ending.CORRUPT, Ending.UNKNOWN, Ending.REFUSED})


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one submission. ``halt``: why no other may be tried in the same run."""

    name: str
    ending: Ending
    diagnostics: tuple[Diagnostic, ...] = ()
    attempt: Attempt | None = None
    halt: PortalError | None = None

    @property
    def exit_code(self) -> int:
        """Return 3 when the hand-over failed and may be repeated, 2 for a password, 1 for findings; 0."""
        if self.halt is not None and self.ending is Ending.REFUSED:
            return self.halt.exit_code
        return 3 if self.ending in _FAILED else exit_code(self.diagnostics)
