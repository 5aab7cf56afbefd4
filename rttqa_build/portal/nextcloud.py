"""A Nextcloud file drop: asked once whether it takes uploads, then given files by PUT, one try a call."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, BinaryIO, NamedTuple
from urllib.parse import quote

from rttqa_build.portal import answers, wire
from rttqa_build.portal.contract import Cause, PortalError
from rttqa_build.records.receipt import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rttqa_build.portal.answers import Server
    from rttqa_build.portal.wire import Route

_OURS = {"X-Requested-With": "XMLHttpRequest", "User-Agent": "rttqa-build"}
_HIDDEN = "not told"


class _Opened(NamedTuple):
    """What the preflight found out: the folder to put files in, the server's version, and what logs in.

    ``secrets``: the token, the password, and both as they are sent.
    """

    folder: str
    version: str
    secrets: tuple[str, str, str]

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of every request that logs in."""
        return {**_OURS, "Authorization": f"Basic {self.secrets[-1]}"}


class NextcloudPortal:
    """A file drop behind ``route``.

    ``password`` is asked for once, by the preflight, when the server has told that it may be spoken to;
    ``progress`` gets the bytes sent and the size while a file is on its way. Until the preflight has passed,
    nothing can be sent.
    """

    def __init__(
        self, route: Route, password: Callable[[], str], progress: Callable[[int, int], None]
    ) -> None:
        self._route = route
        self._password = password
        self._progress = progress
        self._opened: _Opened | None = None

    @property
    def host(self) -> str:
        """Return the portal's host name, with its port where it is not the usual one."""
        return self._route.link.netloc

    @property
    def local(self) -> bool:
        """Return whether the portal is on this computer."""
        return self._route.link.local

    def preflight(self, need: int) -> None:  # noqa: ARG002 - an upload-only share does not tell its space
        """Ask whether the link takes uploads with this password. Costs one refused login at most.

        Raises PortalError when it does not.
        """
        link = self._route.link
        try:
            told = answers.server(wire.ask(self._route, "GET", f"{link.prefix}/status.php", _OURS))
            if isinstance(told, Cause):
                raise PortalError(told)
            if told.maintenance:
                raise PortalError(Cause.MAINTENANCE)
            password = self._password()
            self._opened = self._asked(told, (link.token, password, _basic(link.token, password)))
        except wire.LostError as error:
            raise PortalError(error.cause) from None

    def _asked(self, server: Server, secrets: tuple[str, str, str]) -> _Opened:
        """Return the first endpoint that takes uploads; only one that is not there leads to the next."""
        cause = Cause.NO_SUCH_ADDRESS
        for folder in self._folders(server):
            opened = _Opened(folder, server.version or _HIDDEN, secrets)
            headers = {**opened.headers, "Depth": "0", "Content-Length": "0"}
            refusal = answers.preflight(wire.ask(self._route, "PROPFIND", folder, headers))
            if refusal is None:
                return opened
            cause = refusal
            if cause is not Cause.NO_SUCH_ADDRESS:
                break
        raise PortalError(cause)

    def _folders(self, server: Server) -> Iterator[str]:
        link = self._route.link
        if not server.major or server.major >= answers.FIRST_V2:
            yield f"{link.prefix}/public.php/dav/files/{link.token}/"
        if not server.major or server.major < answers.FIRST_V2:
            yield f"{link.prefix}/public.php/webdav/"

    def put(self, handle: BinaryIO, name: str, size: int, sha256: str) -> Outcome:
        """Upload a file. See :class:`~rttqa_build.portal.contract.Portal`."""
        opened = self._opened
        if opened is None:
            raise ValueError("the portal was not asked before")
        headers = {**opened.headers, "Content-Type": "application/zip", "X-Hash": "sha256"}
        upload = wire.Upload(handle, size, sha256, self._progress)
        try:
            answer, complete = wire.send(self._route, f"{opened.folder}{quote(name)}", headers, upload)
        except wire.LostError as error:
            return self._with_server(_without_answer(error), opened)
        return self._with_server(answers.outcome(answer, sha256, complete=complete), opened)

    def _with_server(self, outcome: Outcome, opened: _Opened) -> Outcome:
        """Add what is known of the server; leave out what it echoes of a secret."""
        told = {
            name: value
            for name, value in outcome.facts.items()
            if name not in answers.TOLD or not any(secret in value for secret in opened.secrets)
        }
        known = {"link": self._route.link.hint, "server_version": opened.version}
        return Outcome(outcome.kind, outcome.echo, {**told, **known})


def _without_answer(error: wire.LostError) -> Outcome:
    return answers.lost(error.cause) if error.complete else answers.refused(error.cause)


def _basic(token: str, password: str) -> str:
    return base64.b64encode(f"{token}:{password}".encode()).decode("ascii")
