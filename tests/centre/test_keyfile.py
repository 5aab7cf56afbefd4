from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest
from git_builder import git, git_environ

from rttqa_build.centre import keyfile
from rttqa_build.diagnostic import RttqaError, UsageError
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


# how a key file is spoilt → what is said of it
SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: path.unlink(), "there is no key file"),
    "damaged": (lambda p: p.write_text(p.read_text("ascii").replace("0001", "0002"), "ascii"), "is damaged"),
    "cut": (lambda path: path.write_text(path.read_text("ascii")[:40], "ascii"), "does not hold a key"),
    "twice": (lambda path: path.write_text(path.read_text("ascii") * 2, "ascii"), "does not hold a key"),
    "empty": (lambda path: path.write_bytes(b""), "the key file is empty"),
    "blank": (lambda path: path.write_bytes(b"\xef\xbb\xbf\r\n"), "the key file is empty"),
    "only zeros": (lambda path: path.write_bytes(bytes(85)), "the key file is empty"),
    "binary": (lambda path: path.write_bytes(bytes(range(256))), "does not hold a key"),
    "UTF-16": (lambda p: p.write_bytes(p.read_text("ascii").encode("utf-16")), "saved as UTF-16"),
    "a folder": (lambda path: path.rename(path.with_name("moved")).with_name("key").mkdir(), "is a folder"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_key_that_cannot_be_used_is_told_without_its_text(how: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    keyfile.create(path, KEY)
    spoil, told = SPOILT[how]
    spoil(path)
    with pytest.raises(UsageError, match=told) as caught:
        keyfile.read(path, access="owner")
    assert (caught.value.code, caught.value.exit_code) == ("A001", 2)
    assert caught.value.hint
    assert "0001" not in str(caught.value) + caught.value.hint


@posix
def test_what_is_no_file_is_told_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key", 0o600)
    with pytest.raises(UsageError, match="is a pipe"):
        keyfile.read(tmp_path / "key", access="owner")
    (tmp_path / "link").symlink_to(tmp_path / "unplugged")
    with pytest.raises(UsageError, match="a link to a file that is not there"):
        keyfile.read(tmp_path / "link", access="owner")


def test_who_had_a_key_is_not_told_to_make_another(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        keyfile.read(tmp_path / "key", access="owner", fingerprint=KEY.fingerprint)
    assert "key restore" in caught.value.hint
    assert "key new" not in caught.value.hint


def test_a_key_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "secret of the system")

    keyfile.create(tmp_path / "key", KEY)
    for owner, call in ((os, "open"), (type(tmp_path), "stat")):
        with monkeypatch.context() as patched:
            patched.setattr(owner, call, deny)
            with pytest.raises(RttqaError, match="the key file: access was denied"):
                keyfile.read(tmp_path / "key", access="owner")


@pytest.mark.parametrize("text", ["\ufeff{}\r\n", "{}\r\n", "{}", " {}\n\n"])
def test_what_an_editor_adds_is_passed_over(text: str, tmp_path: Path) -> None:
    keyfile.create(tmp_path / "key", KEY)
    (tmp_path / "key").write_bytes(text.format(KEY.to_line().strip()).encode())
    assert keyfile.read(tmp_path / "key", access="owner").fingerprint == KEY.fingerprint


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
