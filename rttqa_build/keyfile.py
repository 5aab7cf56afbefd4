"""The centre's key file: made once, never overwritten, refused where others could take it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from rttqa_build import disk
from rttqa_build.diagnostic import UsageError
from rttqa_build.pseudonym import CentreKey
from rttqa_build.repository import inside_work_tree

if TYPE_CHECKING:
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
    _refuse_work_tree(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii", newline="\n") as handle:
            handle.write(key.to_line())
            handle.flush()
            os.fsync(handle.fileno())
    except FileExistsError:
        raise UsageError(
            "there is a key file already; it is never overwritten",
            "keep using it: another key would give every patient other pseudonyms",
        ) from None
    except OSError as error:
        raise disk.failure(error, "the key file") from None
    disk.sync_folder(path.parent)


def _refuse_work_tree(path: Path) -> None:
    if inside_work_tree(path):
        raise UsageError(
            "the key file lies inside a Git repository",
            "keep it outside, where it cannot be committed, and correct `key_file` in rttqa.yaml",
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
