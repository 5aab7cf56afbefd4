"""A source folder → the files in it; what was read of them → a :class:`Study`."""

from __future__ import annotations

import os
from itertools import groupby
from operator import attrgetter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build import disk
from rttqa_build.diagnostic import Location, UsageError, finding
from rttqa_build.study.facts import Fate, Instance, Reason, SourceFile, Study

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rttqa_build.diagnostic import Diagnostic

_LINK = "a symbolic link, which is not followed"
_SPECIAL = "not a regular file"
_PART = "a part of the source folder"
DENIED = "the operating system does not let it be read"


class Listing(NamedTuple):
    """The files to read, as POSIX paths below the folder, and the entries that are no readable files."""

    paths: tuple[str, ...]
    others: tuple[Fate, ...] = ()


def files(folder: Path) -> Listing:
    """Return every file below a source folder, sorted; links and unreadable folders are told, not followed.

    Raises:
        UsageError: the folder is missing, no folder, a link, not readable, or holds no file.
        RttqaError: a folder in it cannot be listed by a fault, not by its permissions.

    """
    _demand_folder(folder)
    found: list[str] = []
    unread: dict[str, str] = {}
    folders = [PurePosixPath()]
    while folders:
        place = folders.pop()
        try:
            entries = _entries(folder / place)
        except PermissionError:
            unread[str(place)] = DENIED
            continue
        for entry in entries:
            path = place / entry.name
            if why := _why_unread(entry):
                unread[str(path)] = why
            elif entry.is_dir():
                folders.append(path)
            else:
                found.append(str(path))
    if not found and not unread:
        raise UsageError("the source folder is empty", "export the objects into it, or give another one")
    others = (Fate(SourceFile(path, 0, ""), Reason.UNREADABLE, why) for path, why in sorted(unread.items()))
    return Listing(tuple(sorted(found)), tuple(others))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return what lies in a folder, and what each is, in one request: thousands would take long on a share.

    Raises PermissionError; RttqaError for any other fault: a share that has gone leaves nothing out.
    """
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except PermissionError:
        raise
    except OSError as error:
        raise disk.failure(error, _PART) from None


def _why_unread(entry: os.DirEntry[str]) -> str:
    """Return why an entry is not read, nothing for a file or a folder."""
    try:
        if entry.is_symlink() or getattr(entry, "is_junction", entry.is_symlink)():  # Python 3.12
            return _LINK
        return "" if entry.is_file() or entry.is_dir() else _SPECIAL
    except PermissionError:
        return DENIED
    except OSError as error:
        raise disk.failure(error, _PART) from None


def assemble(results: Iterable[Instance | Fate]) -> Study:
    """Return the study of all that was read, whatever its order; of equal files the first path is kept."""
    instances: list[Instance] = []
    others: list[Fate] = []
    for result in sorted(results, key=lambda r: (r.file.sha256, r.file.path)):
        if isinstance(result, Fate):
            others.append(result)
        elif instances and instances[-1].file.sha256 == result.file.sha256:
            others.append(Fate(result.file, Reason.DUPLICATE))
        else:
            instances.append(result)
    return Study(tuple(instances), tuple(others))


def conflicts(study: Study) -> Iterator[Diagnostic]:
    """Yield a finding for each SOP Instance UID under which the study holds different contents."""
    by_uid = sorted(study.instances, key=attrgetter("sop_uid"))
    for _uid, group in groupby(by_uid, key=attrgetter("sop_uid")):
        same = list(group)
        if len(same) > 1:
            yield finding(
                "R501",
                f"{len(same)} files of different content carry the same SOP Instance UID",
                Location("source"),
                local=", ".join(sorted(instance.file.path for instance in same)),
                subject=str(same[0].kind),
            )


def _demand_folder(folder: Path) -> None:
    if folder.is_symlink():
        raise UsageError("the source folder is a symbolic link", "give the folder itself")
    if not folder.exists():
        raise UsageError(
            "the source folder does not exist", "correct `source:`, or `data_root` in rttqa.yaml"
        )
    if not folder.is_dir():
        raise UsageError("the source is a file, not a folder", "give the folder that the export lies in")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise UsageError("the source folder cannot be read", "ask for the right to read it, or export again")
