"""A source folder → what each file in it is, with its size and digests, perhaps in another process."""

from __future__ import annotations

import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import deflate

from rttqa_build import disk
from rttqa_build.study.facts import Fate, Instance, Reason, SourceFile
from rttqa_build.study.folder import files
from rttqa_build.study.header import starts_like_dicom
from rttqa_build.study.read import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Executor, Future
    from pathlib import Path

_LONG = (64 << 20) + 1  # bytes: longer than a document may be
_BATCH = 32  # files a request
_DENIED = "the operating system does not let it be read"


class Survey(NamedTuple):
    """A source folder whose files are being read: their paths, the largest first, and what comes of it."""

    paths: tuple[str, ...]
    batches: tuple[Future[list[Instance | Fate]], ...]
    others: tuple[Fate, ...] = ()

    def results(self) -> Iterator[Instance | Fate]:
        """Yield what each file is, in the order of the paths; wait for it where need be."""
        return (one for batch in self.batches for one in batch.result())


def survey(folder: Path, beside: Executor, jobs: int) -> Survey:
    """Have the files of a source folder read ``beside``. Raises UsageError as :func:`files` does."""
    listing = files(folder)
    paths = sorted(listing.paths, key=partial(_largest_first, folder))
    batches = (paths[first : first + _BATCH] for first in range(0, len(paths), _BATCH))
    futures = tuple(beside.submit(read_files, folder, batch, jobs) for batch in batches)
    return Survey(tuple(paths), futures, listing.others)


def _largest_first(folder: Path, path: str) -> int:
    """Order files so that no thread is left alone with a large one at the end."""
    try:
        return -(folder / path).stat().st_size
    except OSError:
        return 0


def read_files(folder: Path, paths: Iterable[str], jobs: int) -> list[Instance | Fate]:
    """Return what each file is, with its size and digests."""
    # Not left to the threads: of a package whose modules import each other, two of them may meet one half.
    import pydicom.filereader  # noqa: F401

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(partial(_read_file, folder), paths))


def _read_file(folder: Path, path: str) -> Instance | Fate:
    try:
        data = contents(folder / path)
        if data is None:
            return Fate(SourceFile(path, (folder / path).stat().st_size, ""), Reason.NOT_DICOM)
    except OSError:
        return Fate(SourceFile(path, 0, ""), Reason.UNREADABLE, _DENIED)
    digest = hashlib.sha256(data).hexdigest()
    return read(SourceFile(path, len(data), digest, deflate.crc32(data)), data)


def contents(path: Path) -> bytes | None:
    """Return a file's bytes; None where it is long and no DICOM: a film or a backup is not read to its end.

    Raises OSError.
    """
    data = disk.unbuffered(path, _LONG)
    if len(data) < _LONG:
        return data
    return disk.unbuffered(path, sys.maxsize) if starts_like_dicom(data) else None
