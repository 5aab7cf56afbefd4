"""The centre's key file: made once, never overwritten, refused where others could take it."""

from __future__ import annotations

import codecs
import contextlib
import os
import stat
from typing import TYPE_CHECKING

from rttqa_build import disk
from rttqa_build.centre.repository import inside_work_tree
from rttqa_build.diagnostic import UsageError
from rttqa_build.pseudonym import PUT_BACK, CentreKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST = 4096
_MAKE_ONE = "make one with `rttqa-build key new`, or restore the centre's key from its backup"
_BRING_BACK = (
    "connect the drive or share where it lies, or put it back: `rttqa-build key restore`; a new key would "
    "give every patient other pseudonyms"
)
_OTHERS = stat.S_IRWXO
_GROUP = stat.S_IRWXG


def read(path: Path, *, access: str, fingerprint: str = "") -> CentreKey:
    """Return the key in a file; raise UsageError when it is missing, damaged, exposed or another one.

    ``access``: ``owner``, or ``group`` for a key on a controlled share. ``fingerprint``: the pinned one, or
    empty. Modes are checked where the operating system has them. What an editor of Windows adds is passed
    over: a byte-order mark, another line end. Raises RttqaError when the file cannot be read.
    """
    mode = _mode(path, pinned=bool(fingerprint))
    _refuse_work_tree(path)
    _refuse_exposed(mode, access)
    data = disk.read(path, LARGEST, "the key file")
    key = CentreKey.parse(_line(data))
    if fingerprint and key.fingerprint != fingerprint:
        raise UsageError(
            "the key is not the one that rttqa.yaml names: its fingerprint differs",
            "use the centre's key; another one would give the same patient other pseudonyms",
            code="A001",
        )
    return key


def _mode(path: Path, *, pinned: bool) -> int:
    """Return the mode of the key file; raise UsageError when there is no file of that path."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            hint = "connect the drive or share that it leads to; the key itself may lie there unharmed"
            raise UsageError(
                "the key file is a link to a file that is not there", hint, code="A001"
            ) from None
        hint = _BRING_BACK if pinned else _MAKE_ONE
        raise UsageError("there is no key file where the settings say", hint, code="A001") from None
    except OSError as error:
        raise disk.failure(error, "the key file") from None
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe, a socket or a device"
        hint = "`key_file` in rttqa.yaml is the path of the file itself, for example FOLDER/centre.key"
        raise UsageError(f"where the settings say that the key file lies is {what}", hint, code="A001")
    return mode


def _line(data: bytes) -> str:
    """Return the text of a key file; raise UsageError when it holds none."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        hint = "save it as UTF-8 or ANSI, as the one line that it is; do not make a new key"
        raise UsageError("the key file was saved as UTF-16 text", hint, code="A001")
    text = data.decode("utf-8-sig", "replace").strip()
    if not text.strip("\0"):
        raise UsageError("the key file is empty", PUT_BACK, code="A001")
    return text


def create(path: Path, key: CentreKey) -> None:
    """Write a new key file that only its owner can read; raise UsageError when there is a file already."""
    if path.exists() or path.is_symlink():
        raise UsageError(
            "there is a key file already; it is never overwritten",
            "keep using it: another key would give every patient other pseudonyms",
        )
    write_secret(path, key.to_line(), "the key file")


def write_secret(path: Path, text: str, what: str) -> None:
    """Write a new file that only its owner can read; ``what`` names it in messages.

    Raises UsageError when it lies inside a Git work tree or is there already, RttqaError when the disk fails.
    """
    _refuse_work_tree(path, what)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with _removed_on_failure(path), os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
    except FileExistsError:
        raise UsageError(f"there is {what} already; nothing is overwritten", "give another name") from None
    except OSError as error:
        raise disk.failure(error, what) from None
    disk.sync_folder(path.parent)


@contextlib.contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    """Leave no half of a secret behind: neither a full disk nor a key stroke may."""
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _refuse_work_tree(path: Path, what: str = "the key file") -> None:
    if inside_work_tree(path):
        raise UsageError(
            f"{what} lies inside a Git repository",
            "keep it outside, where it cannot be committed; `key_file` in rttqa.yaml says where the key lies",
            code="A001",
        )


def _refuse_exposed(mode: int, access: str) -> None:
    if os.name == "nt":
        return
    forbidden = _OTHERS if access == "group" else _OTHERS | _GROUP
    if mode & forbidden:
        raise UsageError(
            "the key file can be read by others",
            "take their rights away: chmod 600, or 640 with `key_access: group`",
            code="A001",
        )
