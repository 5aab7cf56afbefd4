"""What was made, and from what → the lock, and a last look at all that is about to enter Git."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import Location
from rttqa_build.lock import Input, Lock, PackageFacts, PseudonymousUid, dump, locked
from rttqa_build.pseudonym import Pseudonyms
from rttqa_build.records import LOCK
from rttqa_build.stages.reading import Reading, tokens
from rttqa_build.study import Kind

if TYPE_CHECKING:
    from rttqa_build.deidentify.residue import Scanner
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.stages.order import Order
    from rttqa_build.stages.packing import Content, Packed
    from rttqa_build.stages.paperwork import Papers


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
