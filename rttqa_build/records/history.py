"""``history/rN/``: what a received revision was, frozen beside the submission."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from rttqa_build import disk, lock, source
from rttqa_build.diagnostic import RttqaError
from rttqa_build.manifest import SUPPLEMENT

if TYPE_CHECKING:
    from pathlib import Path

    from rttqa_build.lock import Lock
    from rttqa_build.schema import CompiledSchema

HISTORY = "history"
FROZEN = ("manifest.yaml", "lock.yaml", "approval.yaml", "receipt.yaml")
_LIMIT = 1 << 24


def freeze(folder: Path, revision: int) -> bool:
    """Copy the files of a submission to ``history/r<revision>``; return False when it is there already.

    The folder appears whole or not at all. Raises RttqaError when the disk does not allow it.
    """
    target = folder / HISTORY / f"r{revision}"
    if target.exists():
        return False
    temporary = target.with_name(f".r{revision}.part")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        for name in FROZEN:
            if (folder / name).exists():
                disk.write(temporary / name, disk.read(folder / name, _LIMIT, name))
        temporary.rename(target)
        disk.sync_folder(target.parent)
    except OSError as error:
        raise disk.failure(error, f"history/r{revision}") from None
    return True


def revisions(folder: Path) -> tuple[int, ...]:
    """Return the revisions that are frozen below ``history/``, in ascending order."""
    names = (path.name.removeprefix("r") for path in (folder / HISTORY).glob("r*"))
    return tuple(sorted(int(name) for name in names if name.isdecimal()))


def standing(folder: Path, revision: int, schema: CompiledSchema, *, after: int = 0) -> Lock | None:
    """Return what stands of all that was received up to ``revision``, as one lock; None for nothing.

    A replacement stands instead of what was received before it, a supplement beside it; what came no later
    than ``after`` counts for nothing. Raises RttqaError when a lock is damaged.
    """
    stands: Lock | None = None
    for number in (one for one in revisions(folder) if after < one <= revision):
        later = lock_of(folder, number, schema)
        if stands is not None and later is not None:
            later = lock.together(stands, later, beside=_is_supplement(folder, number))
        stands = later
    return stands


def _is_supplement(folder: Path, revision: int) -> bool:
    name = f"{HISTORY}/r{revision}/manifest.yaml"
    try:
        document, _ = source.parse(disk.read(folder / name, _LIMIT, name), name)
    except RttqaError:
        return False
    return document is not None and (("submission", "kind"), SUPPLEMENT) in document.texts()


def lock_of(folder: Path, revision: int, schema: CompiledSchema) -> Lock | None:
    """Return the lock of the latest received revision up to ``revision``; None when there is none.

    Raises RttqaError when that lock is damaged: references to what was sent would get other UIDs.
    """
    numbers = sorted(
        int(path.parent.name.removeprefix("r"))
        for path in (folder / HISTORY).glob("r*/lock.yaml")
        if path.parent.name.removeprefix("r").isdecimal()
    )
    latest = max((number for number in numbers if number <= revision), default=None)
    if latest is None:
        return None
    shown = f"{HISTORY}/r{latest}/lock.yaml"
    document, found = source.parse(disk.read(folder / shown, _LIMIT, shown), shown)
    if document is not None:
        document, more = schema.validate(document)
        found = (*found, *more)
    if document is None or found:
        raise RttqaError(f"{shown} is damaged", f"bring it back with `git restore {shown}` in its folder")
    return lock.from_document(document)
