"""``build``: one order per manifest; the lock is written only when there is a package."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rttqa_build import disk, lock, records
from rttqa_build.centre import repository
from rttqa_build.centre.repository import inside_work_tree
from rttqa_build.cli import failures, session
from rttqa_build.cli.formats import Format, Row
from rttqa_build.cli.output import show_text, tally
from rttqa_build.diagnostic import Location, RttqaError, UsageError, exit_code, finding, ordered
from rttqa_build.stages.order import REPORT, Built, Order
from rttqa_build.study.survey import survey
from rttqa_build.workspace import with_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rttqa_build.cli.output import Terminal
    from rttqa_build.cli.workers import Workers
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.manifest import Manifest
    from rttqa_build.pseudonym import CentreKey
    from rttqa_build.workspace import Submission, Workspace


EDITED = "M406"  # a received revision is never built again from another manifest


class Outcome(NamedTuple):
    """How one build ended."""

    name: str
    code: int
    found: tuple[Diagnostic, ...]
    built: Built | None = None
    error: RttqaError | None = None


def build(named: Sequence[str], crew: Workers, *, locked: bool, output: Format) -> int:
    """Build every manifest that is named; each is reported, the worst exit code wins."""
    here, out = session.workspace(), session.term()
    key = here.key()
    outcomes = []
    for path in here.manifests(named):
        outcome = _one(here, path, key, crew, locked=locked)
        outcomes.append(outcome)
        if output is Format.TEXT:
            _tell(here, outcome, out, locked=locked)
    if output is not Format.TEXT:
        session.write((Row(o.name, o.found, _facts(o)) for o in outcomes), output, out)
    elif not outcomes:
        out.tell(session.NO_SUBMISSION)
    return session.worst(outcome.code for outcome in outcomes)


def _one(here: Workspace, path: Path, key: CentreKey, crew: Workers, *, locked: bool) -> Outcome:
    """Build one submission while no other run is at it."""
    name = path.parent.name
    found: tuple[Diagnostic, ...] = ()
    try:
        demand_places(here, name, here.read(path)[1].manifest)  # before anything is made there
        with here.alone(name):
            submission = with_key(here, here.load(path), key)
            found = submission.reading.diagnostics
            return _build(here, submission, key, crew, locked=locked)
    except RttqaError as error:
        session.term().progress("")
        failures.tell(error)
        return Outcome(name, error.exit_code, found, error=error)


def _build(
    here: Workspace, submission: Submission, key: CentreKey, crew: Workers, *, locked: bool
) -> Outcome:
    out = session.term()
    edited = any(one.code == EDITED for one in submission.diagnostics)
    if submission.manifest is None or submission.trial is None or edited:
        return Outcome(submission.name, 1, submission.diagnostics)
    given = _order(here, submission, key, crew, keep=not locked)
    from rttqa_build.build import build as run  # while the source is being surveyed

    built = run(given, out.progress)
    out.progress("")
    found = built.diagnostics
    if locked:
        found = ordered([*found, *_differences(submission, built)])
    elif _received(submission):
        found = ordered([*found, *_other_than_received(submission, built)])
    elif built.lock is not None:
        disk.write(submission.folder / records.LOCK, lock.dump(built.lock).encode())
    return Outcome(submission.name, exit_code(found), found, built)


def order(
    here: Workspace, submission: Submission, key: CentreKey, crew: Workers, *, keep: bool = True
) -> Order:
    """Return what a build of a submission needs; raise RttqaError when source or output may not be used."""
    demand_places(here, submission.name, submission.manifest)
    return _order(here, submission, key, crew, keep=keep)


def _order(here: Workspace, submission: Submission, key: CentreKey, crew: Workers, *, keep: bool) -> Order:
    manifest, trial = submission.manifest, submission.trial
    if manifest is None or trial is None:
        raise ValueError("only a submission with a valid manifest can be built")
    source = here.source(manifest)
    return Order(
        manifest,
        trial,
        here.settings,
        key,
        submission.basis,
        source,
        here.output(submission.name),
        here.clinical(manifest, source),
        here.previous(submission),
        {submission.shown: submission.data},
        submission.reading.diagnostics,
        crew.jobs,
        keep,
        submission.records.released,
        crew.beside,
        survey(source, crew.beside, crew.jobs),
    )


def demand_places(here: Workspace, name: str, manifest: Manifest | None) -> None:
    """Raise UsageError where source or output may not lie."""
    _demand_ignored(here, here.output(name) / REPORT)
    _demand_unsent(here, here.output(name))
    if manifest is not None:
        _demand_apart(here, here.output(name), here.source(manifest))


def _demand_ignored(here: Workspace, path: Path) -> None:
    """Raise UsageError when Git would take up what is built; without git it cannot."""
    if not inside_work_tree(path):
        return
    try:
        ignored = repository.find(here.root, session.environ()).ignored(path)
    except UsageError:
        return
    if not ignored:
        raise UsageError(
            "the build folder is not ignored by Git: packages and reports could be committed",
            "add `build_dir` of rttqa.yaml to .gitignore, or choose a folder outside the repository",
        )


def _demand_unsent(here: Workspace, output: Path) -> None:
    """Raise UsageError when what is built would lie in the portal's folder without being sent."""
    try:
        portal = here.portal_folder()
    except UsageError:  # who only builds need not say where the portal is
        return
    if portal is not None and output.resolve().is_relative_to(portal.resolve()):
        raise UsageError(
            "the build folder lies in the portal's folder: the report, for you only, would be handed over",
            "choose a folder of its own for `build_dir` of rttqa.yaml",
        )


