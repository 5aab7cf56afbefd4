from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from git_builder import git, git_environ

from rttqa_build import keyfile
from rttqa_build.diagnostic import UsageError
from rttqa_build.pseudonym import CentreKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEY = CentreKey(bytes(range(32)))
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")


def test_a_key_is_written_and_read_back(tmp_path: Path) -> None:
    keyfile.create(tmp_path / "deep" / "key", KEY)
    read = keyfile.read(tmp_path / "deep" / "key", access="owner", fingerprint=KEY.fingerprint)
    assert read.fingerprint == KEY.fingerprint == "f40f69391a7fb4d2"


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    keyfile.create(tmp_path / "key", KEY)
    with pytest.raises(UsageError, match="never overwritten"):
        keyfile.create(tmp_path / "key", CentreKey(bytes(32)))
    assert (tmp_path / "key").read_text("ascii").startswith("rttqa-key-1:00010203")


SPOILT: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "damaged": lambda path: path.write_text(path.read_text("ascii").replace("0001", "0002"), "ascii"),
    "cut": lambda path: path.write_text(path.read_text("ascii")[:40], "ascii"),
    "empty": lambda path: path.write_bytes(b""),
    "binary": lambda path: path.write_bytes(bytes(range(256))),
    "a folder": lambda path: path.rename(path.with_name("moved")).with_name("key").mkdir(),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_key_that_cannot_be_used_is_told_without_its_text(how: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    keyfile.create(path, KEY)
    SPOILT[how](path)
    with pytest.raises(UsageError) as caught:
        keyfile.read(path, access="owner")
    assert (caught.value.code, caught.value.exit_code) == ("A001", 2)
    assert caught.value.hint
    assert "0001" not in str(caught.value) + caught.value.hint


def test_another_key_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    keyfile.create(tmp_path / "key", KEY)
    with pytest.raises(UsageError, match="fingerprint"):
        keyfile.read(tmp_path / "key", access="owner", fingerprint="0" * 16)


@posix
@pytest.mark.parametrize(
    ("mode", "access", "allowed"),
    [
        (0o600, "owner", True),
        (0o640, "owner", False),
        (0o604, "owner", False),
        (0o640, "group", True),
        (0o644, "group", False),
    ],
)
def test_a_key_that_others_can_read_is_refused(
    mode: int, access: str, tmp_path: Path, *, allowed: bool
) -> None:
    keyfile.create(tmp_path / "key", KEY)
    (tmp_path / "key").chmod(mode)
    if allowed:
        keyfile.read(tmp_path / "key", access=access)
        return
    with pytest.raises(UsageError, match="others"):
        keyfile.read(tmp_path / "key", access=access)


def test_a_key_inside_a_git_repository_is_refused(tmp_path: Path) -> None:
    environ = git_environ(tmp_path / "home")
    (tmp_path / "work").mkdir()
    git(tmp_path / "work", environ, "init", "--quiet")
    with pytest.raises(UsageError, match="Git"):
        keyfile.create(tmp_path / "work" / "key", KEY)
