"""Two terminals, two clones: nothing is built on top of itself, nothing is sent twice without a word."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cli_centre import NAME, Ran, examined, snapshot

from rttqa_build.portal.folder import FolderPortal
from rttqa_build.records.receipt import Outcome, OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli_centre import Centre

# Each stops the program at a point and waits there until a file appears.
WAIT = """
import time
from pathlib import Path
def wait():
    Path({here!r}).touch()
    for _ in range(600):
        if Path({go!r}).exists():
            return
        time.sleep(0.05)
"""
WHILE_PACKING = """
from rttqa_build.stages import packing
inner = packing.verify
def verify(*given, **named):
    wait()
    return inner(*given, **named)
packing.verify = verify
"""
WHILE_SENDING = """
from rttqa_build.portal.folder import FolderPortal
inner = FolderPortal.put
def put(*given, **named):
    wait()
    return inner(*given, **named)
FolderPortal.put = put
"""


class Waiting:
    """A run of the program that waits at a point."""

    def __init__(self, centre: Centre, point: str, verb: str, place: Path) -> None:
        self._here, self._go = place / "here", place / "go"
        code = WAIT.format(here=str(self._here), go=str(self._go)) + point
        script = f"{code}\nfrom rttqa_build.cli import main\nmain()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, verb],
            cwd=centre.root,
            env=centre.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(600):
            if self._here.exists():
                return
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.05)
        raise AssertionError("it never came to that point")

    def end(self) -> Ran:
        """Let it go on, and return how it ended."""
        self._go.touch()
        out, err = self.process.communicate(timeout=60)
        return examined(Ran(self.process.returncode, out, err))

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        self.process.kill()
        self.process.communicate(timeout=60)


@contextlib.contextmanager
def waiting(centre: Centre, point: str, verb: str, place: Path) -> Iterator[Waiting]:
    run = Waiting(centre, point, verb, place)
    try:
        yield run
    finally:
        run.kill()


def clone(centre: Centre) -> Centre:
    """Return a colleague's clone of the repository, beside it: the same data, key and portal."""
    other = replace(centre, root=centre.root.with_name("a clone"))
    centre.git("clone", "--quiet", str(centre.root), str(other.root))
    return other


def portal(centre: Centre) -> list[str]:
    return sorted(path.name for path in (centre.data / "portal").iterdir())


def refused(ran: Ran) -> None:
    assert ran.code == 2, ran.told
    assert NAME in ran.err
    assert "hint: wait until it" in ran.err


# --- two terminals ---


def test_a_build_keeps_other_runs_away(packed: Centre, tmp_path: Path) -> None:
    with waiting(packed, WHILE_PACKING, "build", tmp_path) as first:
        before = snapshot(packed.submission, packed.built, packed.data)
        for verb in (("build",), ("build", "--locked"), ("submit",), ("submit", "--dry-run")):
            refused(packed.call(*verb))
            assert snapshot(packed.submission, packed.built, packed.data) == before
        assert first.end().code == 0
    assert packed.call("build", "--locked").code == 0


def test_a_killed_build_keeps_nobody_away(centre: Centre, tmp_path: Path) -> None:
    with waiting(centre, WHILE_PACKING, "build", tmp_path) as first:
        first.kill()
    assert centre.call("build").code == 0
    assert len(centre.packages) == 1


def test_others_are_built_meanwhile(centre: Centre, tmp_path: Path) -> None:
    other = centre.submission.with_name("OTHER-1")
    with waiting(centre, WHILE_PACKING, "build", tmp_path) as first:
        other.mkdir()
        text = centre.manifest.read_text("utf-8")
        (other / "manifest.yaml").write_text(text.replace(f"patient: {NAME}", "patient: OTHER-1"), "utf-8")
        ran = centre.call("build")
        assert ran.code == 2
        assert NAME in ran.err
        assert (other / "lock.yaml").exists()
        assert first.end().code == 0


def test_a_hand_over_keeps_other_runs_away(packed: Centre, tmp_path: Path) -> None:
    with waiting(packed, WHILE_SENDING, "submit", tmp_path) as first:
        before = snapshot(packed.submission, packed.data)
        for verb in (("submit",), ("build",), ("withdraw", NAME, "--reason", "wrong")):
            refused(packed.call(*verb))
            assert snapshot(packed.submission, packed.data) == before
        assert first.end().code == 0
    assert len(portal(packed)) == 1
    again = packed.call("submit")
    assert (again.code, "already received" in again.out) == (0, True)


