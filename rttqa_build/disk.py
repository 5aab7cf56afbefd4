"""Reading with a bound and writing whole: the file operations that every layer above shares.

A file is written under a temporary name beside its target, synced, and renamed into place, so that a killed
process or a full disk never leaves half a file under the real name. Failures become
:class:`~rttqa_build.diagnostic.RttqaError` with a message that names only what the caller calls the file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import RttqaError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = 1 << 16
_READING = os.O_RDONLY | getattr(os, "O_BINARY", 0)  # on Windows without changing line ends
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)  # without waiting for the other end of a pipe
_LOOK = 0.05  # seconds between looks at a lock that another process holds
# what a lock that another process holds answers: on Windows it is access denied, or a deadlock avoided
_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}
_SPECIAL = ("it is no ordinary file, but a pipe, a socket or a device", "put a file there, or take it away")
_HINTS = {
    errno.ENOSPC: ("the disk is full", "free some space, then run the same command again"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, then run the same command again"),
    errno.EFBIG: ("the disk does not take files of this size", "use a disk without that limit"),
    errno.EROFS: ("the disk is read-only", "choose a folder that can be written to"),
    errno.EACCES: ("access was denied", "check the permissions, and that no other program has it open"),
    errno.EPERM: ("access was denied", "check the permissions, and that no other program has it open"),
    errno.ENOENT: ("it is not there", "check the path, and that the drive or share is connected"),
    errno.ENOTDIR: ("a part of its path is not a folder", "check the path"),
    errno.EISDIR: ("it is a folder", "give the path of a file"),
    errno.ENXIO: _SPECIAL,
    errno.ENODEV: _SPECIAL,
    errno.EOPNOTSUPP: _SPECIAL,
    errno.ELOOP: ("it is a link that leads in a circle", "put the file itself there"),
    errno.ENAMETOOLONG: ("the path is too long", "use a shorter folder name"),
}


# Windows renames nothing over a file that a virus scanner or an editor holds at this moment: seconds to wait
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8) if os.name == "nt" else ()
# names that belong to devices there, whatever their ending and case
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "123456789")}
)


def is_portable(name: str) -> bool:
    """Return whether a file or folder can have this name on every operating system, Windows above all."""
    stem = name.partition(".")[0].rstrip(" ").casefold()
    return stem not in _DEVICES and name == name.rstrip(". ") and not set(name) & set('<>:"/\\|?*')


def failure(error: OSError, what: str) -> RttqaError:
    """Return the operational error for ``error``; ``what`` names the file without giving anything away."""
    reason, hint = _HINTS.get(
        error.errno or 0,
        ("the operating system reported an error", "check the drive or share, then run the command again"),
    )
    return RttqaError(f"{what}: {reason}", hint)


def head(path: Path, size: int, what: str) -> bytes:
    """Return the first ``size`` bytes of a file, or all of it. Raises RttqaError when it cannot be read."""
    try:
        return unbuffered(path, size)
    except OSError as error:
        raise failure(error, what) from None


def unbuffered(path: Path, size: int) -> bytes:
    """Return the first ``size`` bytes of a file, or all that it holds by now.

    In as few calls as can be: at each of them another thread may take the interpreter away. Raises OSError,
    also for what is no regular file nor a link to one: a pipe would be waited for, a device might never end.
    """
    try:
        descriptor = os.open(path, _READING | _AT_ONCE)
    except BlockingIOError:  # a file server lends it to somebody, and takes it back for those who wait
        descriptor = os.open(path, _READING)
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EISDIR if stat.S_ISDIR(facts.st_mode) else errno.ENXIO, "no regular file")
        # room is made for what is there: a generous limit must not claim that much memory
        size = min(size, facts.st_size or _BLOCK)
        data = os.read(descriptor, size)
        while len(data) < size and (more := os.read(descriptor, size - len(data))):
            data += more
    finally:
        os.close(descriptor)
    return data


def read(path: Path, limit: int, what: str) -> bytes:
    """Return the content of a file of at most ``limit`` bytes.

    Raises RttqaError when it cannot be read or is larger; ``what`` names it in the message.
    """
    data = head(path, limit + 1, what)
    if len(data) > limit:
        raise RttqaError(f"{what}: larger than {_size(limit)}", "check that it is the right file")
    return data


def _size(limit: int) -> str:
    return f"{limit >> 20} MiB" if limit >> 20 and limit % (1 << 20) == 0 else f"{limit} bytes"


def write(path: Path, data: bytes) -> None:
    """Write ``data`` so that ``path`` holds either its old content or all of the new, whatever happens.

    Missing parent folders are made. Raises RttqaError (disk full, no permission, …); the old file stays.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as handle:
                handle.write(data)
                handle.flush()
                os.fsync(handle.fileno())
            _rename(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise failure(error, path.name) from None


def _rename(source: Path, target: Path) -> None:
    """Rename a file over another, more than once where it may be held for a moment."""
    for pause in _PAUSES:
        try:
            source.replace(target)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    source.replace(target)


def remove(path: Path) -> None:
    """Remove a file if it is there. Raises RttqaError when it stays."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise failure(error, path.name) from None


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` durable, where the operating system can (not on Windows or some shares)."""
    if os.name == "nt":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        return
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def exclusive(path: Path, what: str, patience: float = 0.0) -> Iterator[bool]:
    """Hold a lock on the empty file ``path`` while the block runs; give False when another run holds it.

    ``patience``: how many seconds to wait for that run.

    The operating system frees it when the process ends, however it ends; the file stays, because removing it
    would let two runs lock two files of one name. Where a share knows no locks there is none, and it gives
    True. Raises RttqaError when the file cannot be made; ``what`` names it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise failure(error, what) from None
    held = False
    until = time.monotonic() + patience
    try:
        while not (held := _locked(descriptor)) and time.monotonic() < until:
            time.sleep(_LOOK)
        yield held
    finally:
        if held:
            _unlock(descriptor)
        os.close(descriptor)


def _unlock(descriptor: int) -> None:
    """Free the lock for certain: a child that is about to start may still hold a copy of the descriptor."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _locked(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _HELD
    return True
