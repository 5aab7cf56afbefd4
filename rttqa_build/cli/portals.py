"""The portal that the settings name, with what a person or the computer must add; and ``portal trust``."""

from __future__ import annotations

import contextlib
import os
import random
import ssl
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rttqa_build import disk
from rttqa_build.centre import repository
from rttqa_build.cli import failures, session
from rttqa_build.cli.output import terminal
from rttqa_build.diagnostic import Diagnostic, Location, RttqaError, UsageError, finding
from rttqa_build.portal import FolderPortal, PortalError, known
from rttqa_build.settings import FILE, expand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rttqa_build.cli.bar import Upload
    from rttqa_build.cli.passwords import Password
    from rttqa_build.portal import Portal
    from rttqa_build.portal.link import Link
    from rttqa_build.portal.wire import Route
    from rttqa_build.workspace import Workspace

_WHERE = Location(FILE, item="portal")
_FIRST_PAUSE = 2.0  # seconds; doubled before each further try
_TURN = 120.0  # seconds to wait for another run that is asking the portal, or its user for a password


# --- portal trust ------------------------------------------------------------------------------------------


def trust(host: str) -> int:
    """Note, beside the key, that packages may go to a host."""
    from rttqa_build.portal import link

    here, out = session.workspace(), session.term()
    name = link.host_name(host)
    if not name:
        raise UsageError("this is not the name of a host", "give it as in the link: portal.example.org")
    place = _place(here)
    hosts = known.read(place)
    entry = replace(hosts.host(name), trusted=session.now(), by=_person(here))
    known.write(place, hosts.having(entry))
    out.say(f"{name} is trusted from now on")
    out.say(f"  kept beside the key: {place}")
    ours = _link(here)
    if isinstance(ours, link.Link) and ours.netloc != name:
        out.tell(f"the settings' portal is another host: {ours.netloc}")
    return 0


def _person(here: Workspace) -> str:
    return repository.find(here.root, session.environ()).email()


def _place(here: Workspace) -> Path:
    place = here.key_path().with_name(known.FILE)
    if repository.inside_work_tree(place):
        raise UsageError(
            "the folder of the key lies inside a Git repository",
            "keep it outside; `key_file` in rttqa.yaml says where the key lies",
            code="A001",
        )
    return place


def _link(here: Workspace) -> Link | str:
    """Return the link of the settings, or why there is none."""
    from rttqa_build.portal import link

    chosen = here.settings.portal
    if chosen is None or chosen.kind != "nextcloud":
        return "the settings name no Nextcloud portal"
    try:
        return link.parse(expand(chosen.link, here.environ))
    except UsageError as error:
        return error.message


# --- the portal of a run -----------------------------------------------------------------------------------


