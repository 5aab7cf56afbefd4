"""The Nextcloud portal on the wire: against a double of the real server, and a proxy that harms uploads."""

from __future__ import annotations

import base64
import hashlib
import http.client
import io
import json
import logging
import socket
import ssl
import subprocess
import sys
import traceback
import urllib.request
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import nextcloud_double
import pytest
import trustme
from fault_proxy import Fault, before, tunnel
from hypothesis import given
from hypothesis import strategies as st
from nextcloud_double import PASSWORD, TOKEN, Front, Nextcloud, Stored, served

from rttqa_build.diagnostic import UsageError
from rttqa_build.portal import PortalError, again, halt, link, proxy
from rttqa_build.portal.answers import Answer, outcome, preflight, server
from rttqa_build.portal.contract import Cause
from rttqa_build.portal.link import Link
from rttqa_build.portal.nextcloud import NextcloudPortal
from rttqa_build.portal.proxy import Proxy
from rttqa_build.portal.wire import Route, Timeouts
from rttqa_build.records import receipt
from rttqa_build.records.receipt import Attempt, Outcome, OutcomeKind, Receipt

if TYPE_CHECKING:
    from collections.abc import Iterator
DATA = hashlib.shake_256(b"a package").digest(1_500_000)
SHA = hashlib.sha256(DATA).hexdigest()
NAME = f"example_EP-0123_{SHA[:12]}.zip"
QUICK = Timeouts(2.0, 2.0, 2.0, 2.0)


@dataclass
class Drop:
    """The double, and a client of it."""

    server: Nextcloud
    port: int
    password: str = PASSWORD
    asked: list[str] = field(default_factory=list)
    shown: list[tuple[int, int]] = field(default_factory=list)
    route: Route | None = None

    @property
    def portal(self) -> NextcloudPortal:
        drop = Link("127.0.0.1", self.port, secure=False, prefix="", token=TOKEN)
        return NextcloudPortal(self.route or Route(drop, None, None, QUICK), self._given, self._show)

    def _given(self) -> str:
        self.asked.append("password")
        return self.password

    def _show(self, done: int, size: int) -> None:
        self.shown.append((done, size))

    def put(self, data: bytes = DATA, name: str = NAME) -> Outcome:
        portal = self.portal
        portal.preflight(len(data))
        return portal.put(io.BytesIO(data), name, len(DATA), SHA)

    def harmed(self, fault: Fault) -> Outcome:
        with before(self.port, fault) as port:
            return replace(self, port=port).put()


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with served() as made:
        yield made


@pytest.fixture
def drop(front: Front) -> Drop:
    return Drop(front.fresh(), front.port)


