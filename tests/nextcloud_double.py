"""A stand-in for a Nextcloud file drop, faithful to what was measured on a real one, with switches.

It keeps digests, not files. ``Switches`` say what goes wrong; ``requests`` remember every request, with
whether it carried a login; ``files`` is what the recipient would see.

``python tests/nextcloud_double.py`` serves one on loopback until its standard input ends, and says in a line
of JSON how to reach it: port, token, password.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import sys
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import trustme
    from cheroot.ssl import Adapter

TOKEN = "kLmNoPqRsTuVwXyZ"  # noqa: S105 - the double's own
PASSWORD = "Grünes-Licht 7!"  # noqa: S105 - the double's own
NOTHING = hashlib.sha256(b"").hexdigest()
_WINDOW, _MOST = 1800.0, 10
_BLOCK = 1 << 18
_HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_XML = (
    '<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">'
    "<s:exception>{}</s:exception><s:message>{}</s:message></d:error>"
)


class Request(NamedTuple):
    """What came: method, path without the token, whether it tried to log in, cookies, body bytes read."""

    method: str
    path: str
    login: bool
    cookies: str = ""


class Stored(NamedTuple):
    """A file at the portal."""

    name: str
    size: int
    sha256: str


class Answer(NamedTuple):
    """What is sent back."""

    status: int
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Switches:
    """What goes wrong.

    ``statuses``: answers to the next uploads, which are stored all the same with ``stores``; ``reflects``:
    the login comes back in a header.
    """

    version: str = "29.0.6"
    hidden: bool = False
    maintenance: bool = False
    redirect: str = ""
    readable: bool = False
    expired: bool = False
    throttled: bool = False
    limit: int | None = None
    quota: int | None = None
    echo: str = "true"  # "none", "wrong"
    empty: bool = False
    statuses: list[int] = field(default_factory=list)
    words: str = "scripted"
    stores: bool = False
    reflects: bool = False


@dataclass
class Nextcloud:
    """The application. One lock around its state; bodies are read outside it."""

    switches: Switches = field(default_factory=Switches)
    requests: list[Request] = field(default_factory=list)
    files: list[Stored] = field(default_factory=list)
    locked: set[str] = field(default_factory=set)
    failures: list[float] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)
    busy: int = 0

    def wait(self, quiet: float) -> None:
        """Wait until nothing has been answered for some seconds."""
        since = time.monotonic()
        while time.monotonic() - since < quiet:
            if self.busy:
                since = time.monotonic()
            time.sleep(0.01)

    @property
    def logins(self) -> list[Request]:
        """The requests that tried to log in."""
        return [one for one in self.requests if one.login]

    @property
    def puts(self) -> list[Request]:
        """The uploads that came."""
        return [one for one in self.requests if one.method == "PUT"]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        self.busy += 1
        try:
            answer = self._answer(environ)
        finally:
            self.busy -= 1
        body = answer.body.encode()
        headers = [
            ("Content-Length", str(len(body))),
            ("Content-Type", "text/html; charset=utf-8"),
            ("Set-Cookie", "oc_sessionPassphrase=secret; path=/; HttpOnly"),
            *answer.headers,
        ]
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
        return [body]

    def _answer(self, environ: dict[str, Any]) -> Answer:
        method, path = environ["REQUEST_METHOD"], _path(environ)
        login, cookies = environ.get("HTTP_AUTHORIZATION", ""), environ.get("HTTP_COOKIE", "")
        self.requests.append(Request(method, path.replace(TOKEN, "TOKEN"), bool(login), cookies))
        if (early := self._early(path)) is not None:
            return early
        return self._within(environ, method, path)

    def _early(self, path: str) -> Answer | None:
        """Return what is answered to anybody."""
        on = self.switches
        if on.redirect:
            return Answer(302, "", (("Location", on.redirect),))
        if path == "/status.php":
            return self._status()
        if on.maintenance:
            return Answer(
                503,
                _XML.format("Sabre\\DAV\\Exception\\ServiceUnavailable", "System is in maintenance mode."),
            )
        return None

    def _within(self, environ: dict[str, Any], method: str, path: str) -> Answer:
        name, newer = self._file(path)
        if name is None:
            return Answer(404, _HTML.format("Not Found"))
        refusal = self._refusal(environ, newer=newer)
        if refusal is not None:
            if method == "PUT":
                _drain(environ)  # a wrong password is answered only after the whole body has come
            return refusal
        if method != "PUT":
            return self._looked(method)
        return self._put(environ, name)

    def _status(self) -> Answer:
        on = self.switches
        if on.hidden:
            return Answer(403, _HTML.format("Forbidden"))
        told = {
            "installed": True,
            "maintenance": on.maintenance,
            "needsDbUpgrade": False,
            "version": f"{on.version}.1",
            "versionstring": on.version,
            "edition": "",
            "productname": "Nextcloud",
            "extendedSupport": False,
        }
        return Answer(200, json.dumps(told))

    def _file(self, path: str) -> tuple[str | None, bool]:
        """Return the name below one of the endpoints, and whether it is the newer one; None elsewhere."""
        major = int(self.switches.version.partition(".")[0])
        for prefix, there, newer in (
            (f"/public.php/dav/files/{TOKEN}/", major >= 29, True),
            ("/public.php/webdav/", major < 32, False),
        ):
            if there and path.startswith(prefix):
                return path.removeprefix(prefix), newer
        return None, False

    def _refusal(self, environ: Mapping[str, Any], *, newer: bool) -> Answer | None:
        recent = [one for one in self.failures if time.monotonic() - one < _WINDOW]
        if self.switches.throttled or len(recent) > _MOST:
            words = _XML.format("OCP\\Security\\Bruteforce\\MaxDelayReached", "Reached maximum delay")
            return Answer(503 if newer else 500, words)
        user, password = _basic(environ.get("HTTP_AUTHORIZATION", ""))
        remembered = environ.get("HTTP_COOKIE", "").partition("=")[2] in self.sessions
        if user == TOKEN and not self.switches.expired and (password == PASSWORD or remembered):
            return None
        self.failures.append(time.monotonic())
        if user == TOKEN and not self.switches.expired and "HTTP_X_REQUESTED_WITH" in environ:
            words = "Cannot authenticate over ajax calls"
            return Answer(401, words, (("WWW-Authenticate", 'DummyBasic realm="sabre/dav"'),))
        return Answer(401, "Username or password was incorrect", (("WWW-Authenticate", 'Basic realm="x"'),))

    def _looked(self, method: str) -> Answer:
        self.sessions.add("secret")
        if self.switches.readable and method == "PROPFIND":
            return Answer(207, '<?xml version="1.0"?><d:multistatus xmlns:d="DAV:"/>')
        return Answer(
            405, _XML.format("Sabre\\DAV\\Exception\\MethodNotAllowed", "Only PUT is allowed on files drop")
        )

    def _put(self, environ: dict[str, Any], name: str) -> Answer:
        on, size = self.switches, environ.get("CONTENT_LENGTH")
        if refusal := _unfit(environ, name) or self._full(size):
            return refusal
        got = _drain(environ)
        if name in self.locked:
            return Answer(423, _XML.format("OCA\\DAV\\Connector\\Sabre\\Exception\\FileLocked", "locked"))
        if on.statuses and (not on.stores or on.statuses[0] == 507):  # without space nothing is stored
            return Answer(on.statuses.pop(0), on.words)
        if size is not None and got.size != int(size):  # cut off: nothing is stored, the name stays locked
            self.locked.add(name)
            return Answer(400, "expected filesize differs")
        if on.quota is not None and got.size > on.quota:
            words = f"Insufficient space in /x, {got.size} required, {on.quota} available"
            return Answer(507, _XML.format("Sabre\\DAV\\Exception\\InsufficientStorage", words))
        return self._store(environ, name, Stored(name, 0, NOTHING) if on.empty or size is None else got)

    def _full(self, size: str | None) -> Answer | None:
        limit = self.switches.limit
        if limit is None or not size or int(size) <= limit:
            return None
        return Answer(413, _HTML.format("Request Entity Too Large"))

    def _store(self, environ: Mapping[str, Any], name: str, got: Stored) -> Answer:
        on = self.switches
        plain = name.rpartition("/")[2]
        taken = {one.name for one in self.files}
        stem, _, suffix = plain.rpartition(".")
        number, free = 2, plain
        while free in taken:
            number, free = number + 1, f"{stem} ({number}).{suffix}"
        if not plain.endswith(".part"):
            wrong = on.echo == "wrong"
            self.files.append(got._replace(name=free, sha256=got.sha256[::-1] if wrong else got.sha256))
        if on.statuses:
            return Answer(on.statuses.pop(0), on.words)
        digest = (got.sha256[::-1] if on.echo == "wrong" else got.sha256) if on.echo != "none" else ""
        echo = [("X-Hash-SHA256", digest)] if environ.get("HTTP_X_HASH") == "sha256" and digest else []
        identity = f"{len(self.files):08d}oc{'abcdef'}"
        request = environ.get("HTTP_AUTHORIZATION", "") if on.reflects else f"request{len(self.puts):013d}"
        named = [("OC-FileId", identity), ("OC-ETag", '"5e1f"'), ("X-Request-Id", request)]
        return Answer(201, "", (*echo, *named))


def _path(environ: Mapping[str, Any]) -> str:
    raw = environ.get("REQUEST_URI", environ["PATH_INFO"])
    return str(raw).partition("?")[0]


def _basic(header: str) -> tuple[str, str]:
    try:
        user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    except ValueError:
        return "", ""
    return user, password


def _unfit(environ: Mapping[str, Any], name: str) -> Answer | None:
    if "HTTP_CONTENT_RANGE" in environ:
        return Answer(400, "Content-Range")
    if "HTTP_OC_CHUNKED" in environ:
        return Answer(500, "OC-Chunked")
    if ".htaccess" in name:
        return Answer(403, "forbidden")
    return Answer(400, "name") if "\\" in name or len(name) > 250 else None


def _drain(environ: Mapping[str, Any]) -> Stored:
    """Read the body, as far as it comes."""
    digest, size = hashlib.sha256(), 0
    body, left = environ["wsgi.input"], int(environ.get("CONTENT_LENGTH") or 0)
    with contextlib.suppress(OSError, ValueError, EOFError):
        while left and (piece := body.read(min(_BLOCK, left))):
            digest.update(piece)
            size += len(piece)
            left -= len(piece)
    return Stored(_path(environ).rpartition("/")[2], size, digest.hexdigest())


def tls(authority: trustme.CA, folder: Path) -> Adapter:
    """Return a certificate for ``portal.example.org`` and 127.0.0.1."""
    issued = authority.issue_cert("portal.example.org", "127.0.0.1")
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    for number, blob in enumerate(issued.cert_chain_pems):
        blob.write_to_path(str(folder / "chain.pem"), append=bool(number))
    return BuiltinSSLAdapter(str(folder / "chain.pem"), str(folder / "key.pem"))


@dataclass
class Front:
    """What a server serves: one double after another, because a server takes its time to stop."""

    port: int = 0
    behind: Nextcloud = field(default_factory=Nextcloud)

    def fresh(self) -> Nextcloud:
        """Begin with a new double, and return it."""
        self.behind = Nextcloud()
        return self.behind

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        return self.behind(environ, start_response)


class _Quiet(Server):
    def error_log(self, *_: object, **__: object) -> None:
        """Say nothing of clients that leave: that is what is tested."""


@contextlib.contextmanager
def served(adapter: Adapter | None = None) -> Iterator[Front]:
    """Serve on loopback while the block runs."""
    front = Front()
    server = _Quiet(("127.0.0.1", 0), front, numthreads=5, timeout=5, shutdown_timeout=1)
    server.ssl_adapter = adapter
    server.prepare()
    front.port = server.bind_addr[1]
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield front
    finally:
        server.stop()
        thread.join(10)


if __name__ == "__main__":
    with served() as standing:
        told = {"port": standing.port, "token": TOKEN, "password": PASSWORD}
        print(json.dumps(told), flush=True)  # noqa: T201 - a program of its own
        sys.stdin.read()
