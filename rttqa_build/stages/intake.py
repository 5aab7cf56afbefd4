"""A source folder → the study in it and the identities in it, by two readers at the same time.

Pydicom says what each object is (:mod:`rttqa_build.study`), the element stream whom it names
(:mod:`rttqa_build.deidentify`). A file that the first takes and the second refuses is damaged, and a finding.
"""

from __future__ import annotations

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
from rttqa_build.diagnostic import Diagnostic, Location, RttqaError, Severity, finding, ordered, with_severity
from rttqa_build.inflight import mapped
from rttqa_build.sibling import Here
from rttqa_build.study import Fate, Instance, Reason, Study, assemble, read
from rttqa_build.study import Kind as ObjectKind
from rttqa_build.study.classes import DICOMDIR, kind_of
from rttqa_build.study.folder import DENIED
from rttqa_build.study.header import starts_like_dicom
from rttqa_build.study.survey import contents, survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from rttqa_build.deidentify.elements import Stream
    from rttqa_build.study import SourceFile
    from rttqa_build.study.survey import Survey

_NONE = Harvest()
_SOURCE = Location("source")
_CODES: Mapping[type[StreamError], str] = {LineEndingError: "A004", CutError: "A005"}
_REFERRING = frozenset({ObjectKind.PLAN, ObjectKind.DOSE})
_IMAGES = frozenset({"CT", "MR", "PT"})
_CLASS = (0x00080016, 0x00080060)  # SOPClassUID, Modality
_SHOWN = 10  # paths in one finding
_LONGEST_NUMBER = 12  # characters of an IS value (PS3.5 6.2)
_MEDIA_CLASS = 0x00020002  # MediaStorageSOPClassUID
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
    """What the element stream says of one file; all of it empty where there is no DICOM to be read.

    ``error`` is why it is refused; ``garbage`` counts its last bytes, which belong to nothing. A
    ``directory`` of media is no object: what it names is left aside with it.
    """

    crc32: int | None = None
    harvest: Harvest = _NONE
    roi_numbers: frozenset[int] = frozenset()
    garbage: int = 0
    error: StreamError | None = None
    directory: bool = False


class _Both(NamedTuple):
    """What both readers say of one file together."""

    result: Instance | Fate
    harvest: Harvest = _NONE
    damage: Damage | None = None


def take_in(
    folder: Path,
    jobs: int,
    progress: Callable[[str], None],
    begun: Survey | None = None,
    meanwhile: Callable[[Harvest], object] = lambda _: None,
) -> Intake:
    """Read every file below ``folder``; its survey may have ``begun`` elsewhere.

    ``meanwhile`` is called with the identities before that has ended: those that will be found unless a file
    turns out to be damaged. Raises UsageError when there is no such folder, or nothing in it, and RttqaError
    when a file changes between the readers, or cannot be read by a fault, not by its permissions.
    """
    begun = begun or survey(folder, Here(), jobs)
    progress(f"reading {len(begun.sizes)} files")
    with ThreadPoolExecutor(jobs) as pool:
        taken = list(mapped(pool, partial(_take, folder), begun.sizes, begun.sizes.__getitem__))
    names = (harvest_names(begun.sizes), _numbers_of(folder.resolve().name))
    meanwhile(merged([*(one.harvest for one in taken if not one.directory), *names]))
    met = [_together(folder, one, other) for one, other in zip(begun.results(), taken, strict=True)]
    study = assemble([*(one.result for one in met), *begun.others])
    return Intake(
        study,
        merged([*(one.harvest for one in met), *names]),
        tuple(sorted((one.damage for one in met if one.damage), key=_by_path)),
        ordered(
            (
                *(_left_out(one.result.file) for one in met if one.result.file.garbage),
                *_denied([fate.file.path for fate in study.others if fate.detail == DENIED]),
            )
        ),
    )


def _by_path(damage: Damage) -> str:
    return damage.found.local


def _numbers_of(name: str) -> Harvest:
    """Return the numbers in the source folder's name; its words were chosen to stand in the manifest."""
    return Harvest(frozenset(fact for fact in harvest_names([name]).facts if fact.kind is not Kind.WORD))


