"""``key``: the centre's secret. It is never an argument, and shown only where somebody asks to see it."""

from __future__ import annotations

import re
import secrets
import sys
from typing import TYPE_CHECKING

import typer

from rttqa_build import disk
from rttqa_build.centre import keycopy, keyfile
from rttqa_build.cli.session import term, workspace
from rttqa_build.diagnostic import UsageError
from rttqa_build.pseudonym import KEY_LENGTH, CentreKey
from rttqa_build.settings import FILE

if TYPE_CHECKING:
    from pathlib import Path

    from rttqa_build.cli.output import Terminal
    from rttqa_build.workspace import Workspace

_PIN = re.compile(r"(?m)^key_fingerprint:[ \t]*(?:null|~)?[ \t]*(?=#|\r?$)")
_COPY = "the copy of the key"


def new() -> int:
    """Make the key, and pin its fingerprint in the settings."""
    here, out = workspace(), term()
    if here.settings.key_fingerprint:
        raise UsageError(
            f"{FILE} names a key already: {here.settings.key_fingerprint}",
            "put that key back: `rttqa-build key restore`; with another every patient gets other pseudonyms",
        )
    key = CentreKey(secrets.token_bytes(KEY_LENGTH))
    keyfile.create(here.key_path(), key)
    out.say(f"made the centre's key: {here.key_path()}")
    _pin(here, key, out)
    _tell_group(here, out)
    out.say("")
    out.wrapped(
        "Now make a copy for the safe: `rttqa-build key backup FILE`. Without the key no resubmission can be "
        "matched to what was sent before; with it, pseudonyms can be traced back."
    )
    return 0


def show() -> int:
    """Show where the key lies and its fingerprint."""
    here, out = workspace(), term()
    key = here.key()
    out.say(f"{here.key_path()}")
    out.say(f"fingerprint {key.fingerprint}")
    return 0


def backup(file: Path | None, *, shown: bool) -> int:
    """Write the page to print into a new file, or show it on the terminal."""
    here, out = workspace(), term()
    if (file is None) is not shown:
        raise UsageError("give either a new FILE or --show", "print what it holds, and keep it in a safe")
    centre = here.settings.centre
    key = here.key()
    page = keycopy.page(key, f"{centre.name} ({centre.code})")
    if file is None:
        if not out.local:
            raise UsageError("the key is shown on a terminal only", "run this in a terminal window")
        out.say(page)
        return 0
    here.demand_unsynced(file.absolute(), _COPY)
    keyfile.write_secret(file.absolute(), page, _COPY)
    out.say(f"wrote the copy of the key {key.fingerprint}: {file}")
    out.wrapped("Now print it, lock the paper away, and delete the file: whoever has it has the key.")
    return 0


def restore(file: Path | None, fingerprint: str) -> int:
    """Put the key back from a copy, when it is the one that the fingerprint names."""
    here, out = workspace(), term()
    path = here.key_path()
    if path.exists():
        hint = "`rttqa-build key show` tells whether it can be used; if it is damaged, move it away first"
        raise UsageError("there is a key file already; it is never overwritten", hint)
    pinned = here.settings.key_fingerprint
    copy = _typed(pinned or fingerprint) if file is None else _read(file)
    _demand(copy, pinned, fingerprint.strip().lower())
    keyfile.create(path, copy.key)
    out.say(f"restored the centre's key: {path}")
    if pinned:
        out.say(f"fingerprint {copy.key.fingerprint}, as {FILE} says")
    else:
        _pin(here, copy.key, out)
    _tell_group(here, out)
    return 0


def _read(file: Path) -> keycopy.Copy:
    return keycopy.parse(disk.read(file, keyfile.LARGEST, _COPY).decode("utf-8-sig", "replace"))


def _typed(fingerprint: str) -> keycopy.Copy:
    """Ask for the lines of the page, one by one, without showing them, until each fits its check."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the key is typed in on a terminal, by a person", "or give the copy's FILE")
    given = fingerprint or typer.prompt("Fingerprint on the page")
    typer.echo("Type the lines of the page; nothing is shown while you type.")
    lines = (_line(number) for number in range(1, keycopy.LINES + 1))
    return keycopy.Copy(CentreKey(b"".join(lines)), given.strip().lower())


def _line(number: int) -> bytes:
    while (piece := keycopy.typed(number, typer.prompt(f"Line {number}", hide_input=True))) is None:
        typer.echo(f"That does not fit the check of line {number}; please type the line again.")
    return piece


def _demand(copy: keycopy.Copy, pinned: str, given: str) -> None:
    """Raise UsageError unless every fingerprint that is known, and at least one is, is that of the key."""
    known = {one for one in (pinned, given, copy.fingerprint) if one}
    if not known:
        raise UsageError(
            "this copy does not tell the key's fingerprint, and rttqa.yaml does not pin it",
            "give --fingerprint: it stands on the printed page and in every lock.yaml",
        )
    if known != {copy.key.fingerprint}:
        raise UsageError(
            "the copy holds another key than the fingerprint names",
            "use the copy of this centre's key; another one would give every patient other pseudonyms",
            code="A001",
        )


def _pin(here: Workspace, key: CentreKey, out: Terminal) -> None:
    """Write the fingerprint into the settings, where its place is, or say which line to add."""
    settings = here.root / FILE
    text = disk.read(settings, 1 << 20, FILE).decode("utf-8")
    pinned, count = _PIN.subn(f"key_fingerprint: {key.fingerprint}  ", text, count=1)
    if count:
        disk.write(settings, re.sub(r"(?m)[ \t]+$", "", pinned).encode())
    out.say(f"fingerprint {key.fingerprint}" + (f", pinned in {FILE}" if count else ""))
    if not count:
        out.tell(f"add this line to {FILE}: `key_fingerprint: {key.fingerprint}`")


def _tell_group(here: Workspace, out: Terminal) -> None:
    if here.settings.key_access == "group":
        out.wrapped("Only you can read it so far: give it to the group that shares it, and chmod 640.")