def test_two_that_begin_together_send_once(packed: Centre) -> None:
    call = [sys.executable, "-m", "rttqa_build", "submit"]
    runs = [
        subprocess.Popen(
            call,
            cwd=packed.root,
            env=packed.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    told = [run.communicate(timeout=60)[0] for run in runs]
    assert sorted(run.returncode for run in runs) in ([0, 2], [0, 0]), told
    assert sum("received by the portal" in text for text in told) == 1, told
    assert len(portal(packed)) == 1


# --- two clones ---


def test_a_clone_with_the_same_key_waits_and_then_knows(packed: Centre, tmp_path: Path) -> None:
    other = clone(packed)
    with waiting(packed, WHILE_SENDING, "submit", tmp_path) as first:
        refused(other.call("submit"))
        assert first.end().code == 0
    before = snapshot(other.submission, other.data)
    for told in (other.call("status"), other.call("withdraw", NAME, "--reason", "wrong one")):
        assert "another clone handed this submission over" in told.told
    (row,) = other.call("status", "--format", "json").json
    assert (row["state"], row["today"], "git pull" in row["next"]) == ("handed over elsewhere", True, True)
    assert snapshot(other.submission, other.data) == before
    behind = other.call("submit")
    assert (behind.code, "error[U050]" in behind.out) == (1, True), behind.told
    packed.commit()
    ahead = other.call("submit")
    assert (ahead.code, "error[U051]" in ahead.out, "git pull" in ahead.out) == (1, True, True)
    other.git("pull", "--quiet")
    level = other.call("submit")
    assert (level.code, "already received" in level.out) == (0, True), level.told
    assert len(portal(packed)) == 1


def test_what_another_clone_withdrew_is_not_announced(received: Centre) -> None:
    (received.built / "email.eml").unlink()
    other = clone(received)
    assert other.call("withdraw", NAME, "--reason", "wrong structure set").code == 0
    ran = received.call("submit")
    assert (ran.code, "error[U050]" in ran.out) == (1, True), ran.told
    assert not (received.built / "email.eml").exists()
    assert "handed over elsewhere" in received.call("status").out


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_a_clone_knows_of_a_hand_over_that_was_killed(packed: Centre, tmp_path: Path) -> None:
    other = clone(packed)
    with waiting(packed, WHILE_SENDING, "submit", tmp_path) as first:
        first.kill()
    assert "[U050]" in other.call("submit").out
    (journal,) = (packed.data / "rttqa-receipts").glob("*.yaml")
    (other.submission / "receipt.yaml").write_bytes(journal.read_bytes())
    told = other.call("submit")
    assert (told.code, "[U020]" in told.out, "[U050]" in told.out) == (1, True, False)
    sent = other.call("submit", "--resend", "--reason", "nothing arrived")
    assert sent.code == 0, sent.told
    assert "[U050]" in packed.call("submit", "--resend", "--reason", "nothing arrived").out
    assert len(portal(packed)) == 1


def without_an_answer(patch: pytest.MonkeyPatch) -> None:
    """Let the portal take a package, and the answer be lost."""
    put = FolderPortal.put

    def taken(*given: Any, **named: Any) -> Outcome:
        put(*given, **named)
        return Outcome(OutcomeKind.UNKNOWN)

    patch.setattr(FolderPortal, "put", taken)


@pytest.mark.parametrize("word", ["--resend", "--treat-as-received"])
def test_a_word_in_one_clone_counts_in_the_other(word: str, packed: Centre) -> None:
    with pytest.MonkeyPatch.context() as patch:
        without_an_answer(patch)
        assert packed.call("submit").code == 3
    packed.commit()
    other = clone(packed)
    other.git("remote", "remove", "origin")
    assert packed.call("submit", word, "--reason", "told by phone").code == 0
    there = portal(packed)
    for mine in ("--resend", "--treat-as-received"):
        ran = other.call("submit", mine, "--reason", "told by phone")
        alike = mine == word == "--treat-as-received"
        assert ("error[U050]" not in ran.out, ran.code) == (alike, 0 if alike else 1), ran.told
    assert portal(packed) == there
    assert "error[U050]" not in packed.call("submit").out


def test_a_key_folder_that_is_read_only_is_told(packed: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda _path, mode, **_: mode != os.W_OK)
    ran = packed.call("submit")
    assert (ran.code, "warning[U053]" in ran.out) == (0, True), ran.told
    assert not (packed.data / "rttqa-receipts").exists()
