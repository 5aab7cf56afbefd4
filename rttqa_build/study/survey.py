"""A source folder → what each file in it is, with its size and digests, perhaps in another process."""

from __future__ import annotations

import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import deflate

from rttqa_build import disk
from rttqa_build.inflight import mapped
from rttqa_build.study.facts import Fate, Instance, Reason, SourceFile
from rttqa_build.study.folder import DENIED, files
from rttqa_build.study.header import starts_like_dicom
from rttqa_build.study.read import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Executor, Future
    from pathlib import Path

_LONG = (64 << 20) + 1  # bytes: longer than a document may be
_BATCH = 32  # files a request


class Survey(NamedTuple):
    """A source folder whose files are being read: path → bytes, the largest first, and what comes of it."""

    sizes: Mapping[str, int]
    batches: tuple[Future[list[Instance | Fate]], ...]
    others: tuple[Fate, ...] = ()

    def results(self) -> Iterator[Instance | Fate]:
        """Yield what each file is, in the order of the paths; wait for it where need be."""
        return (one for batch in self.batches for one in batch.result())


def survey(folder: Path, beside: Executor, jobs: int) -> Survey:
    """Have the files of a source folder read ``beside``. Raises UsageError as :func:`files` does."""
    listing = files(folder)
    # the largest first: no thread is left alone with one at the end
    paths = sorted(((_size(folder, path), path) for path in listing.paths), key=lambda one: (-one[0], one[1]))
    sizes = {path: size for size, path in paths}
    batches = (list(sizes)[first : first + _BATCH] for first in range(0, len(paths), _BATCH))
    futures = tuple(
        beside.submit(read_files, folder, {p: sizes[p] for p in batch}, jobs) for batch in batches
    )
    return Survey(sizes, futures, listing.others)


def _size(folder: Path, path: str) -> int:
    try:
        return (folder / path).stat().st_size
    except OSError:
        return 0


def read_files(folder: Path, sizes: Mapping[str, int], jobs: int) -> list[Instance | Fate]:
    """Return what each file is, with its size and digests; ``sizes``: path → bytes.

    Raises RttqaError where one cannot be read by a fault, not by its permissions.
    """
    # Not left to the threads: of a package whose modules import each other, two of them may meet one half.
    import pydicom.filereader  # noqa: F401

    with ThreadPoolExecutor(jobs) as pool:
        return list(mapped(pool, partial(_read_file, folder), sizes, sizes.__getitem__))


def _read_file(folder: Path, path: str) -> Instance | Fate:
    try:
        data = contents(folder / path)
        if data is None:
            return Fate(SourceFile(path, (folder / path).stat().st_size, ""), Reason.NOT_DICOM)
    except PermissionError:
        return Fate(SourceFile(path, 0, ""), Reason.UNREADABLE, DENIED)
    except OSError as error:  # a share that has gone is no reason to leave a file out
        raise disk.failure(error, "a file of the source") from None
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
