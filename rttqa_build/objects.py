"""Selected objects → pseudonymised members of the package, a bounded number at a time over threads.

Parsing and rewriting hold the interpreter lock, searching, hashing and compressing release it: with the
bound of two objects a thread in flight, memory stays flat however many slices there are.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import deflate

from rttqa_build import disk
from rttqa_build.deidentify.engine import Job, ObjectPlan, pseudonymise
from rttqa_build.deidentify.final import Content, content, final_uids
from rttqa_build.deidentify.labels import dated_labels
from rttqa_build.deidentify.stream import StreamError, parse
from rttqa_build.diagnostic import Location, RttqaError, finding
from rttqa_build.package.layout import Placed, object_paths
from rttqa_build.study import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from rttqa_build.deidentify.policy import Action
    from rttqa_build.deidentify.residue import Scanner
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.pseudonym import Pseudonyms
    from rttqa_build.resolve import Selected
    from rttqa_build.study import Instance

LARGEST_OBJECT = 1 << 32
RT_KINDS = (Kind.STRUCTURE_SET, Kind.PLAN, Kind.DOSE, Kind.REGISTRATION)
In = TypeVar("In")
Out = TypeVar("Out")
Packed = TypeVar("Packed")


@dataclass(frozen=True, slots=True)
class Task:
    """One object to send: where it is, where it goes, and what is particular to it."""

    role: str
    instance: Instance
    path: str
    plan: ObjectPlan = field(default_factory=ObjectPlan)


class Done(NamedTuple, Generic[Packed]):
    """One object ready to be written, with its account: rules applied, texts that leave, findings."""

    task: Task
    packed: Packed | None
    rules: Mapping[tuple[int, Action], int]
    texts: frozenset[tuple[int, str]]
    diagnostics: tuple[Diagnostic, ...]

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


def settle_uids(
    folder: Path, chosen: Iterable[Task], job: Job, names: Pseudonyms, jobs: int
) -> dict[str, str]:
    """Return the final SOP Instance UIDs of the RT objects: original → by content.

    Raises RttqaError when a file cannot be read any more or has changed.
    """
    rt = [one for one in chosen if one.instance.kind in RT_KINDS]

    def one(task: Task) -> Content:
        return content(parse(_read(folder, task.instance)), job, task.plan)

    with ThreadPoolExecutor(jobs) as pool:
        contents = bounded(pool.submit, one, rt, jobs)
        return final_uids({t.instance.sop_uid: c for t, c in zip(rt, contents, strict=True)}, names)


def process(
    folder: Path,
    chosen: Iterable[Task],
    job: Job,
    scanner: Scanner,
    pack: Callable[[bytes], Packed],
    jobs: int,
) -> Iterator[Done[Packed]]:
    """Yield each object pseudonymised, searched for residue and packed.

    The largest come first, so that no thread is left alone with one at the end; else in the order given.
    """

    def one(task: Task) -> Done[Packed]:
        return _process(_read(folder, task.instance), task, job, scanner, pack)

    with ThreadPoolExecutor(jobs) as pool:
        yield from bounded(pool.submit, one, sorted(chosen, key=_largest_first), 2 * jobs)


def _largest_first(task: Task) -> int:
    return -task.instance.file.size


def bounded(
    submit: Callable[[Callable[[In], Out], In], Future[Out]],
    work: Callable[[In], Out],
    items: Iterable[In],
    limit: int,
) -> Iterator[Out]:
    """Yield the results in order, with at most ``limit`` in flight."""
    waiting = iter(items)
    flying = deque(submit(work, item) for item in islice(waiting, limit))
    while flying:
        yield flying.popleft().result()
        flying.extend(submit(work, item) for item in islice(waiting, 1))


def _process(
    data: bytes, task: Task, job: Job, scanner: Scanner, pack: Callable[[bytes], Packed]
) -> Done[Packed]:
    try:
        result = pseudonymise(parse(data), job, task.plan)
    except StreamError as error:
        refused = finding("A003", f"an object was refused: {error}", Location(task.role), subject=task.role)
        return Done(task, None, {}, frozenset(), (refused,))
    found = (*scanner.scan_dicom(parse(result.data), task.role), *dated_labels(result.texts, task.role))
    return Done(task, pack(result.data), result.rules, result.texts, found)


def _read(folder: Path, instance: Instance) -> bytes:
    data = disk.read(folder / instance.file.path, LARGEST_OBJECT, "an object of the source")
    # Against an export that is still being written, not against malice: a CRC-32 costs nothing, a second
    # SHA-256 a twentieth of the build.
    if (len(data), deflate.crc32(data)) != (instance.file.size, instance.file.crc32):
        raise RttqaError("a file of the source changed during the build", "wait until the export is finished")
    return data
