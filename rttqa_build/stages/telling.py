"""A build → the submitter's report and the account of every file, and the finds for a person to judge."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from rttqa_build import disk
from rttqa_build.deidentify.marks import PROFILE
from rttqa_build.diagnostic import forbidden
from rttqa_build.records.release import ACCOUNT, held_back
from rttqa_build.stages import account, paperwork
from rttqa_build.stages.local import local_part
from rttqa_build.stages.order import REPORT
from rttqa_build.stages.reading import Reading, whose_names
from rttqa_build.summary import report
from rttqa_build.summary.context import Context, Sending, Summary
from rttqa_build.summary.wording import date_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rttqa_build.deidentify.finds import Find
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.lock import Lock
    from rttqa_build.stages.objects import Done
    from rttqa_build.stages.order import Order, Paper
    from rttqa_build.stages.packing import Packed
    from rttqa_build.stages.paperwork import Papers


def tell(
    order: Order,
    reading: Reading,
    found: tuple[Diagnostic, ...],
    summary: Summary,
    packed: Packed | None = None,
    lock: Lock | None = None,
    papers: Papers | None = None,
) -> None:
    """Write the submitter's report and the account of what was done to each file."""
    if not order.keep:
        return
    done: tuple[Done[Any], ...] = packed.done if packed else ()
    named = named_documents(order)
    left_out = reading.resolution.left_out
    papers = papers or paperwork.Papers()
    sent = {paper.name for paper in papers.papers}
    fates = tuple(fate for fate in left_out if named.get(os.path.normcase(fate.file.path)) not in sent)
    start = date_in_words(order.manifest.submission.radiotherapy_start)
    sending = Sending(packed.facts.name, lock.content, start) if packed and lock else Sending()
    local = local_part(found, done, fates, summary, reading.scanner.masked, order.committed)
    local = replace(local, slices=reading.pictures.slices)
    page = order.beside.submit(report.render, Context(summary, sending, local))
    disk.write(order.output / REPORT, page.result().encode())
    files = accounted(order, reading, found, packed, papers.papers)
    finds = to_judge(found, papers.finds)
    if lock and finds and forbidden(found):
        held = held_back(order.basis.manifest, lock.content, whose_names(order, reading), finds)
        files = replace(files, held=held)
    disk.write(order.output / ACCOUNT, account.account(files, PROFILE))


def named_documents(order: Order) -> dict[str, str]:
    """Return path → name of the manifest's documents, spelled as the file system compares paths."""
    return {
        os.path.normcase(PurePosixPath(entry.path)): name for name, entry in order.manifest.documents.items()
    }


def accounted(
    order: Order,
    reading: Reading,
    found: tuple[Diagnostic, ...],
    packed: Packed | None,
    papers: tuple[Paper, ...],
) -> account.Files:
    """Return every file of the source with what became of it, also when nothing was made."""
    named = named_documents(order)
    wanted = {i.file.sha256: one.place for one in reading.resolution.roles for i in one.instances}
    fates = []
    for fate in reading.resolution.left_out:
        name = named.get(os.path.normcase(fate.file.path))
        if name and fate.file.sha256:
            wanted[fate.file.sha256] = f"document:{name}"
        else:
            fates.append(fate)
    made = packed.facts.name if packed and not forbidden(found) else ""
    return account.Files(packed.done if packed else (), tuple(fates), papers, wanted, made)


def to_judge(found: Iterable[Diagnostic], finds: tuple[Find, ...]) -> tuple[Find, ...]:
    """Return the places that people may release: none, where one cannot be or something else forbids."""
    told = {one.told for one in finds}
    if forbidden(one for one in found if one not in told) or not all(one.releasable for one in finds):
        return ()
    return finds
