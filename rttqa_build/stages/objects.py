"""Selected objects → pseudonymised members of the package, a bounded number at a time over threads.

Parsing and rewriting hold the interpreter lock, searching, hashing and compressing release it. In flight is
the largest object and some small ones: memory stays flat however many slices, and however many doses.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import deflate

from rttqa_build import disk
from rttqa_build.deidentify.engine import pseudonymise
from rttqa_build.deidentify.final import Content, content, final_uids
from rttqa_build.deidentify.finds import Find, in_object
from rttqa_build.deidentify.job import Job, ObjectPlan
from rttqa_build.deidentify.labels import dated_labels
from rttqa_build.deidentify.reader import StreamError
from rttqa_build.deidentify.stream import parse
from rttqa_build.diagnostic import Location, RttqaError, finding
from rttqa_build.inflight import mapped
from rttqa_build.package.layout import Placed, object_paths
from rttqa_build.study import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from rttqa_build.deidentify.policy import Action
    from rttqa_build.deidentify.residue import Scanner
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.pseudonym import Pseudonyms
    from rttqa_build.resolve import Selected
    from rttqa_build.study import Instance

LARGEST_OBJECT = 1 << 32
RT_KINDS = (Kind.STRUCTURE_SET, Kind.PLAN, Kind.DOSE, Kind.REGISTRATION)
Packed = TypeVar("Packed")


@dataclass(frozen=True, slots=True)
class Task:
    """One object to send: where it is, where it goes, and what is particular to it."""

    role: str
    instance: Instance
    path: str
    plan: ObjectPlan = field(default_factory=ObjectPlan)


class Done(NamedTuple, Generic[Packed]):
    """One object ready to be written, with its account: rules applied, texts that leave, findings, finds."""

    task: Task
    packed: Packed | None
    rules: Mapping[tuple[int, Action], int]
    texts: frozenset[tuple[int, str]]
    diagnostics: tuple[Diagnostic, ...]
    finds: tuple[Find, ...] = ()

    @property
    def account(self) -> Done[Packed]:
        """Return the same without the bytes, which are written by now."""
        return self._replace(packed=None)


def tasks(
    selected: Iterable[Selected],
    names: Pseudonyms,
    rois: Callable[[Instance], Mapping[int, str | None]],
    supplied: Collection[str] = (),
) -> tuple[Task, ...]:
    """Return the objects in package order, each with its path and its plan.

    ``supplied`` are the SHA-256 of files of a case that the trial supplied.
    """
    rows = [
        (one.place, one.role, series, instance)
        for one, series in _numbered(selected)
        for instance in one.instances
    ]
    paths = object_paths(Placed(role, instance.modality, series) for _, role, series, instance in rows)
    return tuple(
        Task(name, instance, path, ObjectPlan(supplied=True))
        if instance.file.sha256 in supplied
        else task(name, instance, path, names, rois(instance))
        for (name, _, _, instance), path in zip(rows, paths, strict=True)
    )


def _numbered(selected: Iterable[Selected]) -> Iterator[tuple[Selected, int]]:
    seen: dict[str, int] = {}
    for one in selected:
        seen[one.role] = seen.get(one.role, 0) + 1
        yield one, seen[one.role]


def task(role: str, instance: Instance, path: str, names: Pseudonyms, rois: Mapping[int, str | None]) -> Task:
    """Return one object's task; an RT object gets a series of its own."""
    if instance.kind not in RT_KINDS:
        return Task(role, instance, path)
    return Task(
        role, instance, path, ObjectPlan(names.series_uid(instance.series_uid, instance.sop_uid), rois)
    )


def settle_uids(folder: Path, chosen: Iterable[Task], job: Job, names: Pseudonyms) -> dict[str, str]:
    """Return the final SOP Instance UIDs of the RT objects: original → by content.

    One that the engine refuses is left out: :func:`process` reports it. Raises RttqaError when a file cannot
    be read any more or has changed.
    """
    contents: dict[str, Content] = {}
    for one in chosen:
        if one.instance.kind in RT_KINDS:
            with contextlib.suppress(StreamError):
                stream = parse(_read(folder, one.instance))
                contents[one.instance.sop_uid] = content(stream, job, one.plan)
    return final_uids(contents, names)


def process(
    folder: Path,
    chosen: Iterable[Task],
    job: Job,
    scanner: Scanner,
    pack: Callable[[Task, bytes], Packed],
    jobs: int,
) -> Iterator[Done[Packed]]:
    """Yield each object pseudonymised, searched for residue and packed, in a good order for the threads.

    ``pack`` is called in the thread that made the object's bytes.
    """
    rules: dict[object, Mapping[tuple[int, Action], int]] = {}  # most slices of a series have one account
    texts: dict[object, frozenset[tuple[int, str]]] = {}

    def one(task: Task) -> Done[Packed]:
        if task.instance.kind in RT_KINDS:
            job.uid(task.instance.sop_uid.encode("latin-1"))  # waited for before it takes up memory
        done = _process(_read(folder, task.instance), task, job, scanner, pack)
        return done._replace(
            rules=rules.setdefault(frozenset(done.rules.items()), done.rules),
            texts=texts.setdefault(done.texts, done.texts),
        )

    with ThreadPoolExecutor(jobs) as pool:
        yield from mapped(pool, one, _for_threads(chosen), _size)


def _size(task: Task) -> int:
    return task.instance.file.size


def _for_threads(chosen: Iterable[Task]) -> list[Task]:
    """Return the RT objects in the middle, the larger first.

    At the beginning they would wait for their UIDs to be settled, at the end the largest would keep one
    thread busy and the others waiting.
    """
    by_size = sorted(chosen, key=_size, reverse=True)
    images = [task for task in by_size if task.instance.kind not in RT_KINDS]
    others = [task for task in by_size if task.instance.kind in RT_KINDS]
    half = len(images) // 2
    return [*images[:half], *others, *images[half:]]


def _process(
    data: bytes, task: Task, job: Job, scanner: Scanner, pack: Callable[[Task, bytes], Packed]
) -> Done[Packed]:
    try:
        result = pseudonymise(parse(data), job, task.plan)
        del data
        finished = parse(result.data)
    except StreamError as error:
        message, path = f"an object was refused: {error}", scanner.masked(task.instance.file.path)
        refused = finding("A003", message, Location(task.role), subject=task.role, local=path)
        return Done(task, None, {}, frozenset(), (refused,))
    hits = scanner.scan_dicom(finished, task.role)
    finds = in_object(finished, task.path, hits, scanner) if hits else ()
    found = (*hits, *dated_labels(result.texts, task.role))
    return Done(task, pack(task, result.data), result.rules, result.texts, found, finds)


def _read(folder: Path, instance: Instance) -> bytes:
    data = disk.read(folder / instance.file.path, LARGEST_OBJECT, "an object of the source")
    # Against an export that is still being written, not against malice: a CRC-32 costs nothing, a second
    # SHA-256 a twentieth of the build.
    if (len(data), deflate.crc32(data)) != (instance.file.size, instance.file.crc32):
        raise RttqaError("a file of the source changed during the build", "wait until the export is finished")
    return data
