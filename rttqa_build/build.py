"""The build: source folder × manifest → pseudonymised, packaged, verified output and its lock.

:func:`build` reads top to bottom: read, judge; then, unless something forbids it, prepare, pack, record,
publish. Each stage runs to its end and reports everything it finds; errors stop the next stage.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from rttqa_build import account, assessment, checks, disk, dosimetry, paperwork, supplement
from rttqa_build.checks.judgement import judge
from rttqa_build.deidentify.engine import Job, registered_uids
from rttqa_build.deidentify.marks import PROFILE, Marks
from rttqa_build.deidentify.policy import compile_policy
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.diagnostic import Location, ordered
from rttqa_build.evidence import Histograms, histograms
from rttqa_build.intake import Intake, take_in, weighed
from rttqa_build.lock import Input, Lock, PackageFacts, PseudonymousUid, dump, locked
from rttqa_build.objects import RT_KINDS, Task, settle_uids, tasks
from rttqa_build.order import Built, Order
from rttqa_build.package.probe import probe
from rttqa_build.packing import Content, Packed, pack, publish, stage, sweep
from rttqa_build.pictures import Pictures, pictures
from rttqa_build.pseudonym import Pseudonyms
from rttqa_build.records import LOCK
from rttqa_build.release import ACCOUNT, held_back, identities, idle, settle
from rttqa_build.resolve import Resolution, resolve
from rttqa_build.study import Instance, Kind, StructureFacts
from rttqa_build.summary import report
from rttqa_build.summary.assemble import Evidence, assemble, changed, contents_of
from rttqa_build.summary.context import Sending, Summary
from rttqa_build.summary.wording import date_in_words
from rttqa_build.supplied import Supplied, keeping, prove
from rttqa_build.tokens import patient_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from concurrent.futures import Executor

    from rttqa_build.deidentify.finds import Find
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.objects import Done
    from rttqa_build.order import Paper
    from rttqa_build.paperwork import Papers

__all__ = ["ACCOUNT", "REPORT", "Built", "Order", "build"]

REPORT = "report.html"
FORBIDDING = ("A", "K", "R")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the source says: the study, who plays which role, what the doses mean and show, whom it names."""

    intake: Intake
    resolution: Resolution
    case: checks.Case
    dose: Histograms
    pictures: Pictures
    scanner: Scanner
    told: tuple[Diagnostic, ...] = ()
    supplied: Supplied = field(default_factory=Supplied)


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
    texts, whom = account.texts_that_leave(packed.done, summary), patients(reading)
    made, package = (None, None) if forbidden(found) else (lock, publish(order, packed.facts.name))
    finds = to_judge(found, papers.finds)
    return Built(
        found, made, package, summary, texts, whom, packed.content, finds, reading.scanner.identifies, whose
    )


# --- reading and judging -----------------------------------------------------------------------------------


def read(order: Order, progress: Callable[[str], None]) -> Reading:
    """Take in the source, resolve the roles, evaluate doses, and cut the views."""
    with ThreadPoolExecutor(1) as beside:
        tools = beside.submit(probe)
        intake = take_in(order.source, order.jobs, progress)
    names = Pseudonyms.derive(order.key, order.trial.pseudonym_scope)
    before = supplement.earlier(order.manifest, order.previous, names)
    resolution = resolve(intake.study, order.manifest, order.trial, before)
    case = checks.Case(order.manifest, order.trial, resolution.roles)
    source = dosimetry.read(case, order.source)
    dose = assessment.compared(case, histograms(case, source, order.jobs), order.source)
    views = pictures(case, source, order.source, slices=order.keep)
    told = checks.run_measured(case, measured(source, dose))
    supplied = prove(resolution.roles, order.manifest, order.trial)
    scanner = Scanner(intake.harvest, ours(order), supplied.uids)
    return Reading(intake, resolution, case, dose, views, scanner, (*tools.result(), *told), supplied)


def measured(source: dosimetry.Dosimetry, dose: Histograms) -> checks.Measured:
    """Return contours, doses and medians as the checks take them."""
    grids = {name: found for name, found in source.doses.items() if isinstance(found, tuple)}
    return checks.Measured(source.drawn, source.body, source.main or "", grids, dose.medians)