@pytest.fixture(autouse=True)
def _small_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep little in flight, so that a connection that is cut is noticed where it is cut."""
    connect = socket.create_connection

    def connected(*arguments: object, **named: object) -> socket.socket:
        made: socket.socket = connect(*arguments, **named)  # type: ignore[arg-type] # as it was called
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 13)
        return made

    monkeypatch.setattr(socket, "create_connection", connected)


# --- links -------------------------------------------------------------------------------------------------

GOOD = {
    "https://portal.example.org/s/AbC123": ("portal.example.org", 443, ""),
    "https://portal.example.org/index.php/s/AbC123": ("portal.example.org", 443, ""),
    "https://portal.example.org/cloud/s/AbC123/": ("portal.example.org", 443, "/cloud"),
    "https://portal.example.org/a/b/index.php/s/AbC123": ("portal.example.org", 443, "/a/b"),
    "https://Portal.Example.ORG:8443/s/AbC123": ("portal.example.org", 8443, ""),
    " https://portal.example.org./s/AbC123\n": ("portal.example.org", 443, ""),
    "https://portal.example.org/s/AbC123/authenticate/showShare": ("portal.example.org", 443, ""),
    "https://bücher.example/s/AbC123": ("xn--bcher-kva.example", 443, ""),
    "https://192.0.2.7/s/AbC123": ("192.0.2.7", 443, ""),
    "https://[2001:db8::1]:444/s/AbC123": ("2001:db8::1", 444, ""),
    "http://localhost:8080/s/AbC123": ("localhost", 8080, ""),
    "http://127.0.0.1/s/AbC123": ("127.0.0.1", 80, ""),
}


@pytest.mark.parametrize("text", GOOD)
def test_links(text: str) -> None:
    parsed = link.parse(text)
    assert isinstance(parsed, Link)
    assert ((parsed.host, parsed.port, parsed.prefix), parsed.token) == (GOOD[text], "AbC123")
    assert parsed.secure == text.strip().startswith("https")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "portal.example.org/s/AbC123",
        "ftp://portal.example.org/s/AbC123",
        "http://portal.example.org/s/AbC123",
        "http://10.0.0.1/s/AbC123",
        "http://localhost.example.org/s/AbC123",
        "https:///s/AbC123",
        "https://portal.example.org/",
        "https://portal.example.org/s/",
        "https://portal.example.org/f/123",
        "https://portal.example.org/s/AbC 123",
        "https://portal.example.org/s/AbC123?path=/",
        "https://portal.example.org/s/AbC123#x",
        "https://portal.example.org/s/AbC123/../../x",
        "https://user:secret@portal.example.org/s/AbC123",
        "https://portal.example.org:port/s/AbC123",
        "https://portal.example.org:99999/s/AbC123",
        "https://[::1/s/AbC123",
        "https://por tal.example.org/s/AbC123",
        "https://-.example.org/s/AbC123",
        "https://a..example.org/s/AbC123",
        "https://portal.example.org\\@evil.example/s/AbC123",
        "https://portal.example.org/s/AbC123\r\nX: y",
    ],
)
def test_what_is_no_link(text: str) -> None:
    told = link.parse(text)
    assert isinstance(told, str)
    assert "AbC123" not in told
    assert "secret" not in told


@given(st.text())
def test_any_text_is_a_link_or_words(text: str) -> None:
    for one in (text, f"https://{text}/s/AbC123", f"https://portal.example.org/{text}"):
        parsed = link.parse(one)
        assert isinstance(parsed, str) or (parsed.secure or parsed.local)


def test_a_link_shows_four_characters_of_its_token() -> None:
    parsed = link.parse(f"https://portal.example.org/s/{TOKEN}")
    assert isinstance(parsed, Link)
    assert parsed.hint == f"…{TOKEN[-4:]}"
    assert TOKEN not in repr(parsed)
    assert replace(parsed, token=TOKEN[:6]).hint == "…"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Portal.example.org", "portal.example.org"),
        ("portal.example.org:8443", "portal.example.org:8443"),
        ("portal.example.org:443", "portal.example.org"),
        ("https://portal.example.org", ""),
        ("portal.example.org/s/x", ""),
        ("a b", ""),
        ("", ""),
        ("user@portal.example.org", ""),
    ],
)
def test_host_names(text: str, name: str) -> None:
    assert link.host_name(text) == name


# --- proxies -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy.example:3128"}, ("proxy.example", 3128)),
        ({"https_proxy": "proxy.example:3128"}, ("proxy.example", 3128)),
        ({"ALL_PROXY": "http://proxy.example"}, ("proxy.example", 80)),
        ({"HTTP_PROXY": "http://proxy.example:3128"}, None),
        ({"HTTPS_PROXY": "http://p.example:1", "NO_PROXY": "example.org"}, None),
        ({"HTTPS_PROXY": "http://p.example:1", "no_proxy": "a.b, .example.org"}, None),
        ({"HTTPS_PROXY": "http://p.example:1", "no_proxy": "*"}, None),
        ({"HTTPS_PROXY": "http://p.example:1", "no_proxy": "ample.org,,"}, ("p.example", 1)),
    ],
)
def test_proxies(environ: dict[str, str], expected: tuple[str, int] | None) -> None:
    chosen = proxy.choose("portal.example.org", environ)
    assert (chosen and (chosen.host, chosen.port)) == expected
    assert proxy.choose("127.0.0.1", environ) is None
    assert proxy.choose("localhost", environ) is None


def test_a_login_at_the_proxy_is_not_shown() -> None:
    chosen = proxy.choose("portal.example.org", {"HTTPS_PROXY": "http://me:p%40ss@proxy.example:3128"})
    assert chosen is not None
    assert chosen.headers == {"Proxy-Authorization": "Basic bWU6cEBzcw=="}
    assert "bWU6" not in repr(chosen)


@pytest.mark.parametrize("text", ["socks5://me:secret@proxy.example", "http://", "http://proxy.example:x"])
def test_a_proxy_that_cannot_be_used(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        proxy.choose("portal.example.org", {"HTTPS_PROXY": text})
    assert raised.value.code == "U068"
    assert "secret" not in f"{raised.value}{raised.value.hint}"


# --- the meaning of answers --------------------------------------------------------------------------------

DELAY = "OCP\\Security\\Bruteforce\\MaxDelayReached"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (Answer(405, {}), None),
        (Answer(207, {}), Cause.READABLE),
        (Answer(200, {}), Cause.NO_SUCH_ADDRESS),
        (Answer(401, {}), Cause.PASSWORD),
        (Answer(500, {}, DELAY), Cause.THROTTLED),
        (Answer(503, {}, DELAY), Cause.THROTTLED),
        (Answer(429, {}), Cause.THROTTLED),
        (Answer(503, {}, "System is in maintenance mode."), Cause.MAINTENANCE),
        (Answer(503, {}), Cause.UNAVAILABLE),
        (Answer(500, {}), Cause.UNAVAILABLE),
        (Answer(404, {}), Cause.NO_SUCH_ADDRESS),
        (Answer(301, {}), Cause.REDIRECT),
        (Answer(403, {}), Cause.FORBIDDEN),
        (Answer(418, {}), Cause.BAD_REQUEST),
    ],
)
def test_answers_to_the_preflight(answer: Answer, cause: Cause | None) -> None:
    assert preflight(answer) is cause


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(200, {}, '{"versionstring": "29.0.6", "maintenance": false}'), ("29.0.6", 29, False)),
        (Answer(200, {}, '{"versionstring": "31.0.0", "maintenance": true}'), ("31.0.0", 31, True)),
        (Answer(200, {}, '{"versionstring": "31.0.0", "needsDbUpgrade": true}'), ("31.0.0", 31, True)),
        (Answer(200, {}, "<html>"), ("", 0, False)),
        (Answer(200, {}, "[]"), ("", 0, False)),
        (Answer(200, {}, '{"versionstring": "a\\nb"}'), ("", 0, False)),
        (Answer(200, {}, '{"versionstring": "29\\n"}'), ("", 0, False)),
        (Answer(404, {}), ("", 0, False)),
        (Answer(302, {}), Cause.REDIRECT),
        (Answer(503, {}, "System is in maintenance mode."), Cause.MAINTENANCE),
    ],
)
def test_answers_of_status_php(answer: Answer, told: tuple[str, int, bool] | Cause) -> None:
    assert server(answer) == told


R, U = OutcomeKind.REFUSED, OutcomeKind.UNKNOWN


@pytest.mark.parametrize(
    ("status", "body", "complete", "kind", "cause"),
    [
        *((status, "", True, R, None) for status in (400, 403, 404, 405, 409, 412, 413, 415, 507, 302)),
        (401, "", True, R, Cause.PASSWORD),
        (429, "", True, R, Cause.THROTTLED),
        (500, DELAY, True, R, Cause.THROTTLED),
        (503, DELAY, True, R, Cause.THROTTLED),
        (423, "", True, R, Cause.LOCKED),
        (502, "", False, R, Cause.GATEWAY),
        (502, "", True, U, Cause.GATEWAY_LATE),
        (503, "", True, R, Cause.UNAVAILABLE),
        (503, "maintenance mode", True, R, Cause.MAINTENANCE),
        (500, "", True, U, Cause.FAILED),
        (500, "", False, R, Cause.UNAVAILABLE),
        (504, "", True, U, Cause.FAILED),
        (599, "", True, U, Cause.FAILED),
    ],
)
def test_answers_to_an_upload(
    status: int, body: str, complete: bool, kind: OutcomeKind, cause: Cause | None
) -> None:
    made = outcome(Answer(status, {}, body), SHA, complete=complete)
    assert (made.kind, made.facts["status"]) == (kind, str(status))
    assert made.facts["reason"]
    assert cause is None or made.facts["cause"] == cause
    retried = {Cause.LOCKED, Cause.GATEWAY, Cause.GATEWAY_LATE, Cause.UNAVAILABLE, Cause.MAINTENANCE}
    assert again(made) == (cause in retried)
    ended = halt(made)
    assert (ended and ended.exit_code) == {Cause.PASSWORD: 2, Cause.THROTTLED: 3}.get(cause or Cause.CUT)


@pytest.mark.parametrize(
    ("echo", "complete", "kind"),
    [
        (SHA, True, OutcomeKind.VERIFIED),
        (SHA.upper(), True, OutcomeKind.VERIFIED),
        (SHA, False, OutcomeKind.VERIFIED),
        ("", True, OutcomeKind.UNVERIFIED),
        ("nonsense", True, OutcomeKind.UNVERIFIED),
        ("0" * 64, True, OutcomeKind.CORRUPT),
        ("", False, OutcomeKind.CORRUPT),
    ],
)
@pytest.mark.parametrize("status", [200, 201, 204])
def test_only_the_echo_proves_receipt(status: int, echo: str, complete: bool, kind: OutcomeKind) -> None:
    headers = {"x-hash-sha256": echo} if echo else {}
    assert outcome(Answer(status, headers), SHA, complete=complete).kind is kind


def test_what_identifies_the_file_is_kept_where_it_is_plain() -> None:
    headers = {
        "oc-fileid": "0001oc",
        "oc-etag": '"x"',
        "x-request-id": "a\nb",
        "date": "d" * 200,
        "server": "x",
    }
    assert outcome(Answer(201, headers), SHA, complete=True).facts == {
        "status": "201",
        "file_id": "0001oc",
        "etag": '"x"',
    }


# --- against the double ------------------------------------------------------------------------------------


def test_a_package_is_received_and_proven(drop: Drop) -> None:
    made = drop.put()
    assert (made.kind, made.echo) == (OutcomeKind.VERIFIED, SHA)
    assert drop.server.files == [Stored(NAME, len(DATA), SHA)]
    assert made.facts["link"] == f"…{TOKEN[-4:]}"
    assert made.facts["server_version"] == "29.0.6"
    assert {"status", "file_id", "etag", "request_id", "server_date"} <= set(made.facts)
    assert drop.shown[-1] == (len(DATA), len(DATA))
    assert [done for done, _ in drop.shown] == sorted(done for done, _ in drop.shown)
    assert [one.method for one in drop.server.requests] == ["GET", "PROPFIND", "PUT"]
    assert not any(one.cookies for one in drop.server.requests)


@pytest.mark.parametrize(
    ("version", "hidden", "paths"),
    [
        ("28.0.1", False, ["/public.php/webdav/"]),
        ("29.0.6", False, ["/public.php/dav/files/TOKEN/"]),
        ("33.0.0", False, ["/public.php/dav/files/TOKEN/"]),
        ("29.0.6", True, ["/public.php/dav/files/TOKEN/"]),
        ("28.0.1", True, ["/public.php/dav/files/TOKEN/", "/public.php/webdav/"]),
    ],
)
def test_the_endpoint_goes_by_the_version(version: str, hidden: bool, paths: list[str], drop: Drop) -> None:
    drop.server.switches.version, drop.server.switches.hidden = version, hidden
    assert drop.put().kind is OutcomeKind.VERIFIED
    assert [one.path for one in drop.server.logins] == [*paths, f"{paths[-1]}{NAME}"]


@pytest.mark.parametrize("hidden", [False, True])
def test_a_wrong_password_costs_one_refused_login(hidden: bool, drop: Drop) -> None:
    drop.password, drop.server.switches.hidden = "wrong", hidden
    with pytest.raises(PortalError) as raised:
        drop.put()
    assert (raised.value.code, raised.value.exit_code) == ("U060", 2)
    assert len(drop.server.logins) == len(drop.server.failures) == 1
    assert drop.server.puts == []


@pytest.mark.parametrize(
    ("switch", "value", "code", "exit_code", "logins", "asked"),
    [
        ("expired", True, "U060", 2, 1, 1),
        ("throttled", True, "U061", 3, 1, 1),
        ("maintenance", True, "U062", 3, 0, 0),
        ("readable", True, "U065", 2, 1, 1),
        ("redirect", "https://elsewhere.example.org/", "U066", 2, 0, 0),
    ],
)
def test_what_the_preflight_refuses(
    switch: str, value: object, code: str, exit_code: int, logins: int, asked: int, drop: Drop
) -> None:
    setattr(drop.server.switches, switch, value)
    with pytest.raises(PortalError) as raised:
        drop.put()
    assert (raised.value.code, raised.value.exit_code) == (code, exit_code)
    assert raised.value.hint
    assert (len(drop.server.logins), len(drop.asked), drop.server.puts) == (logins, asked, [])


def test_a_throttled_legacy_portal(drop: Drop) -> None:
    drop.server.switches.version, drop.server.switches.throttled = "28.0.0", True
    with pytest.raises(PortalError) as raised:
        drop.put()
    assert raised.value.code == "U061"


def test_nothing_is_sent_before_the_preflight(drop: Drop) -> None:
    with pytest.raises(ValueError, match="asked"):
        drop.portal.put(io.BytesIO(DATA), NAME, len(DATA), SHA)
    assert drop.server.requests == []


@pytest.mark.parametrize("echo", ["none", "wrong"])
def test_without_proof(echo: str, drop: Drop) -> None:
    drop.server.switches.echo = echo
    made = drop.put()
    assert made.kind is {"none": OutcomeKind.UNVERIFIED, "wrong": OutcomeKind.CORRUPT}[echo]
    assert again(made) == (echo == "wrong")


def test_an_empty_file_under_201_is_a_corrupt_copy(drop: Drop) -> None:
    drop.server.switches.empty = True
    assert drop.put().kind is OutcomeKind.CORRUPT


def test_a_full_portal_says_how_full(drop: Drop) -> None:
    drop.server.switches.quota = 1000
    assert f"({len(DATA)} bytes needed, 1000 free)" in drop.put().facts["reason"]


def test_a_body_too_large(drop: Drop) -> None:
    drop.server.switches.limit = 1000
    made = drop.put()
    assert made.kind is OutcomeKind.REFUSED or made.facts["cause"] == Cause.NO_ANSWER


@pytest.mark.parametrize("data", [DATA[:-1], b"", b"\0" + DATA[1:], DATA[:-1] + b"\0"])
def test_a_file_that_changed_is_never_complete_at_the_portal(data: bytes, drop: Drop) -> None:
    made = drop.put(data)
    assert (made.kind, made.facts["cause"]) == (OutcomeKind.REFUSED, Cause.CHANGED)
    assert drop.server.files == []


def test_a_file_that_cannot_be_read(drop: Drop) -> None:
    class Lost(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, f"the share is gone, {size} bytes ago")

    portal = drop.portal
    portal.preflight(1)
    made = portal.put(Lost(DATA), NAME, len(DATA), SHA)
    assert (made.kind, made.facts["cause"]) == (OutcomeKind.REFUSED, Cause.CHANGED)


def test_what_is_interrupted_is_not_complete(drop: Drop) -> None:
    portal = drop.portal
    portal.preflight(1)
    drop.shown.clear()

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    portal._progress = stop
    made = portal.put(io.BytesIO(DATA), NAME, len(DATA), SHA)
    assert (made.kind, made.facts["cause"]) == (OutcomeKind.REFUSED, Cause.INTERRUPTED)
    assert drop.server.files == []


# --- cuts --------------------------------------------------------------------------------------------------

MOST = len(DATA) - 1


@pytest.mark.parametrize(
    ("fault", "kind", "cause", "stored"),
    [
        (Fault(cut=0), R, Cause.CUT, 0),
        (Fault(cut=1), R, Cause.CUT, 0),
        (Fault(cut=len(DATA) // 2), R, Cause.CUT, 0),
        (Fault(cut=MOST), U, Cause.NO_ANSWER, 0),
        (Fault(cut=len(DATA)), U, Cause.NO_ANSWER, 1),
        (Fault(swallow=True), U, Cause.NO_ANSWER, 1),
        (Fault(silent=True), U, Cause.NO_ANSWER, 0),
        (Fault(pause=0.0005), OutcomeKind.VERIFIED, None, 1),
    ],
)
def test_cuts(fault: Fault, kind: OutcomeKind, cause: Cause | None, stored: int, drop: Drop) -> None:
    made = drop.harmed(fault)
    assert (made.kind, made.facts.get("cause"), len(drop.server.files)) == (kind, cause, stored)
    assert again(made) == (cause is Cause.CUT)


def test_a_portal_that_is_gone(drop: Drop) -> None:
    portal = drop.portal
    portal.preflight(1)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        portal._route = replace(portal._route, link=replace(portal._route.link, port=closed.getsockname()[1]))
        made = portal.put(io.BytesIO(DATA), NAME, len(DATA), SHA)
    assert (made.kind, made.facts["cause"], again(made)) == (R, Cause.UNREACHABLE, True)
    with pytest.raises(PortalError) as raised:
        portal.preflight(1)
    assert (raised.value.code, raised.value.exit_code) == ("U063", 3)


def test_a_name_that_the_network_does_not_know(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    portal = drop.portal
    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", unknown)
        with pytest.raises(PortalError) as raised:
            portal.preflight(1)
    assert raised.value.cause is Cause.HOST_UNKNOWN


# --- TLS and proxies ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def secure_front(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with served(nextcloud_double.tls(authority, tmp_path_factory.mktemp("tls"))) as made:
        yield made


@pytest.fixture
def secured(secure_front: Front) -> Drop:
    return Drop(secure_front.fresh(), secure_front.port)


def over_tls(drop: Drop, host: str, authority: trustme.CA | None) -> Drop:
    context = ssl.create_default_context()
    if authority is not None:
        authority.configure_trust(context)
    secure = Link(host, drop.port, secure=True, prefix="", token=TOKEN)
    return replace(drop, route=Route(secure, context, None, QUICK))


def test_over_tls(secured: Drop, authority: trustme.CA) -> None:
    assert over_tls(secured, "127.0.0.1", authority).put().kind is OutcomeKind.VERIFIED


@pytest.mark.parametrize(("host", "trusted"), [("127.0.0.1", False), ("localhost", True)])
def test_a_certificate_that_is_not_right(
    host: str, trusted: bool, secured: Drop, authority: trustme.CA
) -> None:
    client = over_tls(secured, host, authority if trusted else None)
    with pytest.raises(PortalError) as raised:
        client.put()
    assert (raised.value.code, raised.value.cause) == ("U064", Cause.CERTIFICATE)
    assert (secured.server.requests, client.asked) == ([], [])


def test_a_server_that_speaks_no_tls(drop: Drop, authority: trustme.CA) -> None:
    with pytest.raises(PortalError) as raised:
        over_tls(drop, "127.0.0.1", authority).put()
    assert raised.value.code == "U064"


@pytest.mark.parametrize("login", [{}, {"Proxy-Authorization": "Basic bWU6eA=="}])
def test_through_a_proxy(login: dict[str, str], secured: Drop, authority: trustme.CA) -> None:
    client = over_tls(replace(secured, port=443), "portal.example.org", authority)
    assert client.route is not None
    with tunnel(secured.port) as (port, seen):
        client.route = replace(client.route, proxy=Proxy("127.0.0.1", port, login))
        assert client.put().kind is OutcomeKind.VERIFIED
    assert {line.split(b"\r\n")[0].rpartition(b" ")[0] for line in seen} == {
        b"CONNECT portal.example.org:443"
    }
    assert all((b"bWU6" in line) == bool(login) for line in seen)
    assert not any(TOKEN.encode() in line for line in seen)


@pytest.mark.parametrize("refusal", ["407 Proxy Authentication Required", "403 Forbidden", ""])
def test_a_proxy_that_refuses(refusal: str, secured: Drop, authority: trustme.CA) -> None:
    client = over_tls(secured, "portal.example.org", authority)
    assert client.route is not None
    with tunnel(secured.port, refusal) as (port, _):
        client.route = replace(client.route, proxy=Proxy("127.0.0.1", port))
        with pytest.raises(PortalError) as raised:
            client.put()
    assert (raised.value.code, raised.value.exit_code) == ("U068", 3)


# --- secrets -----------------------------------------------------------------------------------------------

SECRETS = (PASSWORD, TOKEN, base64.b64encode(f"{TOKEN}:{PASSWORD}".encode()).decode())


@pytest.mark.parametrize("password", [PASSWORD, "wrong, and secret all the same"])
def test_no_secret_in_any_debug_output(
    password: str,
    drop: Drop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 9)
    drop.password = password
    drop.server.switches.reflects = True
    with caplog.at_level(logging.DEBUG):
        try:
            told = repr(drop.put())
        except PortalError as error:
            told = "".join(traceback.format_exception(error)) + repr(error) + error.hint
    told += caplog.text + "".join(capfd.readouterr())
    told += repr(drop.portal) + repr(drop.route)
    encoded = base64.b64encode(f"{TOKEN}:{password}".encode()).decode()
    assert not [secret for secret in (*SECRETS, password, encoded) if secret in told]


def test_what_the_server_reflects_is_not_recorded(drop: Drop) -> None:
    drop.server.switches.reflects = True
    made = drop.put()
    assert made.kind is OutcomeKind.VERIFIED
    assert "request_id" not in made.facts
    attempt = Attempt(1, "c" * 64, NAME, len(DATA), SHA, "portal.example.org", "2026-11-22T10:00:00Z")
    text = receipt.dump(Receipt().begun(attempt).ended(made))
    assert not [secret for secret in SECRETS if secret in text]
    assert f"…{TOKEN[-4:]}" in text


def test_the_double_is_a_program_too() -> None:
    """What measures the throughput starts it as one, and imports nothing from here."""
    command = [sys.executable, nextcloud_double.__file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert (told["token"], told["password"]) == (nextcloud_double.TOKEN, nextcloud_double.PASSWORD)
        address = f"http://127.0.0.1:{told['port']}/status.php"
        with urllib.request.urlopen(address, timeout=10) as answer:
            assert json.loads(answer.read())["installed"]
        process.communicate("", timeout=20)
    assert process.returncode == 0
