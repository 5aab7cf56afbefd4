"""Hand-over to a folder or a mounted share: copied, synced, read back, renamed into place.

Whoever watches the folder never sees half a file: a copy bears a hidden temporary name until its digest,
read back from the folder, equals the package's.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from rttqa_build import disk
from rttqa_build.codes import CATALOGUE
from rttqa_build.diagnostic import RttqaError
from rttqa_build.portal.answers import refused
from rttqa_build.portal.contract import Cause
from rttqa_build.records.receipt import Outcome, OutcomeKind

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "folder"  # what the receipt calls every portal of this kind
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
        return FOLDER

    @property
    def local(self) -> bool:
        """Return True: what a folder holds has not left the hospital's own storage."""
        return True

    def preflight(self, need: int) -> None:
        """Check that the folder is there, takes files, and has room for ``need`` bytes."""
        if not self._found() and not (self.make and self._made()):
            raise _unusable("U012", "the portal's folder does not exist, or is not connected")
        if not self._writable():
            raise _unusable("U013", "the portal's folder cannot be written to")
        if not self._has_room(need):
            raise _unusable("U014", "the portal's folder has not enough free space for the packages")

    def _found(self) -> bool:
        try:
            return self.path.is_dir()
        except OSError:
            return False

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
                return _there(target, (size, sha256))
            self._sweep(name, sha256)
            with temporary.open("xb") as out:
                return _hand_over(handle, out, target, (size, sha256))
        except FileExistsError:
            return _refused("another run is copying this package, or left a hidden file that is in the way")
        except OSError as error:
            return _refused(disk.failure(error, "the portal's folder").message)

    def _sweep(self, name: str, sha256: str) -> None:
        """Remove what killed runs left of this package: each try has another name."""
        stem = name.partition(sha256[:12])[0]
        for left in self.path.glob(f".{glob.escape(stem)}{sha256[:12]}*.part"):
            if left.name != f".{name}.part":
                left.unlink(missing_ok=True)


def _hand_over(handle: BinaryIO, out: BinaryIO, target: Path, expected: tuple[int, str]) -> Outcome:
    temporary = target.with_name(f".{target.name}.part")
    try:
        refusal = _copied(handle, out, temporary, expected)
        return refusal or _named(temporary, target, expected[1])
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _copied(handle: BinaryIO, out: BinaryIO, temporary: Path, expected: tuple[int, str]) -> Outcome | None:
    """Copy, sync, and read back; return why the copy must not be given its name, None when it may."""
    try:
        with out:
            sent = _copy(handle, out)
            out.flush()
            os.fsync(out.fileno())
        if sent != expected:
            return _refused("the package changed while it was read")
        with temporary.open("rb") as back:
            size, echo = _copy(back, None)
    except KeyboardInterrupt:
        return refused(Cause.INTERRUPTED)
    return (
        None
        if (size, echo) == expected
        else _refused("the copy read back from the folder differs from the package", echo)
    )


def _named(temporary: Path, target: Path, echo: str) -> Outcome:
    """Give the copy its name. A folder that fails then may have it under either, or not tell."""
    try:
        temporary.rename(target)
    except OSError as error:
        if _still(temporary, target):
            return _refused(disk.failure(error, "the portal's folder").message)
        return Outcome(OutcomeKind.UNKNOWN, facts={"reason": "the folder failed while the file was named"})
    disk.sync_folder(target.parent)
    return Outcome(OutcomeKind.VERIFIED, echo)


def _still(temporary: Path, target: Path) -> bool:
    """Return whether the folder says for certain that the copy has its temporary name only."""
    try:
        return temporary.exists() and not target.exists()
    except OSError:
        return False


def _there(target: Path, expected: tuple[int, str]) -> Outcome:
    """Return the outcome where a file of this name is there already: it may be this very package."""
    with target.open("rb") as back:
        found = _copy(back, None)
    if found != expected:
        return _refused("another file of this name is already there")
    return Outcome(OutcomeKind.VERIFIED, found[1], {"reason": "the package lay there already"})


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
