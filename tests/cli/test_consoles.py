"""Consoles of code page 1252: whatever a verb says, it does not fail on a character that they lack."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from cli_centre import MANIFEST, NAME, Ran, examined

from rttqa_build.cli.app import app
from rttqa_build.cli.failures import guarded
from rttqa_build.cli.output import Terminal, show_text
from rttqa_build.cli.snippet import Sources
from rttqa_build.cli.table import show_table
from rttqa_build.codes import CATALOGUE
from rttqa_build.diagnostic import Location, finding

if TYPE_CHECKING:
    from pathlib import Path

    from cli_centre import Centre

ODD = MANIFEST + 'clinical: {history: "名 → Ω ✓ é"}\nnote\u200b: 名\n\twrong: "→"\n'


def console(errors: str = "strict") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="cp1252", errors=errors, write_through=True)


def shown(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def narrow(centre: Centre, *arguments: str | Path) -> Ran:
    """Run the program in this process, on a console of code page 1252 as ``main`` sets it up."""
    out, err = console("backslashreplace"), console("backslashreplace")
    with (
        contextlib.chdir(centre.root),
        patch.dict(os.environ, centre.environ, clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = guarded(lambda: app([*map(str, arguments)], standalone_mode=False), dict(os.environ))
    return examined(Ran(code, shown(out), shown(err)))


def test_every_verb(received: Centre) -> None:
    (package,) = (received.data / "portal").glob("*.zip")
    structures, dose = (next(received.export.rglob(f"{kind}.*")) for kind in ("RS", "RD"))
    asked = ("--trial", "example-phantom", "--patient", NAME)
    lines: dict[tuple[str | Path, ...], int] = {
        ("--help",): 0,
        ("trials",): 0,
        ("trials", "plato"): 0,
        ("schema", "plato"): 0,
        ("explain", "D204"): 0,
        ("check",): 0,
        ("check", "--staged"): 0,
        ("fmt", "--check"): 0,
        ("status",): 0,
        ("review", "HEAD"): 0,
        ("build", "--locked"): 0,
        ("submit",): 0,
        ("verify", package): 0,
        ("outcome", NAME, "--grade", "per-protocol"): 0,
        ("dvh", structures, dose): 0,
        ("pseudonymise", received.export, received.data / "out", *asked): 0,
        ("new", *asked, "--name", "second", received.export): 0,
        ("key", "show"): 0,
        ("portal", "trust", "portal.example.org"): 0,
        ("withdraw", NAME, "--reason", "Ω → 名"): 0,
        ("clean", "--yes"): 0,
        ("approve", NAME): 2,
        ("locate", "2.25.1"): 2,
        ("trials", "名"): 2,
        ("build", "名"): 2,
        ("init", received.data.parent / "名"): 0,
    }
    codes = {line: narrow(received, *line).code for line in lines}
    assert codes == lines


@pytest.mark.parametrize("output", ["text", "json", "github", "sarif", "junit"])
def test_findings_about_odd_characters(output: str, centre: Centre) -> None:
    centre.write(ODD)
    assert narrow(centre, "check", "--format", output).code == 1


def test_the_program_sets_its_console_up(centre: Centre) -> None:
    """As a process of its own, which Windows would start with the console's code page."""
    centre.write(ODD)
    done = subprocess.run(
        [sys.executable, "-m", "rttqa_build", "check"],
        cwd=centre.root,
        env={**centre.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"error[M0" in done.stdout
    assert "wrong" in done.stdout.decode("cp1252")


def test_colours_carets_and_tables() -> None:
    """On a stream that refuses what its code page lacks."""
    out = console()
    term = Terminal(out, colour=True, local=True, columns=80)
    sources = Sources({"m.yaml": "note: → 名 \u200b é\n"}.__getitem__, lambda _: False)
    for code in CATALOGUE:
        show_text([finding(code, "→ 名 é", Location("m.yaml", 1, 9), hint="Ω " * 60)], term, sources)
    for colour in (True, False):
        show_table(
            ("é", "next step"), [("→", "名 " * 60), ("b", "c")], {0}, Terminal(out, colour, colour, 80)
        )
    assert "é" in shown(out)


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell closes the streams")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_without_streams_the_work_is_done_all_the_same(closed: str, centre: Centre) -> None:
    call = [sys.executable, "-m", "rttqa_build", "build"]
    environ = {**os.environ, **centre.environ}
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *call], cwd=centre.root, env=environ, check=False
    )
    assert done.returncode == 0
    assert len(centre.packages) == 1
