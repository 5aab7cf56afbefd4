"""The build: source folder × manifest → pseudonymised, packaged, verified output and its lock.

:func:`build` reads top to bottom: read, judge; then, unless something forbids it, prepare, pack, record,
publish. Each stage runs to its end and reports everything it finds; errors stop the next stage.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from rttqa_build.checks.judgement import judge
from rttqa_build.diagnostic import forbidden, ordered
from rttqa_build.records.release import idle, settle
from rttqa_build.stages.local import texts_that_leave
from rttqa_build.stages.order import Built, Order
from rttqa_build.stages.packing import pack, publish, sweep
from rttqa_build.stages.preparing import prepare
from rttqa_build.stages.reading import findings, patients, read, summarise, whose_names
from rttqa_build.stages.recording import about_to_enter_git, record
from rttqa_build.stages.telling import tell, to_judge

if TYPE_CHECKING:
    from collections.abc import Callable


def build(order: Order, progress: Callable[[str], None] = lambda _: None) -> Built:
    """Build one submission.

    Raises RttqaError when disk, key or source fail; nothing half-made is ever visible under its name, and
    nothing of it stays.
    """
    try:
        return _build(order, progress)
    finally:
        sweep(order)


def _build(order: Order, progress: Callable[[str], None]) -> Built:
    reading = read(order, progress)
    summary = summarise(order, reading)
    found = judge(findings(order, reading), order.manifest, order.trial)
    if forbidden(found):
        tell(order, reading, found, summary)
        return Built(found, summary=summary)

    progress("pseudonymising")
    with ThreadPoolExecutor(2) as beside:
        content, papers = prepare(order, reading, summary, beside)
        packed = pack(order, content, reading.scanner)
    papers = replace(papers, finds=(*papers.finds, *packed.finds))
    told = (*found, *papers.diagnostics, *packed.diagnostics, *reading.scanner.limits())
    whose = whose_names(order, reading)
    found = settle(told, papers.finds, order.released, packed.content, whose)
    lock = record(order, reading, content, packed, papers, found)
    unused = idle(order.released, papers.finds, packed.content, whose)
    found = ordered([*found, *about_to_enter_git(order, lock, reading.scanner), *unused])
    tell(order, reading, found, summary, packed, lock, papers)
    texts, whom = texts_that_leave(packed.done, summary), patients(reading)
    made, package = (None, None) if forbidden(found) else (lock, publish(order, packed.facts.name))
    finds = to_judge(found, papers.finds)
    return Built(
        found, made, package, summary, texts, whom, packed.content, finds, reading.scanner.identifies, whose
    )
