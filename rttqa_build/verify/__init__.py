"""A package, checked as a receiver would: read without extracting, by none of the code that built it.

Goes in: a zip, as a path or an open handle. Comes out: a :class:`VerifyReport`. Needs only pydicom and the
standard library, so that RTTQA can run it too. Documents' text is searched in TXT, CSV, JSON, DOCX and XLSX;
PDF and pictures are checked for being what the manifest says, not read. No finding shows a value: they name
the member and the element. Members whose names do not follow the package's layout are named by their number.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from rttqa_build.diagnostic import Diagnostic, RttqaError
from rttqa_build.inflight import mapped
from rttqa_build.verify import bag, links
from rttqa_build.verify.container import Container, Entry, Source, inspect, unpack
from rttqa_build.verify.fault import Fault, diagnostics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rttqa_build.verify.member import Content


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a receiver can say about a package.

    ``content_digest`` is the SHA-256 of the bag's manifest (empty when there is none); ``sha256`` and
    ``size`` are the file's; ``modalities`` counts the DICOM objects; ``dangling`` counts the objects
    outside the package that are referred to. ``supplements`` names the package that this one says it stands
    beside, and may refer to; empty for one that stands alone.
    """

    diagnostics: tuple[Diagnostic, ...]
    content_digest: str
    sha256: str
    size: int
    folder: str = ""
    members: int = 0
    modalities: Mapping[str, int] = field(default_factory=dict)
    dangling: int = 0
    supplements: str = ""


def verify(package: Path | BinaryIO, name: str, *, jobs: int = 1) -> VerifyReport:
    """Check a package and report everything that is wrong with it.

    ``name`` stands for the package in findings. A handle must be seekable; it stays open, at an undefined
    position. Raises RttqaError when the file cannot be read at all.
    """
    with _opened(package, name) as handle, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's; some quote values
        try:
            return _verify(Source(handle, threading.Lock()), name, jobs)
        except OSError:
            raise _unreadable(name) from None


@contextlib.contextmanager
def _opened(package: Path | BinaryIO, name: str) -> Iterator[BinaryIO]:
    if not isinstance(package, Path):
        yield package
        return
    try:
        handle = package.open("rb")
    except OSError:
        raise _unreadable(name) from None
    with handle:
        yield handle


def _unreadable(name: str) -> RttqaError:
    return RttqaError(f"{name} cannot be read", "check the path, the permissions and the drive")


def _verify(source: Source, name: str, jobs: int) -> VerifyReport:
    with ThreadPoolExecutor(max_workers=max(jobs, 1)) as pool:
        digest = pool.submit(_file_digest, source)
        container = inspect(source)
        contents = _contents(pool, source, container)
        sha256, size = digest.result()
    objects = [content.dicom for content in contents if content.dicom]
    by_path = {content.path: content for content in contents}
    found, before = bag.check(container, by_path), bag.supplemented(by_path)
    linked = links.check(objects, links.Sent(before.uids, before.images > 0))
    faults = [
        *container.faults,
        *(fault for content in contents for fault in content.faults),
        *found.faults,
        *linked.faults,
        *_empty(container, objects),
    ]
    return VerifyReport(
        diagnostics(faults, name),
        found.content_digest,
        sha256,
        size,
        container.folder if container.patient else "",
        len(container.entries),
        dict(sorted(Counter(item.modality for item in objects).items())),
        linked.dangling,
        before.package,
    )


def _file_digest(source: Source) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while block := source.at(size, 1 << 20):
        digest.update(block)
        size += len(block)
    return digest.hexdigest(), size


def _contents(pool: ThreadPoolExecutor, source: Source, container: Container) -> list[Content]:
    """Return what each readable entry holds, in order.

    The largest go first, so that no thread is left alone with one at the end.
    """
    import rttqa_build.verify.member  # noqa: F401 - pydicom is loaded here, not by several threads at once

    readable = [entry for entry in container.entries if entry.readable]
    order = sorted(range(len(readable)), key=lambda number: -readable[number].info.file_size)
    contents = mapped(
        pool,
        lambda number: _content(source, readable[number], container.patient),
        order,
        lambda number: readable[number].info.file_size,
    )
    return [content for _, content in sorted(zip(order, contents, strict=True), key=itemgetter(0))]


def _content(source: Source, entry: Entry, patient: str) -> Content:
    from rttqa_build.verify.member import Content, read  # loads pydicom: not for those who only need `text`

    data = unpack(source, entry)
    if data is None:
        fault = Fault("K021", "An entry's content is damaged.", entry.shown)
        return Content(entry.path, entry.shown, "", 0, (fault,))
    return read(entry, data, patient)


def _empty(container: Container, objects: Iterable[object]) -> tuple[Fault, ...]:
    """Return a fault when a readable archive holds no DICOM object."""
    if not container.entries or any(objects):
        return ()
    return (Fault("K047", "The package holds no DICOM object that can be read."),)