class Connection:
    """The portal of one run, why it cannot be used, and what must be remembered of how it answered."""

    def __init__(self, here: Workspace, now: str) -> None:
        self._here = here
        self._host = ""
        self._password: Password | None = None
        self._bar: Upload | None = None
        self.portal, self.findings = self._connected(now)

    def _connected(self, now: str) -> tuple[Portal | None, tuple[Diagnostic, ...]]:
        folder, chosen = self._here.portal_folder(), self._here.settings.portal
        if chosen is None:
            return None, (finding("U010", "the settings name no portal", _WHERE),)
        if folder is not None:
            return FolderPortal(folder, make=folder.is_relative_to(self._here.root)), ()
        link = _link(self._here)
        if isinstance(link, str):
            return None, (finding("U017", f"the portal's link cannot be used: {link}", _WHERE),)
        self._host = link.netloc
        found = tuple(_against(link, known.read(_place(self._here)).host(link.netloc), now))
        return self._nextcloud(link), found

    def _nextcloud(self, link: Link) -> Portal:
        from rttqa_build.cli.bar import Upload
        from rttqa_build.cli.passwords import Password
        from rttqa_build.portal.nextcloud import NextcloudPortal

        self._password = Password(link)
        self._bar = Upload(terminal=sys.stderr.isatty())
        return NextcloudPortal(_route(self._here, link), self._password, self._bar)

    @contextlib.contextmanager
    def asked(self) -> Iterator[None]:
        """Remember how the preflight within ended: a refused password, or one to keep."""
        with self._in_turn():
            try:
                yield
            except PortalError as error:
                self.remember(error)
                raise
        if self._password is not None:
            self._password.accepted()

    @contextlib.contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Keep other runs of this centre from asking meanwhile: each must know what the last was refused."""
        place = _place(self._here)
        if not self._host or not os.access(place.parent, os.W_OK):
            yield
            return
        with disk.exclusive(place.with_suffix(".lock"), "the folder of the key", _TURN) as free:
            if not free:
                raise RttqaError(
                    "another run is asking the portal, and does not end",
                    "perhaps it waits for a password: end it, then run the same command again",
                )
            for told in _early(known.read(place).host(self._host), session.now()):
                raise RttqaError(told.message, told.hint, code=told.code)
            yield

    @contextlib.contextmanager
    def showing(self) -> Iterator[None]:
        """Show how far the uploads within are."""
        try:
            yield
        finally:
            if self._bar is not None:
                self._bar.close()

    def remember(self, error: PortalError) -> None:
        """Write beside the key what keeps the next runs from shutting the hospital out.

        Where the disk does not take it, that is told beside the error, which must not be lost to it.
        """
        from rttqa_build.portal.contract import Cause

        try:
            if error.cause is Cause.THROTTLED:
                self._note(known.Host.after_throttling)
            elif error.cause is Cause.PASSWORD:
                self._note(known.Host.after_refusal)
        except RttqaError as failure:
            failures.tell(failure)
        if error.cause is Cause.PASSWORD and self._password is not None:
            self._password.refused()

    def _note(self, change: Callable[[known.Host, str], known.Host]) -> None:
        place = _place(self._here)
        hosts = known.read(place)
        known.write(place, hosts.having(change(hosts.host(self._host), session.now())))

    def pause(self, tries: int, reason: str) -> str:
        """Wait before another try, longer each time, not at the same moment as others; return the time."""
        if self._bar is not None:
            self._bar.close()
        seconds = _FIRST_PAUSE * 2 ** (tries - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        terminal(session.environ(), sys.stderr).tell(f"try {tries}: {reason}; another try in {seconds:.0f} s")
        time.sleep(seconds)
        return session.now()


def _against(link: Link, host: known.Host, now: str) -> Iterator[Diagnostic]:
    """Yield why nothing may go to a host now."""
    if not (link.local or host.trusted):
        told = f"the portal's host {link.netloc} is not trusted"
        verb = f"`rttqa-build portal trust {link.netloc}`"
        hint = f"Compare it with the trial group's letter; if it is right: {verb}."
        yield finding("U018", told, _WHERE, hint=hint)
    yield from _early(host, now)


def _early(host: known.Host, now: str) -> Iterator[Diagnostic]:
    if host.waits(now):
        yield finding("U019", f"nothing is sent to {host.host} before {_clock(host.not_before)}", _WHERE)


def _clock(time: str) -> str:
    return f"{time[11:16]} UTC on {time[:10]}"


def _route(here: Workspace, link: Link) -> Route:
    from rttqa_build.portal import proxy, wire

    context = _context(here) if link.secure else None
    return wire.Route(link, context, proxy.choose(link.host, session.environ()), wire.PATIENT)


def _context(here: Workspace) -> ssl.SSLContext:
    """Return the certificates to trust: the system's, and those of the trust's own file."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.keylog_filename = os.devnull  # SSLKEYLOGFILE would get what decrypts the password
    chosen = here.settings.portal
    if chosen is not None and chosen.ca_file:
        path = here.root / Path(expand(chosen.ca_file, here.environ)).expanduser()
        try:
            context.load_verify_locations(path)
        except OSError:  # ssl.SSLError is one
            raise UsageError(
                "the certificates in `ca_file` cannot be read", "give the path of a PEM file", code="U064"
            ) from None
    return context
