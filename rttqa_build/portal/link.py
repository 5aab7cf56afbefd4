"""The link of a Nextcloud file drop: ``https://HOST[/sub][/index.php]/s/TOKEN`` → its parts. Pure."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_PATH = re.compile(
    r"(?P<prefix>(?:/[A-Za-z0-9._~-]+)*?)(?:/index\.php)?/s/(?P<token>[A-Za-z0-9_-]{1,64})"
    r"(?:/authenticate(?:/[A-Za-z]*)?)?/?"  # what the browser's address bar shows before the password
)
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*")


@dataclass(frozen=True, slots=True)
class Link:
    """Where a file drop lies. ``host`` is in lower case; ``prefix`` is empty or begins with ``/``.

    The token is half of a secret: only its last four characters may be shown (:attr:`hint`).
    """

    host: str
    port: int
    secure: bool
    prefix: str
    token: str = field(repr=False)

    @property
    def netloc(self) -> str:
        """Return the host, with the port where it is not the usual one: what is trusted, and recorded."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    @property
    def hint(self) -> str:
        """Return what may be shown of the token."""
        return f"…{self.token[-4:]}" if len(self.token) > 8 else "…"

    @property
    def local(self) -> bool:
        """Whether the host is this computer."""
        return loopback(self.host)


def parse(text: str) -> Link | str:
    """Return the parts of a link, or in words why it is none. The words hold nothing of the link."""
    try:
        parts = urlsplit(text.strip())
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        return "it is not a web address"
    path = _PATH.fullmatch(parts.path)
    secure = parts.scheme == "https"
    if parts.scheme not in {"https", "http"} or not host:
        return "it is not a web address that begins with https://"
    if not secure and not loopback(host):
        return "it begins with http://, and nothing is sent without encryption"
    if parts.username is not None or parts.password is not None:
        return "it holds a user name or a password"
    if path is None or parts.query or parts.fragment:
        return "it does not end in /s/ and the link's token"
    return Link(host, port or (443 if secure else 80), secure, path["prefix"], path["token"])


def host_name(text: str) -> str:
    """Return a host as :attr:`Link.netloc` writes it; empty when the text is none."""
    link = parse(f"https://{text.strip()}/s/x") if "/" not in text else ""
    return link.netloc if isinstance(link, Link) else ""


def loopback(host: str) -> bool:
    """Return whether a host name or address is that of this computer."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _host(text: str) -> str:
    """Return the host in lower case and ASCII; empty when it cannot be one."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    name = text.rstrip(".").encode("idna").decode("ascii").lower() if text else ""
    return name if _HOST.fullmatch(name) and len(name) < 254 else ""
