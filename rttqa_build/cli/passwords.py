"""The portal's password: from the environment, the keyring, or a person; never shown, written or logged."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import sys
from typing import TYPE_CHECKING

import typer

from rttqa_build.cli import session
from rttqa_build.codes import CATALOGUE
from rttqa_build.diagnostic import UsageError

if TYPE_CHECKING:
    from types import ModuleType

    from rttqa_build.portal.link import Link

VARIABLE = "RTTQA_PORTAL_PASSWORD"
# what loading a keyring raises that is set up for another program, or is not installed
_UNUSABLE = (ImportError, AttributeError, ValueError, TypeError, OSError, RuntimeError)


def ring() -> ModuleType | None:
    """Return the way to the operating system's keyring; None where there is none that can be used."""
    try:
        import keyring
        import keyring.errors
    except _UNUSABLE:
        return None
    return keyring


def kept(service: str, name: str) -> str:
    """Return what the keyring keeps under two names; nothing where there is none."""
    keyring = ring()
    if keyring is None:
        return ""
    try:
        return keyring.get_password(service, name) or ""
    except (keyring.errors.KeyringError, *_UNUSABLE):
        return ""


class Password:
    """The password of one link. The keyring has an entry per host and token; the token itself is no name."""

    def __init__(self, link: Link) -> None:
        digest = hashlib.sha256(link.token.encode()).hexdigest()
        self._host = link.netloc
        self._entry = (f"rttqa-build {link.netloc}", f"link {digest[:12]}")
        self._from_keyring = False
        self._typed = ""

    def __call__(self) -> str:
        """Return it. Raises UsageError where there is none, or one that cannot be it."""
        given = session.environ().get(VARIABLE, "") or self._kept() or self._asked()
        if not given:
            raise UsageError("there is no password for the portal", CATALOGUE["U069"].mend, code="U069")
        if not given.isprintable():
            raise UsageError(
                "the portal's password holds a line break or another control character",
                "set it without",
                code="U069",
            )
        return given

    def accepted(self) -> None:
        """Offer to keep in the keyring what was typed."""
        if self._typed and typer.confirm("Keep the password in this computer's keyring?", err=True):
            self._keep()
        self._typed = ""

    def _keep(self) -> None:
        keyring = ring()
        if keyring is not None:
            with contextlib.suppress(keyring.errors.KeyringError, *_UNUSABLE):
                keyring.set_password(*self._entry, self._typed)
                return
        typer.echo("this computer has no keyring that takes it", err=True)

    def refused(self) -> None:
        """Forget the one in the keyring: it must not be tried a second time."""
        keyring = ring() if self._from_keyring else None
        if keyring is None:
            return
        try:
            keyring.delete_password(*self._entry)
        except (keyring.errors.KeyringError, *_UNUSABLE):
            return
        typer.echo("the keyring's password was removed from it; the next run asks for another", err=True)

    def _kept(self) -> str:
        given = kept(*self._entry)
        self._from_keyring = bool(given)
        return given

    def _asked(self) -> str:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return ""
        self._typed = getpass.getpass(f"Password of the portal {self._host}: ")
        return self._typed
