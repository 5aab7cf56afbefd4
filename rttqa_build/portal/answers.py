"""What a Nextcloud answered → what it means. Pure: no network, no clock; the server's own words stay out.

The table of answers was measured on Nextcloud 29: an upload-only share refuses every method but PUT with
405, a wrong password and an expired link look the same, and an answer to a PUT proves nothing but by the
SHA-256 of the bytes that the server says it received.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.portal.contract import Cause
from rttqa_build.records.receipt import Outcome, OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Mapping

_THROTTLED = "MaxDelayReached"
_FACTS = {
    "oc-fileid": "file_id",
    "oc-etag": "etag",
    "x-request-id": "request_id",
    "date": "server_date",
}
TOLD = frozenset(_FACTS.values())
_PLAIN = re.compile(r"[\x20-\x7e]{1,128}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SPACE = re.compile(r"(\d{1,18}) required, (\d{1,18}) available")
_NOT_THERE = {400, 404, 501}
FIRST_V2 = 29  # the first version with the newer endpoint for public links


class Answer(NamedTuple):
    """A response: status, headers (names in lower case), the beginning of the body."""

    status: int
    headers: Mapping[str, str]
    body: str = ""


class Server(NamedTuple):
    """What ``status.php`` tells; ``major`` 0 and no version where it is hidden."""

    version: str = ""
    major: int = 0
    maintenance: bool = False


def server(answer: Answer) -> Server | Cause:
    """Return what ``status.php`` says: the server, a hidden one, or why nothing may be sent."""
    if 300 <= answer.status < 400:
        return Cause.REDIRECT
    if answer.status != 200:
        return Cause.MAINTENANCE if _maintained(answer) else Server()
    try:
        told = json.loads(answer.body)
        version = str(told["versionstring"])
        busy = bool(told.get("maintenance")) or bool(told.get("needsDbUpgrade"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Server()
    major = re.match(r"\d{1,4}", version)
    if major is None or not _PLAIN.fullmatch(version):
        return Server()
    return Server(version, int(major[0]), busy)


def preflight(answer: Answer) -> Cause | None:
    """Return why a share does not take uploads with this password; None when it does."""
    if answer.status == 405:
        return None
    if 200 <= answer.status < 300:
        return Cause.READABLE if answer.status == 207 else Cause.NO_SUCH_ADDRESS
    cause = _refusal(answer)
    if cause is Cause.FAILED:
        return Cause.UNAVAILABLE
    return Cause.NO_SUCH_ADDRESS if answer.status in _NOT_THERE else cause


def outcome(answer: Answer, sha256: str, *, complete: bool) -> Outcome:
    """Return what a PUT led to. ``complete``: the last byte had been handed over before the answer came."""
    facts = {"status": str(answer.status), **_facts(answer)}
    if 200 <= answer.status < 300:
        return _stored(answer, sha256, facts, complete=complete)
    if answer.status < 200:  # an interim answer: the final one was not seen
        return lost(Cause.NO_ANSWER, facts) if complete else refused(Cause.CUT, facts)
    cause = _refusal(answer)
    if cause is Cause.FAILED:
        return lost(cause, facts) if complete else refused(Cause.UNAVAILABLE, facts)
    if cause is Cause.GATEWAY and complete:
        return lost(Cause.GATEWAY_LATE, facts)
    return refused(cause, facts, _numbers(answer) if cause is Cause.QUOTA else "")


def refused(cause: Cause, facts: Mapping[str, str] | None = None, more: str = "") -> Outcome:
    """Return the outcome of an attempt of which the portal keeps nothing, as far as anyone can tell."""
    return Outcome(OutcomeKind.REFUSED, facts={**(facts or {}), **_named(cause, more)})


def lost(cause: Cause, facts: Mapping[str, str] | None = None) -> Outcome:
    """Return the outcome of an attempt of which nobody knows whether the portal keeps it."""
    return Outcome(OutcomeKind.UNKNOWN, facts={**(facts or {}), **_named(cause)})


def _named(cause: Cause, more: str = "") -> dict[str, str]:
    return {"cause": cause.value, "reason": f"{cause.words} ({more})" if more else cause.words}


def _stored(answer: Answer, sha256: str, facts: dict[str, str], *, complete: bool) -> Outcome:
    echo = answer.headers.get("x-hash-sha256", "").strip().lower()
    if not _DIGEST.fullmatch(echo):
        echo = ""
    if echo == sha256:
        return Outcome(OutcomeKind.VERIFIED, echo, facts)
    if echo or not complete:
        return Outcome(OutcomeKind.CORRUPT, echo, {**facts, **_named(Cause.CORRUPT)})
    return Outcome(OutcomeKind.UNVERIFIED, "", facts)


_BY_STATUS = {
    400: Cause.BAD_REQUEST,
    401: Cause.PASSWORD,
    403: Cause.FORBIDDEN,
    404: Cause.NO_SUCH_ADDRESS,
    405: Cause.NOT_TAKEN,
    407: Cause.PROXY,
    409: Cause.CONFLICT,
    412: Cause.CONFLICT,
    413: Cause.TOO_LARGE,
    415: Cause.BAD_REQUEST,
    423: Cause.LOCKED,
    429: Cause.THROTTLED,
    502: Cause.GATEWAY,
    503: Cause.UNAVAILABLE,
    504: Cause.FAILED,
    507: Cause.QUOTA,
}


def _refusal(answer: Answer) -> Cause:
    if answer.status in {500, 503} and _THROTTLED in answer.body:
        return Cause.THROTTLED
    if _maintained(answer):
        return Cause.MAINTENANCE
    if 300 <= answer.status < 400:
        return Cause.REDIRECT
    unlisted = Cause.FAILED if answer.status >= 500 else Cause.BAD_REQUEST
    return _BY_STATUS.get(answer.status, unlisted)


def _maintained(answer: Answer) -> bool:
    return answer.status == 503 and "maintenance" in answer.body


def _facts(answer: Answer) -> dict[str, str]:
    """Return the headers that identify what was stored, where they are plain text."""
    named = {fact: answer.headers.get(header, "").strip() for header, fact in _FACTS.items()}
    return {fact: value for fact, value in named.items() if _PLAIN.fullmatch(value)}


def _numbers(answer: Answer) -> str:
    found = _SPACE.search(answer.body)
    return f"{found[1]} bytes needed, {found[2]} free" if found else ""
