"""One request, one connection, one answer: HTTP over TLS, and nothing that a library would do unasked.

Python's own client: it keeps no cookies, follows no redirect, reads no environment, writes no log. A body
is streamed from an open file of known length; its SHA-256 is compared before the last piece leaves, so that
a file that changes meanwhile is never complete at the server.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from rttqa_build.portal.answers import Answer
from rttqa_build.portal.contract import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rttqa_build.portal.link import Link
    from rttqa_build.portal.proxy import Proxy

_BLOCK = 1 << 18
_BODY = 1 << 16  # of an answer, more is not read


class Timeouts(NamedTuple):
    """Seconds: to connect; for one piece of an upload to leave; for the answer to it, and to a question."""

    connect: float = 20.0
    stall: float = 120.0
    stored: float = 1800.0  # the server hashes, scans and moves a large file before it answers
    answer: float = 60.0


PATIENT = Timeouts()


@dataclass(frozen=True, slots=True)
class Route:
    """How to reach a portal: its link, the certificates to trust (None without TLS), a proxy."""

    link: Link
    context: ssl.SSLContext | None
    proxy: Proxy | None
    timeouts: Timeouts


class Upload(NamedTuple):
    """A file to send: read from its start, ``size`` bytes, SHA-256 in hex; ``progress`` gets bytes sent."""

    handle: BinaryIO
    size: int
    sha256: str
    progress: Callable[[int, int], None]


class LostError(Exception):
    """There is no answer. ``complete``: the last byte had been handed to the connection."""

    def __init__(self, cause: Cause, *, complete: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.complete = complete


class _Plain(http.client.HTTPConnection):
    debuglevel = 0  # would print the headers, and with them the password, if a caller raised it for all


class _Secure(http.client.HTTPSConnection):
    debuglevel = 0


def ask(route: Route, method: str, path: str, headers: Mapping[str, str]) -> Answer:
    """Send a request without a body and return the answer. Raises LostError when there is none."""
    with _connected(route) as connection:
        try:
            connection.sock.settimeout(route.timeouts.answer)
            _begin(connection, method, path, headers)
            return _answer(connection)
        except (OSError, http.client.HTTPException):
            raise LostError(Cause.UNREACHABLE) from None


def send(route: Route, path: str, headers: Mapping[str, str], upload: Upload) -> tuple[Answer, bool]:
    """Send a file by PUT; return the answer, and whether the last byte had been handed over before it.

    Raises LostError when there is no answer.
    """
    with _connected(route) as connection:
        whole = _sent(connection, path, headers, upload, route.timeouts.stall)
        try:
            # a server that refuses early answers and closes: what it said may still be read
            connection.sock.settimeout(route.timeouts.stored if whole else route.timeouts.connect)
            return _answer(connection), whole
        except (OSError, http.client.HTTPException):
            raise LostError(Cause.NO_ANSWER if whole else Cause.CUT, complete=whole) from None


# --- connecting --------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _connected(route: Route) -> Iterator[http.client.HTTPConnection]:
    connection = _connection(route)
    try:
        with _told(route):
            connection.connect()
        yield connection
    finally:
        connection.close()


def _connection(route: Route) -> http.client.HTTPConnection:
    link, proxy, timeout = route.link, route.proxy, route.timeouts.connect
    host, port = (proxy.host, proxy.port) if proxy else (link.host, link.port)
    if not link.secure:
        return _Plain(host, port, timeout=timeout)
    connection = _Secure(host, port, timeout=timeout, context=route.context)
    if proxy:
        connection.set_tunnel(link.host, link.port, dict(proxy.headers))
    return connection


@contextlib.contextmanager
def _told(route: Route) -> Iterator[None]:
    """Turn what goes wrong while connecting into its cause; the system's own words stay out."""
    try:
        yield
    except ssl.SSLCertVerificationError:
        raise LostError(Cause.CERTIFICATE) from None
    except ssl.SSLError:
        raise LostError(Cause.TLS) from None
    except (socket.gaierror, UnicodeError):
        raise LostError(Cause.PROXY if route.proxy else Cause.HOST_UNKNOWN) from None
    except (OSError, http.client.HTTPException):
        raise LostError(Cause.PROXY if route.proxy else Cause.UNREACHABLE) from None


# --- asking and sending ------------------------------------------------------------------------------------


def _begin(
    connection: http.client.HTTPConnection, method: str, path: str, headers: Mapping[str, str]
) -> None:
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in {**headers, "Connection": "close"}.items():
        connection.putheader(name, value)
    connection.endheaders()


def _sent(
    connection: http.client.HTTPConnection,
    path: str,
    headers: Mapping[str, str],
    upload: Upload,
    stall: float,
) -> bool:
    """Send head and body; return whether the last byte was handed over, False when the connection broke."""
    sock = connection.sock
    sock.settimeout(stall)
    last = False
    try:
        _begin(connection, "PUT", path, {**headers, "Content-Length": str(upload.size)})
        for piece, is_last in _pieces(upload):
            last = is_last
            sock.sendall(piece)
    except (OSError, http.client.HTTPException):
        return False
    except KeyboardInterrupt:
        if last:  # the last piece may have left: what the server has is not known
            raise
        raise LostError(Cause.INTERRUPTED) from None
    return True


def _pieces(upload: Upload) -> Iterator[tuple[bytes, bool]]:
    """Yield the file in pieces, each with whether it is the last, which is kept back if the file changed."""
    digest, done = hashlib.sha256(), 0
    while done < upload.size:
        piece = _read(upload, done)
        digest.update(piece)
        last = done + len(piece) == upload.size
        if not piece or (last and digest.hexdigest() != upload.sha256):
            raise LostError(Cause.CHANGED)
        yield piece, last
        done += len(piece)
        upload.progress(done, upload.size)


def _read(upload: Upload, done: int) -> bytes:
    try:
        if not done:
            upload.handle.seek(0)
        return upload.handle.read(min(_BLOCK, upload.size - done))
    except OSError:
        raise LostError(Cause.CHANGED) from None


def _answer(connection: http.client.HTTPConnection) -> Answer:
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    try:
        body = response.read(_BODY).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        body = ""  # status and headers say enough
    return Answer(response.status, headers, body)
