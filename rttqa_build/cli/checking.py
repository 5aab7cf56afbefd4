"""``check``, ``verify`` and ``status``: looking without changing anything; no patient data needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build import approval
from rttqa_build.cli import session
from rttqa_build.cli.output import show_json, show_text, tally, to_json
from rttqa_build.diagnostic import exit_code, ordered
from rttqa_build.status import Facts, Status
from rttqa_build.status import status as standing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.workspace import Submission, Workspace

STALE = ("M401", "M402", "M403", "M404", "M405")


def check(named: Sequence[str], *, as_json: bool) -> int:
    """Check manifests and what lies beside them."""
    here, out = session.workspace(), session.term()
    loaded = [here.load(path) for path in here.manifests(named)]
    across = here.contradictions(loaded)
    rows = [(one, ordered([*one.diagnostics, *_about(one, across)])) for one in loaded]
    if as_json:
        session.as_json(((one.name, found, {}) for one, found in rows), out)
        return session.worst(exit_code(found) for _, found in rows)
    show_text(here.diagnostics, out)
    if not rows:
        out.say(session.NO_SUBMISSION)
    return session.worst([session.report(one, found, out) for one, found in rows])


def _about(one: Submission, across: tuple[Diagnostic, ...]) -> list[Diagnostic]:
    return [found for found in across if found.subject == one.name]


def status(named: Sequence[str], *, as_json: bool) -> int:
    """Show the state of each submission and the next step."""
    here, out = session.workspace(), session.term()
    loaded = [here.load(path) for path in here.manifests(named)]
    rows = [(one, _status(here, one)) for one in loaded]
    if as_json:
        show_json(
            [
                {"name": one.name, "state": now.state.value, "next": now.next_step, "trial": _trial(one)}
                for one, now in rows
            ],
            out,
        )
        return 0
    if not rows:
        out.say(session.NO_SUBMISSION)
    names = max((len(one.name) for one, _ in rows), default=0)
    states = max((len(now.state.value) for _, now in rows), default=0)
    for one, now in rows:
        out.say(f"{one.name:<{names}}  {now.state.value:<{states}}  {now.next_step}")
    return 0


def _trial(one: Submission) -> str:
    return one.trial.id if one.trial else ""


def _status(here: Workspace, one: Submission) -> Status:
    manifest, trial, kept = one.manifest, one.trial, one.records
    example = trial is not None and trial.status == "example"
    stale = any(found.code in STALE for found in one.diagnostics)
    errors = sum(found.fatal and found.code not in STALE for found in one.diagnostics)
    return standing(
        Facts(
            manifest.submission.revision if manifest else 1,
            errors,
            stale,
            kept.lock,
            kept.approvals,
            approval.required(here.settings.gate.approvals, example=example),
            kept.receipt,
        )
    )


def verify(packages: Sequence[Path], *, jobs: int, as_json: bool) -> int:
    """Check packages as a receiver would."""
    from rttqa_build.verify import verify as inspect

    out = session.term()
    reports = [(path, inspect(path, path.name, jobs=jobs)) for path in packages]
    if as_json:
        show_json(
            [
                {
                    "name": path.name,
                    "sha256": one.sha256,
                    "size": one.size,
                    "content": one.content_digest,
                    "objects": dict(sorted(one.modalities.items())),
                    "findings": [to_json(found) for found in one.diagnostics],
                }
                for path, one in reports
            ],
            out,
        )
        return session.worst(exit_code(one.diagnostics) for _, one in reports)
    for path, one in reports:
        show_text(one.diagnostics, out)
        counts = ", ".join(f"{count} {modality}" for modality, count in sorted(one.modalities.items()))
        out.say(f"{path.name}: {tally(one.diagnostics)}")
        out.say(f"  sha256  {one.sha256}")
        out.say(f"  content {one.content_digest}")
        out.say(f"  {one.size} bytes, {one.members} files ({counts})")
    return session.worst(exit_code(one.diagnostics) for _, one in reports)
