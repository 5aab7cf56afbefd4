"""Where the portal's password comes from: environment, keyring, a person; and what becomes of it."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import keyring
import keyring.errors
import pytest
import typer
from nextcloud_double import PASSWORD, TOKEN, Front, served
from portal_centre import Wired, prepared

from rttqa_build.cli import passwords
from rttqa_build.cli.passwords import Password
from rttqa_build.diagnostic import UsageError
from rttqa_build.portal.link import Link

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli_centre import Centre

LINK = Link("portal.example.org", 443, secure=True, prefix="", token=TOKEN)


@dataclass
class Ring:
    """A keyring, or none."""

    entries: dict[tuple[str, str], str] = field(default_factory=dict)
    broken: bool = False

    def _there(self) -> None:
        if self.broken:
            raise keyring.errors.NoKeyringError

    def get_password(self, service: str, name: str) -> str | None:
        self._there()
        return self.entries.get((service, name))

    def set_password(self, service: str, name: str, password: str) -> None:
        self._there()
        self.entries[service, name] = password

    def delete_password(self, service: str, name: str) -> None:
        self._there()
        del self.entries[service, name]


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    made = Ring()
    for name in ("get_password", "set_password", "delete_password"):
        monkeypatch.setattr(keyring, name, getattr(made, name))
    monkeypatch.delenv(passwords.VARIABLE, raising=False)
    return made


def typing(monkeypatch: pytest.MonkeyPatch, password: str, *, keep: bool) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(getpass, "getpass", lambda _: password)
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: keep)


def test_the_environment_goes_first(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    ring.broken = True
    monkeypatch.setenv(passwords.VARIABLE, PASSWORD)
    assert Password(LINK)() == PASSWORD


def test_nobody_to_ask(ring: Ring) -> None:
    for broken in (False, True):
        ring.broken = broken
        with pytest.raises(UsageError) as raised:
            Password(LINK)()
        assert raised.value.code == "U069"


@pytest.mark.parametrize("keep", [True, False])
def test_what_was_typed_is_kept_once_it_was_accepted(
    keep: bool, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    typing(monkeypatch, PASSWORD, keep=keep)
    typed = Password(LINK)
    assert typed() == PASSWORD
    assert ring.entries == {}
    typed.accepted()
    assert list(ring.entries.values()) == ([PASSWORD] if keep else [])
    assert all(TOKEN not in "".join(names) for names in ring.entries)
    typing(monkeypatch, "another", keep=False)
    assert Password(LINK)() == (PASSWORD if keep else "another")
    other = Link("other.example.org", 443, secure=True, prefix="", token=TOKEN)
    assert Password(other)() == "another"


def test_a_keyring_that_takes_nothing(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    ring.broken = True
    typing(monkeypatch, PASSWORD, keep=True)
    typed = Password(LINK)
    typed()
    typed.accepted()
    typed.refused()


@pytest.mark.parametrize("backend", ["no.such.Keyring", "nowhere", "keyring.backends.null.Missing"])
def test_a_keyring_that_is_set_up_for_another_program(backend: str) -> None:
    code = f"""
from rttqa_build.cli.passwords import Password, kept
from rttqa_build.portal.link import Link
password = Password(Link("portal.example.org", 443, True, "", "{TOKEN}"))
password._typed = "typed"
password._keep()
password.refused()
assert kept("service", "name") == password._kept() == ""
"""
    environ = {**os.environ, "PYTHON_KEYRING_BACKEND": backend}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, check=False)
    assert (done.returncode, b"no keyring that takes it" in done.stderr) == (0, True), done.stderr


def test_a_refused_password_leaves_the_keyring(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    typing(monkeypatch, PASSWORD, keep=True)
    typed = Password(LINK)
    typed()
    typed.refused()
    typed.accepted()
    assert list(ring.entries.values()) == [PASSWORD]
    kept = Password(LINK)
    kept()
    kept.refused()
    assert ring.entries == {}


def test_control_characters_are_no_password(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(passwords.VARIABLE, f"{PASSWORD}\n")
    with pytest.raises(UsageError) as raised:
        Password(LINK)()
    assert PASSWORD not in f"{raised.value}{raised.value.hint}"


# --- on a terminal -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with served() as made:
        yield made


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="terminals are POSIX's here")
def test_on_a_terminal_it_is_asked_for_and_never_shown(settled: Centre, front: Front, tmp_path: Path) -> None:
    made = prepared(settled, tmp_path / "a centre")
    wired = Wired(made, front.fresh(), front.port, password="")
    code, shown = made.conversed(
        [("Password of the portal", PASSWORD), ("keyring?", "n")],
        "submit",
        **wired.environ,
        PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring",
    )
    assert code == 0, shown
    assert PASSWORD not in shown
    assert "received by the portal" in shown
    assert "uploading" in shown
    assert len(wired.server.logins) == 2
