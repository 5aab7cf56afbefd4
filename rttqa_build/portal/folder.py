"""Hand-over to a folder or a mounted share: copied, synced, read back, renamed into place.

Whoever watches the folder never sees half a file: a copy bears a hidden temporary name until its digest,
read back from the folder, equals the package's.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from rttqa_build import disk
from rttqa_build.codes import CATALOGUE
from rttqa_build.diagnostic import RttqaError
from rttqa_build.receipt import Outcome, OutcomeKind

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK = 1 << 20
_SPARE = 1 << 20  # bytes to leave free: folder entries, and other people's small files


@dataclass(frozen=True, slots=True)
class FolderPortal:
    """A folder as a portal. ``path`` is absolute; ``make``: the folder is made when it is missing."""

    path: Path
    make: bool = False

    @property
    def host(self) -> str:
        """Return ``folder``: the path may name a share and stays out of the receipt."""
        return "folder"

    @property
    def local(self) -> bool:
        """Return True: what a folder holds has not left the hospital's own storage."""
        return True

    def preflight(self, need: int) -> None:
        """Check that the folder is there, takes files, and has room for ``need`` bytes."""
        if not self.path.is_dir() and not (self.make and self._made()):
            raise _unusable("U012", "the portal's folder does not exist, or is not connected")
        if not self._writable():
            raise _unusable("U013", "the portal's folder cannot be written to")
        if not self._has_room(need):
            raise _unusable("U014", "the portal's folder has not enough free space for the packages")

    def _made(self) -> bool:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError:
            return False
        return True

    def _writable(self) -> bool:
        probe = self.path / f".rttqa-build.{os.getpid()}.part"
        try:
            probe.write_bytes(b"")
            probe.unlink()
        except OSError:
            return False
        return True

    def _has_room(self, need: int) -> bool:
        try:
            return shutil.disk_usage(self.path).free >= need + _SPARE
        except OSError:  # some shares don't tell: the copy will
            return True

    def put(self, handle: BinaryIO, name: str, size: int, sha256: str) -> Outcome:
        """Copy, sync, read back, compare, rename. See :class:`~rttqa_build.portal.contract.Portal`."""
        target, temporary = self.path / name, self.path / f".{name}.part"
        try:
            if target.exists():
                return _refused("a file of this name is already there")
            try:
                return _hand_over(handle, temporary, target, (size, sha256))
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            if target.exists():
                return Outcome(
                    OutcomeKind.UNKNOWN, facts={"reason": "the folder failed while the file was named"}
                )
            return _refused(disk.failure(error, "the portal's folder").message)


def _hand_over(handle: BinaryIO, temporary: Path, target: Path, expected: tuple[int, str]) -> Outcome:
    with temporary.open("wb") as out:
        sent = _copy(handle, out)
        out.flush()
        os.fsync(out.fileno())
    if sent != expected:
        return _refused("the package changed while it was read")
    with temporary.open("rb") as back:
        size, echo = _copy(back, None)
    if (size, echo) != expected:
        return _refused("the copy read back from the folder differs from the package", echo)
    temporary.rename(target)
    disk.sync_folder(target.parent)
    return Outcome(OutcomeKind.VERIFIED, echo)


def _copy(handle: BinaryIO, out: BinaryIO | None) -> tuple[int, str]:
    """Return size and SHA-256 of everything from the start of ``handle``; write it to ``out`` too."""
    digest, size = hashlib.sha256(), 0
    handle.seek(0)
    while chunk := handle.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if out is not None:
            out.write(chunk)
    return size, digest.hexdigest()


def _unusable(code: str, message: str) -> RttqaError:
    return RttqaError(message, CATALOGUE[code].mend, code=code)


def _refused(reason: str, echo: str = "") -> Outcome:
    return Outcome(OutcomeKind.REFUSED, echo, {"reason": reason})
