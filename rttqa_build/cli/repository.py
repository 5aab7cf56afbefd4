"""``init`` and ``key``: the repository and the centre's secret."""

from __future__ import annotations

import re
import secrets
import sys
from typing import TYPE_CHECKING

from rttqa_build import disk, keyfile, scaffold
from rttqa_build.cli.output import show_text
from rttqa_build.cli.session import environ, term, workspace
from rttqa_build.diagnostic import UsageError
from rttqa_build.library import Library
from rttqa_build.pseudonym import KEY_LENGTH, CentreKey
from rttqa_build.settings import FILE

if TYPE_CHECKING:
    from pathlib import Path

_PIN = re.compile(r"(?m)^key_fingerprint:[ \t]*(?:null|~)?[ \t]*(?=#|$)")


def editor_schemas(library: Library) -> dict[str, bytes]:
    """Return the self-contained schemas that editors complete and explain manifests with."""
    return {
        f"{name}.schema.json": library.bundled_text(name).encode() for name in ("settings", *library.ids())
    }


def init(folder: Path) -> int:
    """Make a submissions repository and say what to do next."""
    out = term()
    made = scaffold.init(
        folder.absolute(), editor_schemas(Library(folder.absolute())), environ(), sys.executable
    )
    show_text(made.kept, out)
    out.say(f"made a submissions repository in {folder}" if made.written else f"nothing to add in {folder}")
    for name in made.written:
        out.say(f"  {name}")
    out.say("")
    out.wrapped(
        "Next: in that folder, fill in your centre in rttqa.yaml; say where the exports and the key lie (set "
        "RTTQA_DATA and RTTQA_KEY_FILE); make the key with rttqa-build key new. README.md there says more."
    )
    return 0


def key_new() -> int:
    """Make the key, and pin its fingerprint in the settings."""
    here, out = workspace(), term()
    if here.settings.key_fingerprint:
        raise UsageError(
            f"{FILE} names a key already: {here.settings.key_fingerprint}",
            "restore that key from its backup; a new one would give every patient other pseudonyms",
        )
    path = here.key_path()
    settings = here.root / FILE
    text = disk.read(settings, 1 << 20, FILE).decode("utf-8")
    key = CentreKey(secrets.token_bytes(KEY_LENGTH))
    keyfile.create(path, key)
    pinned, count = _PIN.subn(f"key_fingerprint: {key.fingerprint}  ", text, count=1)
    if count:
        disk.write(settings, re.sub(r"(?m)[ \t]+$", "", pinned).encode())
    out.say(f"made the centre's key: {path}")
    out.say(f"fingerprint {key.fingerprint}" + (f", pinned in {FILE}" if count else ""))
    if not count:
        out.say(f"add this line to {FILE}: key_fingerprint: {key.fingerprint}")
    out.say("")
    out.wrapped(
        "Keep a copy of that file where only those who need it can read it, on paper too. Without it no "
        "resubmission can be matched to what was sent before; with it, pseudonyms can be traced back."
    )
    return 0


def key_show() -> int:
    """Show where the key lies and its fingerprint."""
    here, out = workspace(), term()
    key = here.key()
    out.say(f"{here.key_path()}")
    out.say(f"fingerprint {key.fingerprint}")
    return 0
