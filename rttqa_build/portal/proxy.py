"""Which proxy leads to a host: the usual environment variables, handed in. Pure."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from rttqa_build.diagnostic import UsageError
from rttqa_build.portal.link import loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_EXCEPT = ("no_proxy", "NO_PROXY")


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy, and the headers by which it lets us through."""

    host: str
    port: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


_FORM = "give it as http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT"


def choose(host: str, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for HTTPS to ``host`` by the usual variables; none for loopback.

    Raises UsageError for a proxy that cannot be used; its address, which may hold a password, stays out.
    """
    named = next((environ[name] for name in _NAMES if environ.get(name)), "")
    excepted = next((environ[name] for name in _EXCEPT if environ.get(name)), "")
    if not named or loopback(host) or _excepted(host, excepted):
        return None
    try:
        parts = urlsplit(named if "://" in named else f"http://{named}")
        address, port = parts.hostname, parts.port
    except ValueError:
        address, port = None, None
    if not address or parts.scheme != "http":
        raise UsageError(
            "the proxy in HTTPS_PROXY or ALL_PROXY cannot be used",
            _FORM,
            code="U068",
        )
    try:
        login = _login(parts.username, parts.password)
    except UnicodeError:
        raise UsageError("the login in HTTPS_PROXY or ALL_PROXY is no text", _FORM, code="U068") from None
    return Proxy(address, port or 80, login)


def _excepted(host: str, listed: str) -> bool:
    names = [name.strip().lower().lstrip("*").lstrip(".") for name in listed.split(",")]
    return any(
        listed.strip() == "*" or (name and (host == name or host.endswith(f".{name}"))) for name in names
    )


def _login(user: str | None, password: str | None) -> dict[str, str]:
    if not user:
        return {}
    pair = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode('ascii')}"}