def findings(order: Order, reading: Reading) -> tuple[Diagnostic, ...]:
    """Return what was found so far, unweighed; no name or number of the patient is left in what is local."""
    found = (
        *order.told,
        *order.clinical.diagnostics,
        *weighed(reading.intake, reading.resolution.instances),
        *reading.supplied.diagnostics,
        *reading.resolution.diagnostics,
        *supplement.same_patient(tokens(order, reading), order.previous, order.manifest),
        *checks.run(reading.case),
        *reading.dose.diagnostics,
        *reading.told,
    )
    return tuple(replace(one, local=reading.scanner.masked(one.local)) for one in found)


def tokens(order: Order, reading: Reading) -> Mapping[str, str]:
    """Return the patient tokens of what is sent: one a kind of number."""
    names = Pseudonyms.derive(order.key, order.trial.pseudonym_scope)
    return patient_tokens(reading.resolution.roles, order.manifest.submission, names)


def forbidden(found: Iterable[Diagnostic]) -> bool:
    """Return whether no package may be made: errors of families A, K and R, broken links among them."""
    return any(d.fatal and d.code.startswith(FORBIDDING) for d in found)


def to_judge(found: Iterable[Diagnostic], finds: tuple[Find, ...]) -> tuple[Find, ...]:
    """Return the places that people may release: none, where one cannot be or something else forbids."""
    told = {one.told for one in finds}
    if forbidden(one for one in found if one not in told) or not all(one.releasable for one in finds):
        return ()
    return finds


def ours(order: Order) -> tuple[str, ...]:
    """Return what manifest, settings and trial put into the package on purpose: never residue."""
    submission, centre, trial = order.manifest.submission, order.settings.centre, order.trial
    names = (submission.subject, submission.patient, submission.case, centre.code, centre.name, trial.id)
    contacts = (centre.contact.name, centre.contact.email, trial.contact.name, trial.contact.email)
    return (*names, *contacts, trial.title, trial.sponsor, *(rule.name for rule in trial.structures))


def summarise(order: Order, reading: Reading) -> Summary:
    """Return the context of the clinical summary, with labels that do not identify."""
    roles = {
        one.place: tuple(paperwork.cleaned(instance, reading.scanner) for instance in one.instances)
        for one in reading.resolution.roles
    }
    dose, shown = reading.dose, reading.pictures
    evidence = Evidence(
        roles, dose.volumes, dose.outcomes, dose.curves, order.clinical.fields, shown.views, shown.legend
    )
    return assemble(order.manifest, order.trial, order.settings, evidence)


# --- preparing the package ---------------------------------------------------------------------------------


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
    beside.submit(report.template)
    rendering = beside.submit(paperwork.clinical_summary, summary, order.trial, scanner, stage(order))
    return Content(chosen, shared, others, rendering, inputs), papers


def job(
    order: Order,
    chosen: tuple[Task, ...],
    names: Pseudonyms,
    scanner: Scanner,
    beside: Executor,
    kept_uids: frozenset[str] = frozenset(),
) -> Job:
    """Return the job that all objects share; ``kept_uids`` stay as they are.

    The UIDs of RT objects are settled beside it: who asks for one waits until they all are.
    """
    trial, submission, centre = order.trial, order.manifest.submission, order.settings.centre
    retained = frozenset(trial.retain)
    marks = Marks(
        submission.subject,
        trial.id,
        trial.title,
        trial.sponsor,
        centre.code,
        centre.name,
        trial.dates == "shift",
        "patient_characteristics" in retained,
        "safe_private" in retained,
    )
    first = Job(
        compile_policy(trial.dates, retained),
        marks,
        names.weeks_back(submission.subject),
        names.base_uid,
        registered_uids() | {uid.encode("latin-1") for uid in kept_uids},
        scanner.identifies,
    )
    rt_objects = {
        task.instance.sop_uid.encode("latin-1") for task in chosen if task.instance.kind in RT_KINDS
    }
    final = beside.submit(settle_uids, order.source, chosen, first, names)
    rows = order.previous.uids.values() if order.previous else ()
    sent = {row.base: row.uid for objects in rows for row in objects}

    def uid(original: bytes) -> str:
        base = names.base_uid(original)
        settled = final.result().get(original.decode("latin-1")) if original in rt_objects else None
        return settled or sent.get(base, base)

    return keeping(replace(first, uid=uid)) if kept_uids else replace(first, uid=uid)


