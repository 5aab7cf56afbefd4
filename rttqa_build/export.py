"""A folder of objects → a folder of pseudonymised objects, with the guarantees of a build but no manifest."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from rttqa_build import disk
from rttqa_build.deidentify.marks import PROFILE
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.deidentify.subject import check_subject
from rttqa_build.diagnostic import Diagnostic, Location, UsageError, forbidden, ordered
from rttqa_build.pseudonym import Pseudonyms
from rttqa_build.records.release import ACCOUNT
from rttqa_build.resolve import Selected
from rttqa_build.resolve.faces import check_faces
from rttqa_build.resolve.patients import check_patients
from rttqa_build.stages import account
from rttqa_build.stages.intake import take_in
from rttqa_build.stages.objects import Task, process, task
from rttqa_build.stages.order import ours
from rttqa_build.stages.rewriting import job
from rttqa_build.study import Fate, Kind, Reason, conflicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rttqa_build.stages.order import Order
    from rttqa_build.study import Instance, Study


_SOURCE = Location("source")
_RUNNING = "running"
_NO_ROLE = "a class of object that no trial asks for"  # ultrasound with names in its pixels, raw data


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of it: how many objects, the findings, and every file that was left out, with the reason."""

    count: int
    diagnostics: tuple[Diagnostic, ...]
    left_out: tuple[Fate, ...] = ()


def export(order: Order, progress: Callable[[str], None]) -> Exported:
    """Pseudonymise all objects of ``order.source``, which are one patient's, into ``order.output``.

    The folder appears whole, or not at all when a finding forbids it; the account of what was done to each
    file lies beside it, because it names the originals by digest. Raises UsageError when it holds
    anything already or another run is writing it, RttqaError when disk, key or source fail.
    """
    part, alone = order.output.with_name(f".{order.output.name}.part"), False
    missing = [folder for folder in (part, *part.parents) if not os.access(folder, os.F_OK)]
    try:
        with disk.exclusive(part / _RUNNING, "the output folder") as alone:
            if alone:
                return _export(order, part / "objects", progress)
    finally:
        if alone:
            _leave(part)
        for folder in missing:
            with contextlib.suppress(OSError):  # it holds what was made
                folder.rmdir()
    raise UsageError(
        "another run is writing this output folder", "wait until it has ended, or give another one"
    )


def _export(order: Order, part: Path, progress: Callable[[str], None]) -> Exported:
    """Pseudonymise by way of the folder ``part``, which no other run uses."""
    if order.output.exists() and (not order.output.is_dir() or any(order.output.iterdir())):
        raise UsageError("the output folder holds something already", "give a folder that does not exist yet")
    scanners = lru_cache(1)(partial(Scanner, allowed=ours(order)))
    intake = take_in(order.source, order.jobs, progress, order.survey, scanners)
    scanner = scanners(intake.harvest)
    names = Pseudonyms.derive(order.key, order.trial.pseudonym_scope)
    chosen = _tasks(intake.study, names)
    fates = _fates(intake.study)
    told = (
        *intake.diagnostics,
        *conflicts(intake.study),
        *_of_whom(chosen, order),
        *scanner.limits(),
    )
    found = ordered(replace(one, local=scanner.masked(one.local)) for one in told)
    if forbidden(found):
        return Exported(0, found, fates)
    if not chosen:
        raise UsageError("the folder holds no object that may leave", "export into it, or give another one")
    progress(f"pseudonymising {len(chosen)} objects")
    shutil.rmtree(part, ignore_errors=True)  # of a run that was killed

    def written(task: Task, data: bytes) -> None:
        _write(part / task.path, data)

    try:
        with ThreadPoolExecutor(1) as beside:
            shared = job(order, chosen, names, scanner, beside)
            done = [*process(order.source, chosen, shared, scanner, written, order.jobs)]
        found = ordered([*found, *(diagnostic for one in done for diagnostic in one.diagnostics)])
        if not forbidden(found):
            # not the folder's name, which people choose by the patient's
            files = account.Files(tuple(done), fates, package=order.manifest.submission.subject)
            _publish(part, order.output, account.account(files, PROFILE))
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Exported(0 if forbidden(found) else len(done), found, fates)


def _leave(part: Path) -> None:
    """Remove the folder, but nothing of a run that has begun in it since this one let go of it."""
    with contextlib.suppress(OSError):
        (part / _RUNNING).unlink()
        part.rmdir()


def _of_whom(chosen: tuple[Task, ...], order: Order) -> Iterator[Diagnostic]:
    """Yield findings on whose objects these are: another patient's, named by the trial ID, showing a face."""
    by_role: dict[str, list[Instance]] = defaultdict(list)
    for one in chosen:
        by_role[one.role].append(one.instance)
    selected = tuple(Selected(role, "", tuple(instances)) for role, instances in by_role.items())
    for found in check_patients(selected, order.manifest):
        yield replace(found, where=_SOURCE, hint="Give each patient a folder.")
    yield from (replace(found, where=_SOURCE) for found in check_faces(selected, order.trial))
    patients = (one.instance.patient for one in chosen)
    yield from check_subject(order.manifest.submission.subject, patients, order.trial, _SOURCE)


def _tasks(study: Study, names: Pseudonyms) -> tuple[Task, ...]:
    """Return every object that may be sent, named by modality and number."""
    counts: dict[str, int] = {}
    chosen = []
    for instance in sorted(study.instances, key=lambda i: (i.modality, i.series_uid, i.sop_uid)):
        if not _refusal(instance):
            modality = instance.modality if instance.modality.isalpha() else "OT"
            counts[modality] = counts.get(modality, 0) + 1
            chosen.append(task(modality, instance, f"{modality}_{counts[modality]:04d}.dcm", names, {}))
    return tuple(chosen)


def _refusal(instance: Instance) -> str:
    """Return why an object may not be sent: by itself, or because no trial has a role for its class."""
    return instance.refusal or (_NO_ROLE if instance.kind is Kind.OTHER else "")


def _fates(study: Study) -> tuple[Fate, ...]:
    refused = (Fate(i.file, Reason.REFUSED, _refusal(i)) for i in study.instances if _refusal(i))
    return (*study.others, *refused)


def _write(path: Path, data: bytes) -> None:
    """Write one object, without waiting for the disk: it is of no use before all are there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise disk.failure(error, "the output folder") from None


def _publish(part: Path, output: Path, told: bytes) -> None:
    """Give the folder its name, with its account beside it; when that fails, neither is left."""
    kept = output.with_name(f"{output.name}.{ACCOUNT}")
    disk.write(kept, told)
    try:
        if output.is_dir():
            output.rmdir()
        part.rename(output)
    except OSError as error:
        disk.remove(kept)
        raise disk.failure(error, "the output folder") from None