def _take(folder: Path, path: str) -> _Taken:
    """Return whom a file names, by its element stream; of what is no DICOM, nothing."""
    try:
        data = contents(folder / path)
    except PermissionError:
        return _Taken()
    except OSError as error:
        raise disk.failure(error, "a file of the source") from None
    if data is None or not starts_like_dicom(data):
        return _Taken()
    crc32 = deflate.crc32(data)
    try:
        stream = parse(data)
        demand_whole(stream)
        facts = harvest(walk(stream, wanted=may_identify))
    except StreamError as error:
        return _Taken(crc32, error=error)
    return _Taken(crc32, facts, _roi_numbers(stream), stream.garbage, directory=_is_directory(stream))


def _is_directory(stream: Stream) -> bool:
    classes = [stream.value(each) for each in stream.meta if each.tag == _MEDIA_CLASS]
    return any(value.strip(b"\0 ").decode("latin-1") == DICOMDIR for value in classes)


def _roi_numbers(stream: Stream) -> frozenset[int]:
    """Return the number of every ROI that a plan or dose refers to, at whatever depth."""
    sop_class, modality = ((stream.find(tag) or b"").strip(b"\0 ").decode("latin-1") for tag in _CLASS)
    if kind_of(sop_class, modality) not in _REFERRING:
        return frozenset()
    values = {
        leaf.value.strip(b"\0 ").removeprefix(b"+")
        for leaf in walk(stream, pixels=False)
        if leaf.tag == _ROI_REFERENCE
    }
    return frozenset(int(value) for value in values if value.isdigit() and len(value) <= _LONGEST_NUMBER)


def _together(folder: Path, result: Instance | Fate, taken: _Taken) -> _Both:
    """Return what both readers say of one file; it is damaged where they do not both take it."""
    file, error = result.file, taken.error
    seen = isinstance(result, Instance) or (result.reason is Reason.UNREADABLE and file.sha256)
    if (seen and taken.crc32 is None) or taken.crc32 not in (None, file.crc32):
        raise RttqaError("a file of the source changed during the build", "wait until the export is finished")
    if not seen:
        return _Both(result)
    if taken.garbage:
        file = replace(file, garbage=taken.garbage)
        result = read(file, _again(folder, file)[: -file.garbage])
    if isinstance(result, Fate):
        error = error or StreamError(result.detail)
    if error is not None:
        damage = _damage(error, file.path, _again(folder, file))
        return _Both(Fate(file, Reason.UNREADABLE, str(error)), damage=damage)
    if taken.roi_numbers and isinstance(result, Instance):
        result = replace(result, roi_numbers=taken.roi_numbers)
    return _Both(result, taken.harvest)


def _again(folder: Path, file: SourceFile) -> bytes:
    return disk.read(folder / file.path, file.size, "a file of the source")


def _damage(error: StreamError, path: str, data: bytes) -> Damage:
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), "A002")
    first = head(data)
    uids = {first.get(tag, b"").decode("latin-1") for tag in (_SOP_INSTANCE_UID, _SERIES_INSTANCE_UID)}
    found = finding(code, f"a file is damaged: {error}", _SOURCE, subject="source", local=path)
    return Damage(found, frozenset(uids - {""}), first.get(_MODALITY, b"").decode("latin-1"))


def _left_out(file: SourceFile) -> Diagnostic:
    message = f"{file.garbage} bytes behind the end of an object were left out"
    return finding("A006", message, _SOURCE, subject="source", local=file.path)


def _denied(paths: Sequence[str]) -> Iterator[Diagnostic]:
    if paths:
        one = len(paths) == 1
        what = "1 file or folder" if one else f"{len(paths)} files or folders"
        message = f"{what} may not be read, and {'is' if one else 'are'} left out"
        shown = ", ".join([*sorted(paths)[:_SHOWN], *(["…"] if len(paths) > _SHOWN else [])])
        yield finding("A010", message, _SOURCE, subject="source", local=shown)


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