def renamed(case: checks.Case, instance: Instance) -> Mapping[int, str | None]:
    """Return ROI number → name in the package for a structure set."""
    facts = instance.facts
    return case.naming(facts).renamed if isinstance(facts, StructureFacts) else {}


def inputs_of(reading: Reading, names: Pseudonyms) -> dict[str, Input]:
    """Return what the lock says of each role's inputs."""
    return {
        one.place: Input(
            len(one.instances),
            sum(instance.file.size for instance in one.instances),
            names.input_token(instance.file.sha256 for instance in one.instances),
        )
        for one in reading.resolution.roles
    }


def patients(reading: Reading) -> tuple[str, ...]:
    """Return who the selected objects say their patient is."""
    found = {i.patient for one in reading.resolution.roles for i in one.instances}
    return tuple(sorted(f"{p.name}, born {p.birth_date or 'unknown'}, ID {p.patient_id}" for p in found))


# --- recording ---------------------------------------------------------------------------------------------


def record(
    order: Order,
    reading: Reading,
    content: Content,
    packed: Packed,
    papers: Papers,
    found: tuple[Diagnostic, ...],
) -> Lock:
    """Return the lock of this build."""
    names = Pseudonyms.derive(order.key, order.trial.pseudonym_scope)
    return replace(
        made_from(order, reading, papers, names),
        content=packed.content,
        package=packed.facts,
        uids=uids_of(content, names),
        findings=locked(found),
    )


def made_from(order: Order, reading: Reading, papers: Papers, names: Pseudonyms) -> Lock:
    """Return what the lock says before there is a package: what goes in, and how the dose came out."""
    return Lock(
        order.basis,
        "",
        PackageFacts("", 0, ""),
        tokens(order, reading),
        inputs_of(reading, names),
        {paper.name: names.input_token([paper.original]) for paper in papers.papers},
        names.input_token([order.clinical.sha256]) if order.clinical.sha256 else "",
        constraints=reading.dose.verdicts,
    )


def uids_of(content: Content, names: Pseudonyms) -> dict[str, tuple[PseudonymousUid, ...]]:
    """Return the UIDs of the RT objects by kind, as they left."""
    found: dict[str, list[PseudonymousUid]] = {}
    for task in content.chosen:
        original = task.instance.sop_uid
        if task.instance.kind is not Kind.IMAGE:
            row = PseudonymousUid(names.base_uid(original), content.job.uid(original.encode("latin-1")))
            found.setdefault(task.instance.kind.value, []).append(row)
    return {kind: tuple(rows) for kind, rows in found.items()}


def about_to_enter_git(order: Order, lock: Lock, scanner: Scanner) -> tuple[Diagnostic, ...]:
    """Search everything that is about to be committed for the identities of this source."""
    texts = {**order.committed, LOCK: dump(lock).encode()}
    folders = "\n".join(sorted({name.rpartition("/")[0].rpartition("/")[2] for name in order.committed}))
    named = scanner.scan_text(folders, Location("name of the submission's folder"))
    written = (
        hit for name, data in sorted(texts.items()) for hit in scanner.scan_bytes(data, Location(name))
    )
    return (*named, *written)


def whose_names(order: Order, reading: Reading) -> str:
    """Return the keyed digest of whom the source names: releases hold for these."""
    return identities(reading.intake.harvest, Pseudonyms.derive(order.key, order.trial.pseudonym_scope))


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
    local = account.local_part(found, done, fates, summary, reading.scanner.masked, order.committed)
    local = replace(local, slices=reading.pictures.slices)
    disk.write(order.output / REPORT, account.report_html(summary, sending, local))
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
