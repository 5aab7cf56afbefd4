from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from rttqa_build import disk
from rttqa_build.diagnostic import RttqaError


def test_write_makes_folders_and_leaves_only_the_file(tmp_path: Path) -> None:
    target = tmp_path / "with space" / "file.yaml"
    disk.write(target, b"one")
    disk.write(target, b"two")
    assert target.read_bytes() == b"two"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("number", "word"), [(errno.ENOSPC, "full"), (errno.EDQUOT, "quota"), (errno.EACCES, "denied")]
)
def test_a_failed_write_keeps_the_old_file(
    call: str, number: int, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "file.yaml"
    target.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(number, "secret of the system", "/secret/path")

    owner: object = os if call == "fsync" else Path
    monkeypatch.setattr(owner, call, fail)
    with pytest.raises(RttqaError) as caught:
        disk.write(target, b"new")
    assert caught.value.exit_code == 3
    assert word in caught.value.message
    assert "secret" not in caught.value.message
    assert caught.value.hint
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_write_below_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RttqaError):
        disk.write(tmp_path / "file" / "below", b"")


def test_read_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert disk.read(path, 5, "the file") == b"12345"
    with pytest.raises(RttqaError, match="the file: larger than 4 bytes"):
        disk.read(path, 4, "the file")


@pytest.mark.parametrize(("name", "word"), [("missing", "not there"), (".", "")])
def test_what_cannot_be_read_is_named_by_the_caller(name: str, word: str, tmp_path: Path) -> None:
    with pytest.raises(RttqaError) as caught:
        disk.read(tmp_path / name, 5, "the lock")
    assert caught.value.message.startswith("the lock: ")
    assert word in caught.value.message
    assert str(tmp_path) not in caught.value.message


def test_remove(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    disk.remove(tmp_path / "file")
    disk.remove(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "folder").mkdir()
    with pytest.raises(RttqaError, match="folder"):
        disk.remove(tmp_path / "folder")


def test_an_unlisted_error_has_words_too() -> None:
    error = disk.failure(OSError(errno.EIO, "x", "/secret"), "the lock")
    assert "operating system" in error.message
    assert "secret" not in error.message
