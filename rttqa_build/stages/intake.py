"""A source folder → the study in it and the identities in it; each file is read once, in parallel.

Both readers look at the same bytes: pydicom for what the object is (:mod:`rttqa_build.study`), the element
stream for whom it names (:mod:`rttqa_build.deidentify`). A file that the first takes and the second refuses
is damaged, and a finding.
"""

from __future__ import annotations

import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import deflate

from rttqa_build import disk
from rttqa_build.deidentify.elements import walk
from rttqa_build.deidentify.identity import Harvest, Kind, harvest, harvest_names, may_identify, merged
from rttqa_build.deidentify.reader import CutError, LineEndingError, StreamError
from rttqa_build.deidentify.stream import demand_whole, head, parse
from rttqa_build.diagnostic import Diagnostic, Location, Severity, finding, ordered, with_severity
from rttqa_build.study import Fate, Instance, Reason, SourceFile, Study, assemble, files, read
from rttqa_build.study import Kind as ObjectKind
from rttqa_build.study.header import starts_like_dicom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from rttqa_build.deidentify.elements import Stream

_DENIED = "the operating system does not let it be read"
_NONE = Harvest()
_SOURCE = Location("source")
_LONG = (64 << 20) + 1  # bytes: longer than a document may be; a film or a backup is not read to its end
_CODES: Mapping[type[StreamError], str] = {LineEndingError: "A004", CutError: "A005"}
_REFERRING = frozenset({ObjectKind.PLAN, ObjectKind.DOSE})
_IMAGES = frozenset({"CT", "MR", "PT"})
_ROI_REFERENCE, _MODALITY, _SOP_INSTANCE_UID, _SERIES_INSTANCE_UID = (
    0x30060084, 0x00080060, 0x00080018, 0x0020000E
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Intake:
    """What a source folder holds: its objects, the identities in them, and what is wrong with its files."""

    study: Study
    harvest: Harvest
    damaged: tuple[Damage, ...] = ()
    notes: tuple[Diagnostic, ...] = ()

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Return every finding about a file, whatever is selected."""
        return ordered((*(one.found for one in self.damaged), *self.notes))


class Damage(NamedTuple):
    """A file that cannot be used: the finding, and what its undamaged beginning says of it.

    ``uids`` are its SOP instance and series; none where the damage begins before these.
    """

    found: Diagnostic
    uids: frozenset[str] = frozenset()
    modality: str = ""


class _Taken(NamedTuple):
    result: Instance | Fate
    harvest: Harvest = _NONE
    damage: Damage | None = None


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
        tuple(sorted((one.damage for one in taken if one.damage), key=_by_path)),
        ordered(_left_out(item.result.file) for item in taken if item.result.file.garbage),
    )


def _by_path(damage: Damage) -> str:
    return damage.found.local


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
        data = disk.unbuffered(folder / path, _LONG)
        if len(data) == _LONG:
            if not starts_like_dicom(data):
                size = (folder / path).stat().st_size
                return _Taken(Fate(SourceFile(path, size, ""), Reason.NOT_DICOM))
            data = disk.unbuffered(folder / path, sys.maxsize)
    except OSError:
        return _Taken(Fate(SourceFile(path, 0, ""), Reason.UNREADABLE, _DENIED))
    file = SourceFile(path, len(data), hashlib.sha256(data).hexdigest(), deflate.crc32(data))
    result = read(file, data)
    if isinstance(result, Fate) and result.reason is not Reason.UNREADABLE:
        return _Taken(result)
    try:
        stream = parse(data)
        demand_whole(stream)
    except StreamError as error:
        return _Taken(Fate(file, Reason.UNREADABLE, str(error)), damage=_damage(error, path, data))
    if stream.garbage:
        file = replace(file, garbage=stream.garbage)
        result = read(file, data[: len(data) - stream.garbage])
    if isinstance(result, Fate):
        return _Taken(result, damage=_damage(StreamError(result.detail), path, data))
    return _Taken(_with_rois(result, stream), harvest(walk(stream, wanted=may_identify)))


def _with_rois(instance: Instance, stream: Stream) -> Instance:
    """Return a plan or dose with the number of every ROI that it refers to, at whatever depth."""
    if instance.kind not in _REFERRING:
        return instance
    values = {leaf.value.strip(b"\0 ") for leaf in walk(stream, pixels=False) if leaf.tag == _ROI_REFERENCE}
    return replace(instance, roi_numbers=frozenset(int(value) for value in values if value.isdigit()))


def _damage(error: StreamError, path: str, data: bytes) -> Damage:
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), "A002")
    first = head(data)
    uids = {first.get(tag, b"").decode("latin-1") for tag in (_SOP_INSTANCE_UID, _SERIES_INSTANCE_UID)}
    found = finding(code, f"a file is damaged: {error}", _SOURCE, subject="source", local=path)
    return Damage(found, frozenset(uids - {""}), first.get(_MODALITY, b"").decode("latin-1"))


def _left_out(file: SourceFile) -> Diagnostic:
    message = f"{file.garbage} bytes behind the end of an object were left out"
    return finding("A006", message, _SOURCE, subject="source", local=file.path)


def weighed(intake: Intake, instances: Iterable[Instance]) -> tuple[Diagnostic, ...]:
    """Return the findings about files, as warnings where a damaged one has nothing to do with what is sent.

    ``instances`` are the selected objects. A damaged file counts when it can be theirs: a planning object, an
    image of a selected series or one that they refer to, or a file of which nobody knows what it is.
    """
    sent = {uid for one in instances for uid in (one.sop_uid, one.series_uid)}
    sent |= {uid for one in instances for uids in one.references.values() for uid in uids}
    return ordered(
        (
            *(
                one.found if _may_be_of(one, sent) else with_severity(one.found, Severity.WARNING)
                for one in intake.damaged
            ),
            *intake.notes,
        )
    )


def _may_be_of(damage: Damage, sent: set[str]) -> bool:
    return damage.modality not in _IMAGES or len(damage.uids) < 2 or bool(damage.uids & sent)
