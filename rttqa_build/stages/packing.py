"""Objects, documents and summary → the package, written in a staging folder and verified there."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rttqa_build import disk
from rttqa_build.lock import PackageFacts
from rttqa_build.package.archive import compress, writing
from rttqa_build.package.bag import BagInfo, Record, content_digest, tag_files
from rttqa_build.package.layout import README, SUMMARY, Identity, long_paths, too_large
from rttqa_build.package.provenance import Provenance, Supplemented, statement
from rttqa_build.package.readme import Readme, readme
from rttqa_build.resolve.roles import is_series
from rttqa_build.stages.objects import process
from rttqa_build.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from rttqa_build.deidentify.finds import Find
    from rttqa_build.deidentify.job import Job
    from rttqa_build.deidentify.residue import Scanner
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.lock import Lock
    from rttqa_build.package.archive import Member
    from rttqa_build.stages.objects import Done, Task
    from rttqa_build.stages.order import Order
    from rttqa_build.stages.paperwork import Rendered

STAGING = ".staging"


@dataclass(frozen=True, slots=True)
class Content:
    """What goes in: objects with the job that rewrites them, other files by path, input tokens by role.

    ``summary`` gives the clinical summary and the findings in it; it is waited for behind the objects.
    """

    chosen: tuple[Task, ...]
    job: Job
    others: Mapping[str, bytes]
    summary: Future[Rendered]
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Packed:
    """What came of it: the account of each object, the content digest, the finished file, findings, finds."""

    done: tuple[Done[Member], ...]
    content: str
    facts: PackageFacts
    diagnostics: tuple[Diagnostic, ...]
    finds: tuple[Find, ...] = ()


def pack(order: Order, content: Content, scanner: Scanner) -> Packed:
    """Write the package into the staging folder and verify it there.

    Raises RttqaError when the disk fails or the source changes; then nothing is left behind.
    """
    identity = _identity(order)
    staged = order.output / STAGING / identity.package
    payload: dict[str, Record] = {}
    done: list[Done[Member]] = []
    others = dict(content.others)
    others[README] = readme(_readme(order), [*(task.path for task in content.chosen), SUMMARY, *others])
    with writing(staged) as writer:
        for one in process(order.source, content.chosen, content.job, scanner, _member, order.jobs):
            done.append(one.account)
            if one.packed is not None:
                payload[one.task.path] = Record(one.packed.sha256, one.packed.size)
                writer.add(f"{identity.folder}/{one.task.path}", one.packed)
        summary = content.summary.result()
        others[SUMMARY] = summary.data
        for path, data in sorted(others.items()):
            member = compress(data)
            payload[path] = Record(member.sha256, member.size)
            writer.add(f"{identity.folder}/{path}", member)
        digest = content_digest(payload)
        tags = tag_files(payload, _bag_info(order), statement(digest, _provenance(order, content)))
        for path, data in tags.items():
            writer.add(f"{identity.folder}/{path}", compress(data))
    portal = order.settings.portal
    verified = order.beside.submit(verify, staged, identity.package, jobs=order.jobs).result()
    found = (
        *summary.diagnostics,
        *(diagnostic for one in done if one.rules for diagnostic in one.diagnostics),
        *_gathered(diagnostic for one in done if not one.rules for diagnostic in one.diagnostics),
        *long_paths(identity.folder, payload),
        *too_large(verified.size, portal.max_bytes if portal else None),
        *verified.diagnostics,
    )
    facts = PackageFacts(identity.package, verified.size, verified.sha256)
    finds = (*summary.finds, *(find for one in done for find in one.finds))
    return Packed(tuple(done), digest, facts, found, finds)


def _gathered(refused: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Yield each reason for which objects were refused once, with the paths of all: often a whole series."""
    paths: dict[Diagnostic, list[str]] = {}
    for one in refused:
        paths.setdefault(replace(one, local=""), []).append(one.local)
    for one, local in paths.items():
        yield replace(one, local="\n".join(sorted(local)))


def _member(_: Task, data: bytes) -> Member:
    return compress(data)


def publish(order: Order, name: str) -> Path | None:
    """Give the verified package its name, at once; without ``keep``, remove it."""
    target = order.output / name
    if order.keep:
        try:
            (order.output / STAGING / name).replace(target)
        except OSError as error:
            raise disk.failure(error, "the package") from None
    sweep(order)
    return target if order.keep else None


def stage(order: Order) -> Path:
    """Return an empty staging folder."""
    sweep(order)
    folder = order.output / STAGING
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise disk.failure(error, "the build folder") from None
    return folder


def sweep(order: Order) -> None:
    """Remove what this or an earlier, killed build left in the staging folder."""
    shutil.rmtree(order.output / STAGING, ignore_errors=True)


def _identity(order: Order) -> Identity:
    submission = order.manifest.submission
    return Identity(
        order.trial.id,
        order.settings.centre.code,
        submission.subject,
        submission.purpose,
        submission.revision,
    )


def _readme(order: Order) -> Readme:
    centre, supplement = order.settings.centre, order.manifest.submission.supplement
    return Readme(
        _identity(order),
        order.trial.title,
        centre.name,
        centre.contact.name,
        centre.contact.email,
        order.previous.package.name if supplement and order.previous else "",
    )


def _bag_info(order: Order) -> BagInfo:
    centre, submission = order.settings.centre, order.manifest.submission
    what = f"{order.trial.id}, {submission.purpose}, revision {submission.revision}"
    if submission.supplement and order.previous:
        what += f", supplement to revision {submission.revision - 1}"
    name = _identity(order).package.removesuffix(".zip")
    return BagInfo(name, what, centre.name, centre.contact.name, centre.contact.email)


def _provenance(order: Order, content: Content) -> Provenance:
    versions = order.basis.versions
    used = {
        "tool": versions.tool,
        "profile": versions.profile,
        "deflate": versions.deflate,
        "typst": versions.typst,
    }
    before = order.previous if order.manifest.submission.supplement else None
    return Provenance(
        order.trial.id,
        order.trial.digest,
        order.key.fingerprint,
        used,
        content.inputs,
        _supplemented(before) if before else None,
    )


def _supplemented(before: Lock) -> Supplemented:
    sent = sorted({row.uid for rows in before.uids.values() for row in rows})
    images = sum(row.count for role, row in before.inputs.items() if is_series(role.partition(":")[0]))
    return Supplemented(before.package.name, before.content, tuple(sent), images)
