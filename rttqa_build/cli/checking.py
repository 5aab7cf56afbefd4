"""``check`` and ``verify``: looking without changing anything; no patient data needed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rttqa_build.cli import session
from rttqa_build.cli.formats import Format, Row
from rttqa_build.cli.output import show_text, tally
from rttqa_build.deadline import deadline
from rttqa_build.diagnostic import Location, RttqaError, UsageError, exit_code, finding, ordered
from rttqa_build.mappings import FILE as MAPPINGS
from rttqa_build.settings import FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rttqa_build.cli.output import Terminal
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.receipt import Receipt
    from rttqa_build.verify import VerifyReport
    from rttqa_build.workspace import Submission, Workspace


def check(named: Sequence[str], output: Format) -> int:
    """Check manifests and what lies beside them."""
    here, out = session.workspace(), session.term()
    loaded = [here.load(path) for path in here.manifests(named)]
    across = here.contradictions(loaded)
    rows = [(one, ordered([*one.diagnostics, *_about(one, across), *_late(one)])) for one in loaded]
    shared = {FILE: (*here.diagnostics, *_remotes(here)), MAPPINGS: here.mappings()[1]}
    codes = [exit_code(found) for found in shared.values()]
    if output is not Format.TEXT:
        files = [Row(name, found) for name, found in shared.items() if found]
        session.write([*files, *(Row(one.name, found) for one, found in rows)], output, out)
        return session.worst([*codes, *(exit_code(found) for _, found in rows)])
    for found in shared.values():
        show_text(found, out, session.sources(here))
    if not rows:
        out.say(session.NO_SUBMISSION)
    return session.worst([*codes, *(session.report(here, *row, out) for row in rows)])


def _remotes(here: Workspace) -> tuple[Diagnostic, ...]:
    """Return what is to be said of the repository's remotes: the hook refuses with it, before a push can."""
    from rttqa_build import repository
    from rttqa_build.submit.gate import other_remotes

    allowed = here.settings.allowed_remotes
    if not allowed:
        return ()
    try:
        git = repository.find(here.root, session.environ())
    except RttqaError:
        return ()
    return tuple(other_remotes(git, allowed))


def _late(one: Submission) -> Iterator[Diagnostic]:
    """Yield what is to be said of the deadline, while the revision is not yet received."""
    if one.manifest and one.trial and one.records.receipt.received < one.manifest.submission.revision:
        yield from deadline(one.manifest, one.trial, session.today())


def _about(one: Submission, across: tuple[Diagnostic, ...]) -> list[Diagnostic]:
    return [found for found in across if found.subject == one.name]


def verify(packages: Sequence[Path], receipt: Path | None, *, jobs: int, output: Format) -> int:
    """Check packages as a receiver would; and against a receipt, where one is given."""
    from rttqa_build.verify import verify as inspect

    out = session.term()
    kept = _receipt(receipt) if receipt else None
    reports = [(path, inspect(path, path.name, jobs=jobs)) for path in packages]
    if kept is not None:
        reports = [
            (path, replace(one, diagnostics=ordered([*one.diagnostics, *_against(kept, one, path.name)])))
            for path, one in reports
        ]
    if output is not Format.TEXT:
        session.write((Row(path.name, one.diagnostics, _facts(one)) for path, one in reports), output, out)
        return session.worst(exit_code(one.diagnostics) for _, one in reports)
    for path, one in reports:
        show_text(one.diagnostics, out)
        counts = ", ".join(f"{count} {modality}" for modality, count in sorted(one.modalities.items()))
        out.say(f"{path.name}: {tally(one.diagnostics)}")
        out.say(f"  sha256  {one.sha256}")
        out.say(f"  content {one.content_digest}")
        out.say(f"  {one.size} bytes, {one.members} files ({counts})")
        if kept is not None:
            _tell_of_receipt(kept, one, out)
    return session.worst(exit_code(one.diagnostics) for _, one in reports)


def _facts(report: VerifyReport) -> dict[str, object]:
    return {
        "sha256": report.sha256,
        "size": report.size,
        "content": report.content_digest,
        "objects": dict(sorted(report.modalities.items())),
    }


def _receipt(path: Path) -> Receipt:
    """Return a receipt; raise UsageError for a file that is none."""
    from rttqa_build import disk, receipt, source
    from rttqa_build.library import Library

    document, told = source.parse(disk.read(path, source.MAX_BYTES, "the receipt"), "the receipt")
    if document is not None:
        document, more = Library().schema("receipt").validate(document)
        told = (*told, *more)
    if document is None or told:
        raise UsageError("the file given as --receipt is no receipt", "give a receipt.yaml")
    return receipt.from_document(document)


def _against(kept: Receipt, report: VerifyReport, name: str) -> tuple[Diagnostic, ...]:
    """Return a finding where the receipt does not say that exactly this file was received."""
    same = [one for one in kept.attempts if one.sha256 == report.sha256]
    if not same:
        return (finding("U057", "the receipt does not know this package: another SHA-256", Location(name)),)
    if not any(one.received for one in same):
        return (finding("U058", "the receipt does not say that this package arrived", Location(name)),)
    return ()


def _tell_of_receipt(kept: Receipt, report: VerifyReport, out: Terminal) -> None:
    for one in kept.attempts:
        if one.sha256 == report.sha256:
            proof = "received" if one.received else one.kind.value
            out.say(f"  receipt revision {one.revision}, {proof}, {one.portal}, {one.date}")
