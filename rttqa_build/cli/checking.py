"""``check`` and ``verify``: looking without changing anything; no patient data needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rttqa_build.centre import repository
from rttqa_build.cli import session
from rttqa_build.cli.formats import Format, Row
from rttqa_build.cli.output import show_text, tally
from rttqa_build.diagnostic import Location, RttqaError, UsageError, exit_code, finding, ordered
from rttqa_build.naming.mappings import FILE as MAPPINGS
from rttqa_build.settings import FILE, find_root
from rttqa_build.trial.deadline import deadline
from rttqa_build.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rttqa_build.centre.repository import Repository
    from rttqa_build.cli.output import Terminal
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.records.receipt import Receipt
    from rttqa_build.verify import VerifyReport
    from rttqa_build.workspace import Submission


def check(named: Sequence[str], output: Format, *, staged: bool = False) -> int:
    """Check manifests and what lies beside them; ``staged``: as the next commit would hold them."""
    if not staged:
        return _check(session.workspace(), None, named, output)
    if named:
        raise UsageError("--staged checks all that is staged", "give no MANIFEST with it")
    root = find_root(Path.cwd()) or Path.cwd()
    git = repository.find(root, session.environ())
    with session.unpacked(git.staged(root, session.environ().get("GIT_INDEX_FILE", ""))) as folder:
        inside = folder / git.relative(root)
        if not inside.is_dir() or not any(inside.iterdir()):
            return 0
        if not (inside / FILE).is_file():
            raise UsageError(f"{FILE} is not staged", f"`git add {FILE}`, which the submissions need")
        return _check(Workspace.find(inside, session.environ()), git, (), output)


def _check(here: Workspace, git: Repository | None, named: Sequence[str], output: Format) -> int:
    """Check a repository; ``git`` where it is not the one around its folder."""
    out = session.term()
    loaded = [here.load(path) for path in here.manifests(named)]
    across = here.contradictions(loaded)
    rows = [(one, ordered([*one.diagnostics, *about(one, across), *_late(one)])) for one in loaded]
    shared = here.shared()
    shared[FILE] = (*here.diagnostics, *_remotes(here, git), *shared.get(FILE, ()))
    shared[MAPPINGS] = (*here.mappings()[1], *shared.get(MAPPINGS, ()))
    codes = [exit_code(found) for found in shared.values()]
    if output is not Format.TEXT:
        files = [Row(name, found) for name, found in shared.items() if found]
        session.write([*files, *(Row(one.name, found) for one, found in rows)], output, out)
        return session.worst([*codes, *(exit_code(found) for _, found in rows)])
    for found in shared.values():
        show_text(found, out, session.sources(here))
    if not rows:
        out.tell(session.NO_SUBMISSION)
    return session.worst([*codes, *(session.report(here, *row, out) for row in rows)])


def _remotes(here: Workspace, git: Repository | None) -> tuple[Diagnostic, ...]:
    """Return what is to be said of the repository's remotes: the hook refuses with it, before a push can."""
    from rttqa_build.submit.gate import other_remotes

    allowed = here.settings.allowed_remotes
    if not allowed:
        return ()
    try:
        asked = git or repository.find(here.root, session.environ())
    except RttqaError:
        return ()
    return tuple(other_remotes(asked, allowed))


def _late(one: Submission) -> Iterator[Diagnostic]:
    """Yield what is to be said of the deadline, while the revision is not yet received."""
    if one.manifest and one.trial and one.records.receipt.received < one.manifest.submission.revision:
        yield from deadline(one.manifest, one.trial, session.today())


def about(one: Submission, across: tuple[Diagnostic, ...]) -> list[Diagnostic]:
    """Return what is to be said of a submission beside others."""
    return [found for found in across if found.subject == one.name]


def verify(packages: Sequence[Path], receipt: Path | None, *, jobs: int, output: Format) -> int:
    """Check packages as a receiver would; and against a receipt, where one is given."""
    from rttqa_build.verify import verify as inspect

    out = session.term()
    _demand_files(packages)
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
        out.say(f"{path.name}: {tally(one.diagnostics)}")
        _tell_of_package(one, out)
        if kept is not None:
            _tell_of_receipt(kept, one, out)
    return session.worst(exit_code(one.diagnostics) for _, one in reports)


def _demand_files(packages: Sequence[Path]) -> None:
    for path in packages:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "is not there"
            raise UsageError(f"{path.name} {what}", "give the path of a package: a zip file")


def _tell_of_package(report: VerifyReport, out: Terminal) -> None:
    counts = ", ".join(f"{count} {modality}" for modality, count in sorted(report.modalities.items()))
    out.say(f"  sha256  {report.sha256}")
    if report.content_digest:
        out.say(f"  content {report.content_digest}")
    members = f", {report.members} files" if report.members else ""
    out.say(f"  {report.size} bytes{members}" + (f" ({counts})" if counts else ""))
    if report.supplements:
        out.say(f"  supplement to {report.supplements}: what it refers to there is not looked at here")


def _facts(report: VerifyReport) -> dict[str, object]:
    return {
        "sha256": report.sha256,
        "size": report.size,
        "content": report.content_digest,
        "objects": dict(sorted(report.modalities.items())),
        "supplements": report.supplements or None,
    }


def _receipt(path: Path) -> Receipt:
    """Return a receipt; raise UsageError for a file that is none."""
    from rttqa_build import disk, source
    from rttqa_build.library import Library
    from rttqa_build.records import receipt

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
            out.tell(f"  receipt revision {one.revision}, {proof}, {one.portal}, {one.date}")
