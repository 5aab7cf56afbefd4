"""What can go wrong on the way to a folder or a share, as cases to run: a table of docs/portal.md."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from unittest.mock import patch

from portal_faults import KILL, RENAMING, Case, Setting, full_disk, killed

from rttqa_build.portal import folder
from rttqa_build.records import ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from cli_centre import Centre, Ran

    from rttqa_build.records.receipt import Receipt

Within: TypeAlias = "Callable[[Bench], AbstractContextManager[Setting]]"


class Lying(NamedTuple):
    """A file in the folder."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Folder:
    """The folder, as its watcher sees it."""

    path: Path

    @property
    def files(self) -> list[Lying]:
        """The packages that lie there; hidden leftovers of killed runs are none, nor are other files."""
        seen = (path for path in sorted(self.path.glob("[!.]*.zip")) if zipfile.is_zipfile(path))
        return [Lying(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in seen]

    def wait(self, seconds: float) -> None:
        """Nothing is under way."""


@dataclass(frozen=True)
class Shelved:
    """A centre whose portal is a folder."""

    centre: Centre

    @property
    def path(self) -> Path:
        """The folder."""
        return self.centre.data / "portal"

    @property
    def server(self) -> Folder:
        """What holds the files."""
        return Folder(self.path)

    @property
    def environ(self) -> dict[str, str]:
        """Nothing: the settings say it all."""
        return {}

    def submit(self, *arguments: str, **environ: str) -> Ran:
        """Run ``submit`` within this process."""
        return self.centre.call("submit", *arguments, **environ)

    @property
    def receipt(self) -> Receipt:
        """The receipt on disk."""
        kept = ledger.read(self.centre.submission / "receipt.yaml")
        assert kept is not None
        return kept

    @property
    def known(self) -> Path:
        """A file of trusted hosts, which no folder needs."""
        return self.centre.data / "rttqa-portals.yaml"


class Bench(NamedTuple):
    """What a case is run with."""

    wired: Shelved


# --- arranging ---------------------------------------------------------------------------------------------


def without(share: Path) -> None:
    """Take a share away."""
    share.rename(share.with_name("not connected"))


def connected(share: Path) -> None:
    """Bring it back."""
    away = share.with_name("not connected")
    if away.exists():
        shutil.rmtree(share, ignore_errors=True)
        away.rename(share)


@contextmanager
def vanished(bench: Bench) -> Iterator[Setting]:
    """Have the share not connected."""
    without(bench.wired.path)
    yield {}
    connected(bench.wired.path)


@contextmanager
def replaced_by_a_file(bench: Bench) -> Iterator[Setting]:
    """Have a file in the place of the folder."""
    without(bench.wired.path)
    bench.wired.path.write_bytes(b"")
    yield {}
    bench.wired.path.unlink()
    connected(bench.wired.path)


def failing(method: str, suffix: str, number: int, *, gone: bool = False) -> Within:
    """Return what has a method of Path fail for files of the folder, with the folder gone from then on."""

    @contextmanager
    def within(bench: Bench) -> Iterator[Setting]:
        inner, share = getattr(Path, method), bench.wired.path

        def fail(self: Path, *arguments: object, **named: object) -> object:
            if share not in (self, self.parent) or not self.name.endswith(suffix):
                return inner(self, *arguments, **named)
            if gone:
                without(share)
            raise OSError(number, os.strerror(number))

        with patch.object(Path, method, fail):
            yield {}
        connected(share)

    return within


def syncing(number: int, *, gone: bool = False) -> Within:
    """Return what has the folder fail when the copy is synced."""

    @contextmanager
    def within(bench: Bench) -> Iterator[Setting]:
        inner, share = os.fsync, bench.wired.path

        def fail(descriptor: int) -> None:
            if not any(share.glob(".*.part")):
                return inner(descriptor)
            if gone:
                without(share)
            raise OSError(number, os.strerror(number))

        with patch.object(os, "fsync", fail):
            yield {}
        connected(share)

    return within


@contextmanager
def without_room(_: Bench) -> Iterator[Setting]:
    """Have no space left before anything is copied."""

    class Usage(NamedTuple):
        free: int = 1000

    with patch.object(shutil, "disk_usage", lambda _: Usage()):
        yield {}


@contextmanager
def damaging(bench: Bench) -> Iterator[Setting]:
    """Have the folder give other bytes than were written."""
    inner, share = os.fsync, bench.wired.path

    def damage(descriptor: int) -> None:
        inner(descriptor)
        for part in share.glob(".*.part"):
            part.write_bytes(b"?" + part.read_bytes()[1:])

    with patch.object(os, "fsync", damage):
        yield {}


def lying_there(name: str, content: Callable[[bytes], bytes]) -> Within:
    """Return what puts a file there before: its name and content are made from the package's."""

    @contextmanager
    def within(bench: Bench) -> Iterator[Setting]:
        (package,) = bench.wired.centre.built.glob("*.zip")
        data = package.read_bytes()
        remote = f"{package.stem}_{hashlib.sha256(data).hexdigest()[:12]}.zip"
        (bench.wired.path / name.format(remote)).write_bytes(content(data))
        yield {}

    return within


def named_and_then(stop: BaseException) -> Within:
    """Return what has the renaming done, and its answer lost, or Ctrl-C pressed."""

    @contextmanager
    def within(bench: Bench) -> Iterator[Setting]:
        inner, share = Path.rename, bench.wired.path

        def late(self: Path, target: Path) -> Path:
            made = inner(self, target)
            if self.parent == share:
                raise stop
            return made

        with patch.object(Path, "rename", late):
            yield {}

    return within


@contextmanager
def stopped_in_mid_copy(bench: Bench) -> Iterator[Setting]:
    """Press Ctrl-C while the package is copied."""
    inner = folder._copy

    def stop(*_: object) -> tuple[int, str]:
        raise KeyboardInterrupt

    assert inner is not stop
    with patch.object(folder, "_copy", stop):
        yield {}


MID_COPY = """
from rttqa_build.portal import folder
folder._CHUNK = 1 << 12
inner = folder._copy
class Handle:
    def __init__(self, handle):
        self.handle, self.count = handle, 0
    def seek(self, to):
        return self.handle.seek(to)
    def read(self, size):
        self.count += 1
        if self.count > 3:
            {kill}
        return self.handle.read(size)
folder._copy = lambda handle, out: inner(Handle(handle), out)
"""

CASES: tuple[Case[Bench], ...] = (
    Case("nothing: the way it should be"),
    # before anything is copied
    Case("the folder is not there, or the share not connected", vanished),
    Case("a file lies in the place of the folder", replaced_by_a_file),
    Case("the folder cannot be looked into", failing("is_dir", "portal", errno.EACCES)),
    Case("the folder takes no files", failing("write_bytes", ".part", errno.EACCES)),
    Case("the share is read-only", failing("write_bytes", ".part", errno.EROFS)),
    Case("there is not enough room", without_room),
    # while it is copied
    Case("the folder takes no file of this name", failing("open", ".zip.part", errno.EACCES)),
    Case("the disk fills while it is copied", syncing(errno.ENOSPC)),
    Case("the quota is used up while it is copied", syncing(errno.EDQUOT)),
    Case("the network fails while it is copied", syncing(errno.EIO)),
    Case("the share vanishes while it is copied", syncing(errno.EIO, gone=True)),
    Case("what is read back is not what was written", damaging),
    Case("Ctrl-C while it is copied", stopped_in_mid_copy),
    # what lies there
    Case("another file of this name lies there", lying_there("{}", lambda _: b"another")),
    Case("this very package lies there under its name", lying_there("{}", lambda data: data)),
    Case("a hidden copy is in the way", lying_there(".{}.part", lambda data: data[:1000])),
    # while it gets its name
    Case("the copy may not be renamed", failing("rename", ".part", errno.EACCES)),
    Case("the share vanishes before the copy has its name", failing("rename", ".part", errno.EIO, gone=True)),
    Case("the network fails when the copy has its name", named_and_then(OSError(errno.EIO, "lost"))),
    Case("Ctrl-C when the copy has its name", named_and_then(KeyboardInterrupt())),
    # this computer
    Case("the disk is full when the attempt is noted", full_disk("receipt.yaml", 1)),
    Case("the disk is full when the outcome is noted", full_disk("receipt.yaml", 2)),
    Case("killed while the attempt is noted", killed=RENAMING.format(number=1, kill=KILL)),
    killed("when the attempt is noted, before the copy", "portal.folder", "_hand_over"),
    Case("killed while it is copied", killed=MID_COPY.format(kill=KILL)),
    killed("when it is copied, before it is read back", "portal.folder", "_copy", after=1),
    killed("when it is read back, before it has its name", "portal.folder", "_named"),
    killed("when it has its name, before the outcome is noted", "portal.folder", "_named", later=True),
    Case("killed while the outcome is noted", killed=RENAMING.format(number=2, kill=KILL)),
    killed("when the outcome is noted, before the email", "submit.pipeline", "finish"),
)
