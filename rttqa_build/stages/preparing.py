"""What was read → what goes into the package: objects with the job that rewrites them, documents, summary."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rttqa_build.pseudonym import Pseudonyms
from rttqa_build.stages import paperwork
from rttqa_build.stages.objects import tasks
from rttqa_build.stages.packing import Content, stage
from rttqa_build.stages.recording import inputs_of, made_from
from rttqa_build.stages.rewriting import job
from rttqa_build.study import Instance, StructureFacts
from rttqa_build.summary import pdf, report
from rttqa_build.summary.assemble import changed, contents_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Executor

    from rttqa_build import checks
    from rttqa_build.stages.order import Order
    from rttqa_build.stages.paperwork import Papers
    from rttqa_build.stages.reading import Reading
    from rttqa_build.summary.context import Summary


def prepare(order: Order, reading: Reading, summary: Summary, beside: Executor) -> tuple[Content, Papers]:
    """Scrub the documents; UIDs are settled and the summary is rendered beside the packing."""
    scanner = reading.scanner
    names = Pseudonyms.derive(order.key, order.trial.pseudonym_scope)
    chosen = tasks(
        reading.resolution.roles,
        names,
        lambda instance: renamed(reading.case, instance),
        reading.supplied.files,
    )
    papers = paperwork.documents(order.manifest, order.trial, order.source, scanner)
    others = {paper.path: paper.data for paper in papers.papers}
    if order.previous is not None:
        known = made_from(order, reading, papers, names)
        summary = replace(
            summary,
            changes=changed(order.previous, known, beside=order.manifest.submission.supplement),
            before=contents_of(order.previous) if order.manifest.submission.supplement else (),
        )
    inputs = {role: row.digest for role, row in inputs_of(reading, names).items()}
    inputs |= {f"document:{paper.name}": names.input_token([paper.original]) for paper in papers.papers}
    shared = job(order, chosen, names, scanner, beside, reading.supplied.uids)
    typeset = order.beside.submit(pdf.typeset, summary, stage(order), order.trial.templates)
    order.beside.submit(report.prepare)
    rendering = beside.submit(paperwork.clinical_summary, summary, typeset, scanner)
    return Content(chosen, shared, others, rendering, inputs), papers


def renamed(case: checks.Case, instance: Instance) -> Mapping[int, str | None]:
    """Return ROI number → name in the package for a structure set."""
    facts = instance.facts
    return case.naming(facts).renamed if isinstance(facts, StructureFacts) else {}