def _demand_apart(here: Workspace, output: Path, source: Path) -> None:
    """Raise UsageError when what is built would lie among originals, and be part of the next build."""
    made, given = output.resolve(), source.resolve()
    if made.parent == here.data_root().resolve() or made.is_relative_to(given) or given.is_relative_to(made):
        raise UsageError(
            "the build folder and the exports lie in one folder",
            "choose a folder of its own for `build_dir` of rttqa.yaml: packages belong apart from originals",
        )


def _differences(submission: Submission, built: Built) -> tuple[Diagnostic, ...]:
    then, where = submission.records.lock, Location(f"{submission.shown.rpartition('/')[0]}/{records.LOCK}")
    if then is None:
        return (finding("K110", "there is no lock to compare with", where),)
    if built.lock is None:
        return ()
    return lock.compare(then, built.lock, where)


def _received(submission: Submission) -> bool:
    """Return whether the portal has this revision: its lock stands for ever."""
    manifest, kept = submission.manifest, submission.records
    return manifest is not None and kept.receipt.received >= manifest.submission.revision


def _other_than_received(submission: Submission, built: Built) -> tuple[Diagnostic, ...]:
    """Return a finding when a build gives other content than what was received under its revision."""
    then = submission.records.lock
    if built.lock is None or (then is not None and then.content == built.lock.content):
        return ()
    where = Location(f"{submission.shown.rpartition('/')[0]}/{records.RECEIPT}")
    return (finding("U021", "this revision was already received with other content", where),)


def _facts(outcome: Outcome) -> dict[str, object]:
    made = outcome.built.lock if outcome.built else None
    if outcome.error is not None:
        return {"package": None, "error": {"message": outcome.error.message, "hint": outcome.error.hint}}
    if made is None:
        return {"package": None}
    facts = made.package
    return {
        "package": {"name": facts.name, "size": facts.size, "sha256": facts.sha256, "content": made.content}
    }


def _tell(here: Workspace, outcome: Outcome, out: Terminal, *, locked: bool) -> None:
    show_text(outcome.found, out, session.sources(here))
    built = outcome.built
    out.say(f"{outcome.name}: {'not built' if outcome.error else tally(outcome.found)}")
    if built is None:
        return
    if built.lock is None:
        out.say("  no package was made; the lock is as it was")
        if built.finds:
            out.tell(f"  for coincidences: `rttqa-build approve {outcome.name}` shows each find, and asks")
    elif not locked and built.package is not None:
        out.say(f"  package {session.near(built.package)}")
        out.say(f"  sha256  {built.lock.package.sha256}")
        out.say(f"  content {built.lock.content}")
    if locked and built.lock is not None and not exit_code(outcome.found):
        out.say("  the same package again: nothing differs from the lock")
    if not locked:
        out.say(f"  report  {session.near(here.output(outcome.name) / REPORT)}")
