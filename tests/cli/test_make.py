"""The scaffold's Makefile and Git hook, with the program itself behind them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cli_centre import MANIFEST, NAME, Ran, examined

if TYPE_CHECKING:
    from cli_centre import Centre

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(centre: Centre, *arguments: str) -> Ran:
    done = subprocess.run(
        ["make", f'RTTQA="{sys.executable}" -m rttqa_build', *arguments],
        cwd=centre.root,
        env=centre.environ,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    return examined(Ran(done.returncode, done.stdout, done.stderr))


def test_from_check_to_receipt(centre: Centre) -> None:
    assert " " in str(centre.root)
    done = make(centre, "-j2", "check", "build")
    assert (done.code, len(centre.packages)) == (0, 1), done.told
    centre.commit()
    sent = make(centre, "submit", f"NAME={NAME}")
    assert (sent.code, "received by the portal" in sent.out) == (0, True), sent.told
    assert re.search(rf"^{NAME} +received ", make(centre, "status").out, re.MULTILINE)


def test_one_of_two(centre: Centre) -> None:
    other = centre.submission.with_name("BAD-1")
    other.mkdir()
    (other / "manifest.yaml").write_text(MANIFEST.replace("dummy-run", "TODO"), "utf-8")
    assert make(centre, "check", f"NAME={NAME}").code == 0
    every = make(centre, "check")
    assert every.code != 0
    assert f"{NAME}: no findings" in every.out
    assert "BAD-1: 1 error" in every.out
    unknown = make(centre, "check", "NAME=NOBODY-1")
    assert unknown.code != 0
    assert "there is no submission" in unknown.err


def test_the_hook(centre: Centre) -> None:
    (centre.root / "notes.txt").write_text("x", "utf-8")
    centre.git("add", "--all")
    centre.git("commit", "--quiet", "-m", "clean")
    centre.write(MANIFEST.replace("purpose", "porpoise"))
    centre.git("add", "--all")
    refused = subprocess.run(
        ["git", "commit", "-m", "broken"],
        cwd=centre.root,
        env=centre.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    ran = examined(Ran(refused.returncode, refused.stdout, refused.stderr))
    assert ran.code == 1
    assert "did you mean 'purpose'?" in ran.told
    assert "broken" not in centre.git("log", "--format=%s")
