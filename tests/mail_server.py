"""A real SMTP server on loopback with STARTTLS and a login, and faults that can be asked of it."""

from __future__ import annotations

import contextlib
import socket
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER, PASSWORD = "rt.physics@example.org", "correct horse battery"


@dataclass
class Postbox:
    """What the server took, and how it answers. ``faults`` maps a step to an answer; ``close`` hangs up."""

    port: int = 0
    ca_file: Path | None = None
    taken: list[bytes] = field(default_factory=list)
    logins: list[bool] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        self.encrypted.append(session.ssl is not None)
        envelope.mail_from = address
        return self._answer(server, "MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self._answer(server, "RCPT", "250 OK")

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if not self.faults.get("DATA", "").startswith("5"):
            self.taken.append(envelope.content)
        return self._answer(server, "DATA", "250 OK")

    def _answer(self, server: Any, step: str, usual: str) -> str:
        fault = self.faults.get(step, usual)
        if fault == "close":
            server.transport.abort()
        return usual if fault == "close" else fault

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _way: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        self.logins.append(good)
        return AuthResult(success=good, handled=good)


class _Server(Controller):
    """Listens on a free port of 127.0.0.1; asks for no encryption in clear text tests."""

    def __init__(self, handler: Postbox, context: ssl.SSLContext | None, *, login: bool) -> None:
        self._context, self._login = context, login
        super().__init__(handler, hostname="127.0.0.1", port=0)

    def factory(self) -> SMTP:
        return SMTP(
            self.handler,
            tls_context=self._context,
            require_starttls=self._context is not None,
            authenticator=self.handler.authenticate,
            auth_require_tls=self._context is not None,
            auth_required=self._login,
        )

    def where(self) -> tuple[str, int]:
        """Return address and port."""
        server: Any = self.server
        host, port = server.sockets[0].getsockname()
        return host, port

    def _trigger_server(self) -> None:
        """Make the first connection, by which aiosmtpd sees that it runs, to the port that it was given."""
        socket.create_connection(self.where(), timeout=5).close()


@contextlib.contextmanager
def postbox(
    folder: Path, *, encrypted: bool = True, login: bool = False, name: str = "127.0.0.1"
) -> Iterator[Postbox]:
    """Run a server whose certificate is for ``name``, signed by the authority in ``ca_file``."""
    box = Postbox(ca_file=folder / "authority.pem")
    context = None
    if encrypted:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(box.ca_file))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
    controller = _Server(box, context, login=login)
    controller.start()
    try:
        box.port = controller.where()[1]
        yield box
    finally:
        controller.stop()
