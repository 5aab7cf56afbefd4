"""The centre's key file: made once, never overwritten, refused where others could take it."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from rttqa_build import disk
from rttqa_build.diagnostic import UsageError
from rttqa_build.pseudonym import CentreKey
from rttqa_build.repository import inside_work_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST = 4096
_OTHERS = stat.S_IRWXO
_GROUP = stat.S_IRWXG


def read(path: Path, *, access: str, fingerprint: str = "") -> CentreKey:
    """Return the key in a file; raise UsageError when it is missing, damaged, exposed or another one.

    ``access``: ``owner``, or ``group`` for a key on a controlled share. ``fingerprint``: the pinned one, or
    empty. Modes are checked where the operating system has them.
    """
    if not path.is_file():
        hint = "make one with `rttqa-build key new`, or restore the centre's key from its backup"
        raise UsageError("there is no key file where the settings say", hint, code="A001")
    _refuse_work_tree(path)
    _refuse_exposed(path, access)
    key = CentreKey.parse(disk.read(path, LARGEST, "the key file").decode("ascii", "replace"))
    if fingerprint and key.fingerprint != fingerprint:
        raise UsageError(
            "the key is not the one that rttqa.yaml names: its fingerprint differs",
            "use the centre's key; another one would give the same patient other pseudonyms",
            code="A001",
        )
    return key


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


def _refuse_exposed(path: Path, access: str) -> None:
    if os.name == "nt":
        return
    mode = path.stat().st_mode
    forbidden = _OTHERS if access == "group" else _OTHERS | _GROUP
    if mode & forbidden:
        raise UsageError(
            "the key file can be read by others",
            "take their rights away: chmod 600, or 640 with `key_access: group`",
            code="A001",
        )
