"""What every portal can do, what may go wrong there in words, and how a file is named there."""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, BinaryIO, Protocol

from rttqa_build.codes import CATALOGUE
from rttqa_build.diagnostic import RttqaError

if TYPE_CHECKING:
    from rttqa_build.records.receipt import Outcome


class Cause(enum.StrEnum):
    """Why a portal did not take a package, or may not have: the value stands in the receipt."""

    PASSWORD = "password"  # noqa: S105 - the name of a cause
    THROTTLED = "throttled"
    MAINTENANCE = "maintenance"
    UNAVAILABLE = "unavailable"
    GATEWAY = "gateway"  # 502 before the last byte had left: nothing was stored
    GATEWAY_LATE = "gateway-late"  # 502 after it: the server behind the gateway may have stored it
    FAILED = "failed"
    NO_ANSWER = "no-answer"
    CUT = "cut"
    INTERRUPTED = "interrupted"
    LOCKED = "locked"
    CORRUPT = "corrupt"
    CHANGED = "changed"
    TOO_LARGE = "too-large"
    QUOTA = "quota"
    FORBIDDEN = "forbidden"
    CONFLICT = "conflict"
    BAD_REQUEST = "bad-request"
    NOT_TAKEN = "not-taken"
    NO_SUCH_ADDRESS = "no-such-address"
    READABLE = "readable"
    REDIRECT = "redirect"
    HOST_UNKNOWN = "host-unknown"
    UNREACHABLE = "unreachable"
    CERTIFICATE = "certificate"
    TLS = "tls"
    PROXY = "proxy"

    @property
    def words(self) -> str:
        """Return the cause in words."""
        return _WORDS[self]


_WORDS = {
    Cause.PASSWORD: "the portal refused the password, or the link has expired",
    Cause.THROTTLED: "the portal takes nothing from this hospital for a while: too many refused logins",
    Cause.MAINTENANCE: "the portal is being maintained",
    Cause.UNAVAILABLE: "the portal is not available at the moment",
    Cause.GATEWAY: "the portal's gateway failed before it had the whole package",
    Cause.GATEWAY_LATE: "the portal's gateway failed; a copy may lie there",
    Cause.FAILED: "the portal failed, and does not say whether it stored the package",
    Cause.NO_ANSWER: "the connection broke off when everything had been sent",
    Cause.CUT: "the connection broke off before everything had been sent",
    Cause.INTERRUPTED: "you stopped the upload before everything had been sent",
    Cause.LOCKED: "the name is locked at the portal by an earlier, interrupted upload",
    Cause.CORRUPT: "its SHA-256 is not that of the package",
    Cause.CHANGED: "the package changed, or could not be read, while it was sent",
    Cause.TOO_LARGE: "the package is larger than the portal's web server takes",
    Cause.QUOTA: "the portal has not enough space",
    Cause.FORBIDDEN: "the portal forbids this upload",
    Cause.CONFLICT: "the portal does not take the file under its conditions",
    Cause.BAD_REQUEST: "the portal did not understand the request",
    Cause.NOT_TAKEN: "the portal takes no files at this link",
    Cause.NO_SUCH_ADDRESS: "there is no file drop at this address",
    Cause.READABLE: "whoever has the link can read what lies there: it is not a file drop",
    Cause.REDIRECT: "the portal sends on to another address, which is not followed",
    Cause.HOST_UNKNOWN: "the portal's name is not known to the network",
    Cause.UNREACHABLE: "the portal cannot be reached",
    Cause.CERTIFICATE: "the portal's certificate is not trusted",
    Cause.TLS: "the portal could not be spoken to over TLS",
    Cause.PROXY: "the proxy did not let the connection through",
}
# What another try, under a new name, may cure.
_AGAIN = frozenset(
    {
        Cause.CUT,
        Cause.LOCKED,
        Cause.GATEWAY,
        Cause.GATEWAY_LATE,
        Cause.UNAVAILABLE,
        Cause.MAINTENANCE,
        Cause.CORRUPT,
        Cause.HOST_UNKNOWN,
        Cause.UNREACHABLE,
    }
)
# What the settings or the password must mend (exit code 2); the rest may be over by itself (3).
_OURS = frozenset({Cause.PASSWORD, Cause.READABLE, Cause.REDIRECT, Cause.NO_SUCH_ADDRESS, Cause.NOT_TAKEN})
_CODES = {
    Cause.PASSWORD: "U060",
    Cause.THROTTLED: "U061",
    Cause.MAINTENANCE: "U062",
    Cause.CERTIFICATE: "U064",
    Cause.TLS: "U064",
    Cause.READABLE: "U065",
    Cause.REDIRECT: "U066",
    Cause.NO_SUCH_ADDRESS: "U067",
    Cause.PROXY: "U068",
}
# After these, no other package is tried in the same run: each would be one more refused login.
_HALTS = frozenset({Cause.PASSWORD, Cause.THROTTLED})


class PortalError(RttqaError):
    """The portal cannot be used at the moment, for no submission; ``cause`` says why."""

    def __init__(self, cause: Cause) -> None:
        code = _CODES.get(cause, "U063")
        super().__init__(cause.words, CATALOGUE[code].mend, code=code, exit_code=2 if cause in _OURS else 3)
        self.cause = cause


class Portal(Protocol):
    """A place that packages are handed over to."""

    @property
    def host(self) -> str:
        """Return what the receipt calls the portal: its host name, or ``folder``."""

    @property
    def local(self) -> bool:
        """Return whether nothing leaves this computer's own folders and loopback."""

    def preflight(self, need: int) -> None:
        """Ask whether ``need`` bytes would be taken, without sending anything.

        Raises RttqaError with a code of family U when they would not; that ends the run.
        """

    def put(self, handle: BinaryIO, name: str, size: int, sha256: str) -> Outcome:
        """Hand over the file behind ``handle`` (read from its start) under ``name``.

        ``size`` in bytes and ``sha256`` (hex) are what the bytes must turn out to be. Never raises for what
        disk, network or portal do: that is the outcome.
        """


def again(outcome: Outcome) -> bool:
    """Return whether another try under a new name may do better."""
    return outcome.facts.get("cause") in _AGAIN


def halt(outcome: Outcome) -> PortalError | None:
    """Return the error that ends the run for all manifests, where an outcome is one that does."""
    cause = next((one for one in _HALTS if one == outcome.facts.get("cause")), None)
    return PortalError(cause) if cause else None


def interrupted(outcome: Outcome) -> bool:
    """Return whether a person stopped the upload."""
    return outcome.facts.get("cause") == Cause.INTERRUPTED


def remote_name(package: str, sha256: str, tried: int) -> str:
    """Return the name at the portal: the package's, 12 hex digits of its SHA-256, and the number of the try.

    ``tried`` counts earlier attempts with the same bytes: each further one takes a new name.
    """
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", package.removesuffix(".zip")) or "package"
    suffix = f"_t{tried + 1}" if tried else ""
    return f"{stem}_{sha256[:12]}{suffix}.zip"
