from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
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
    os.truncate(path, 3 << 20)
    with pytest.raises(RttqaError, match="the file: larger than 2 MiB"):
        disk.read(path, 2 << 20, "the file")
    os.truncate(path, 5)
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


HOLD = """
import sys, time
from pathlib import Path
from rttqa_build import disk
with disk.exclusive(Path(sys.argv[1]), "it") as free:
    print(free, flush=True)
    time.sleep(float(sys.argv[2]))
"""


def holding(path: Path, seconds: float) -> subprocess.Popen[str]:
    call = [sys.executable, "-c", HOLD, str(path), str(seconds)]
    return subprocess.Popen(call, stdout=subprocess.PIPE, text=True)


def test_a_lock_keeps_other_processes_away_until_its_holder_ends(tmp_path: Path) -> None:
    path = tmp_path / "not there" / "lock"
    with disk.exclusive(path, "it") as free:
        assert free
        with holding(path, 0) as second:
            assert second.stdout is not None
            assert second.stdout.read() == "False\n"
        with disk.exclusive(path, "it") as again:
            assert not again
    with holding(path, 0) as third:
        assert third.stdout is not None
        assert third.stdout.read() == "True\n"


def test_a_holder_can_be_waited_for(tmp_path: Path) -> None:
    with holding(tmp_path / "lock", 0.3) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        with disk.exclusive(tmp_path / "lock", "it", 60) as free:
            assert free


def test_a_killed_holder_leaves_the_lock_free(tmp_path: Path) -> None:
    with holding(tmp_path / "lock", 60) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        with disk.exclusive(tmp_path / "lock", "it") as free:
            assert not free
        process.kill()
        process.wait(10)
    with disk.exclusive(tmp_path / "lock", "it") as free:
        assert free


def test_a_child_does_not_inherit_a_lock(tmp_path: Path) -> None:
    with disk.exclusive(tmp_path / "lock", "it"):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    with disk.exclusive(tmp_path / "lock", "it") as free:
        assert free
    child.communicate(b"\n")


@pytest.mark.skipif(os.name == "nt", reason="the calls are POSIX's")
@pytest.mark.parametrize(
    ("number", "free"), [(errno.ENOLCK, True), (errno.EOPNOTSUPP, True), (errno.EAGAIN, False)]
)
def test_a_share_without_locks_stops_nobody(
    number: int, free: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, "no locks")

    monkeypatch.setattr("fcntl.flock", fail)
    with disk.exclusive(tmp_path / "lock", "it") as held:
        assert held is free


def test_a_lock_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(RttqaError, match="the build folder: "),
        disk.exclusive(tmp_path / "file" / "x", "the build folder"),
    ):
        pass


@pytest.mark.parametrize(("size", "expected"), [(3, b"abc"), (6, b"abcdef"), (1 << 40, b"abcdef")])
def test_a_file_is_read_as_far_as_is_asked_and_as_it_goes(tmp_path: Path, size: int, expected: bytes) -> None:
    (tmp_path / "a").write_bytes(b"abcdef")
    assert disk.unbuffered(tmp_path / "a", size) == expected


def test_what_comes_in_pieces_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"one two three")
    whole = os.read
    monkeypatch.setattr(os, "read", lambda descriptor, size: whole(descriptor, min(size, 4)))
    assert disk.unbuffered(tmp_path / "a", 100) == b"one two three"


@pytest.mark.skipif(not hasattr(os, "O_NONBLOCK"), reason="every file is waited for here")
def test_a_file_that_a_server_lends_out_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    patient = os.open

    def lent(path: Path, flags: int) -> int:
        if flags & os.O_NONBLOCK:
            raise BlockingIOError(errno.EAGAIN, "lent")
        return patient(path, flags)

    monkeypatch.setattr(os, "open", lent)
    assert disk.unbuffered(tmp_path / "a", 10) == b"abc"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "link to a pipe", "folder", "circle"])
def test_only_regular_files_are_read_and_nobody_waits(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    if kind == "socket":
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(path))
    elif kind == "folder":
        path.mkdir()
    elif kind == "circle":
        path.symlink_to(path)
    else:
        os.mkfifo(tmp_path / "pipe")
        target = Path("/dev/zero") if kind == "device" else tmp_path / "pipe"
        path.symlink_to(target)
    word = {"folder": "it is a folder", "circle": "leads in a circle"}.get(kind, "no ordinary file")
    with pytest.raises(RttqaError, match=f"the file: .*{word}") as caught:
        disk.read(path, 100, "the file")
    assert caught.value.hint
