"""A source folder → the files in it; what was read of them → a :class:`Study`."""

from __future__ import annotations

import os
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.diagnostic import Location, UsageError, finding
from rttqa_build.study.facts import Fate, Instance, Reason, SourceFile, Study

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rttqa_build.diagnostic import Diagnostic

_LINK = "a symbolic link, which is not followed"
_SPECIAL = "not a regular file"
DENIED = "the operating system does not let it be read"


class Listing(NamedTuple):
    """The files to read, as POSIX paths below the folder, and the entries that are no readable files."""

    paths: tuple[str, ...]
    others: tuple[Fate, ...] = ()


def files(folder: Path) -> Listing:
    """Return every file below a source folder, sorted; links and unreadable folders are told, not followed.

    Raises:
        UsageError: the folder is missing, no folder, a link, not readable, or holds no file.

    """
    _demand_folder(folder)
    found: list[str] = []
    others: list[Fate] = []

    def tell(path: str, why: str) -> None:
        others.append(Fate(SourceFile(_below(folder, path), 0, ""), Reason.UNREADABLE, why))

    for base, folders, names in os.walk(folder, onerror=lambda error: tell(str(error.filename), DENIED)):
        for entry in (Path(base, name) for name in (*folders, *names)):
            if entry.is_symlink():
                tell(str(entry), _LINK)
            elif entry.is_file():
                found.append(_below(folder, str(entry)))
            elif not entry.is_dir():
                tell(str(entry), _SPECIAL)
    if not found and not others:
        raise UsageError("the source folder is empty", "export the objects into it, or correct `source:`")
    return Listing(tuple(sorted(found)), tuple(sorted(others, key=lambda fate: fate.file.path)))


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
        raise UsageError("the source folder is a symbolic link", "give the folder itself in `source:`")
    if not folder.exists():
        raise UsageError(
            "the source folder does not exist", "correct `source:`, or `data_root` in rttqa.yaml"
        )
    if not folder.is_dir():
        raise UsageError("the source is a file, not a folder", "give the folder that the export lies in")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise UsageError("the source folder cannot be read", "ask for the right to read it, or export again")


def _below(folder: Path, path: str) -> str:
    return Path(path).relative_to(folder).as_posix()
