"""A source folder → the study in it and the identities in it; each file is read once, in parallel.

Both readers look at the same bytes: pydicom for what the object is (:mod:`rttqa_build.study`), the element
stream for whom it names (:mod:`rttqa_build.deidentify`). A file that the first takes and the second refuses
is damaged, and a finding.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import deflate

from rttqa_build.deidentify.identity import Harvest, Kind, harvest, harvest_names, merged
from rttqa_build.deidentify.stream import StreamError, parse, walk
from rttqa_build.diagnostic import Diagnostic, Location, finding, ordered
from rttqa_build.study import Fate, Instance, Reason, SourceFile, Study, assemble, files, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_DENIED = "the operating system does not let it be read"
_NONE = Harvest()


@dataclass(frozen=True, slots=True)
class Intake:
    """What a source folder holds: its objects, the identities in them, and what is wrong with its files."""

    study: Study
    harvest: Harvest
    diagnostics: tuple[Diagnostic, ...] = ()


class _Taken(NamedTuple):
    result: Instance | Fate
    harvest: Harvest = _NONE
    damage: str = ""


def take_in(folder: Path, jobs: int, progress: Callable[[str], None]) -> Intake:
    """Read every file below ``folder``.

    Raises UsageError when there is no such folder, or nothing in it.
    """
    # Not left to the threads: of a package whose modules import each other, two of them may meet one half.
    import pydicom.filereader  # noqa: F401

    listing = files(folder)
    progress(f"reading {len(listing.paths)} files")
    paths = sorted(listing.paths, key=partial(_largest_first, folder))
    with ThreadPoolExecutor(jobs) as pool:
        taken = list(pool.map(partial(_take, folder), paths))
    study = assemble([*(item.result for item in taken), *listing.others])
    return Intake(
        study,
        merged([*(item.harvest for item in taken), harvest_names(listing.paths), _numbers_of(folder.name)]),
        ordered(_damaged(item) for item in taken if item.damage),
    )


def _numbers_of(name: str) -> Harvest:
    """Return the numbers in the source folder's name; its words were chosen to stand in the manifest."""
    return Harvest(frozenset(fact for fact in harvest_names([name]).facts if fact.kind is not Kind.WORD))


def _largest_first(folder: Path, path: str) -> int:
    """Order files so that no thread is left alone with a large one at the end."""
    try:
        return -(folder / path).stat().st_size
    except OSError:
        return 0


def _take(folder: Path, path: str) -> _Taken:
    try:
        data = (folder / path).read_bytes()
    except OSError:
        return _Taken(Fate(SourceFile(path, 0, ""), Reason.UNREADABLE, _DENIED))
    file = SourceFile(path, len(data), hashlib.sha256(data).hexdigest(), deflate.crc32(data))
    result = read(file, data)
    if isinstance(result, Fate) and result.reason is not Reason.UNREADABLE:
        return _Taken(result)
    try:
        return _Taken(result, harvest(walk(parse(data), pixels=False)))
    except StreamError as error:
        return _Taken(Fate(file, Reason.UNREADABLE, str(error)), damage=str(error))


def _damaged(item: _Taken) -> Diagnostic:
    return finding(
        "A002",
        f"a file is damaged: {item.damage}",
        Location("source"),
        subject="source",
        local=item.result.file.path,
    )
