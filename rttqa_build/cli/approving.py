"""``approve``: a person looks at what leaves, on a terminal, and says yes."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from rttqa_build import disk, records
from rttqa_build.build import build
from rttqa_build.centre.identifiers import kinds
from rttqa_build.cli import session
from rttqa_build.cli.building import order
from rttqa_build.cli.lines import visible
from rttqa_build.cli.releasing import judged
from rttqa_build.diagnostic import RttqaError, UsageError
from rttqa_build.records import approval, release
from rttqa_build.records.approval import Approval
from rttqa_build.source import MAX_BYTES
from rttqa_build.stages.order import REPORT
from rttqa_build.workspace import with_key

_ROLE_HINT = "name the role only, such as physicist or trial radiographer"

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rttqa_build.cli.output import Terminal
    from rttqa_build.cli.workers import Workers
    from rttqa_build.lock import Lock
    from rttqa_build.records.approval import Release
    from rttqa_build.stages.order import Built
    from rttqa_build.workspace import Submission, Workspace


def approve(name: str, role: str, crew: Workers) -> int:
    """Show what leaves, ask, and record the answer."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("an approval is given on a terminal, by a person", "run this in a terminal window")
    here, out = session.workspace(), session.term()
    if names := kinds(role, here.settings.identifiers):
        raise UsageError(f"--role seems to hold {names[0]}, and would go into Git", _ROLE_HINT)
    (path,) = here.manifests([name])
    key = here.key()
    submission = with_key(here, here.load(path), key)
    _demand_built(here, submission)
    email = session.author(here)
    wanted = order(here, submission, key, crew, keep=True)
    # the role goes into Git: it is searched for this patient's and the staff's names as all else is
    wanted = replace(wanted, committed={**wanted.committed, records.APPROVAL: role.encode()})
    with here.alone(submission.name):
        built = build(wanted, out.progress)
    out.progress("")
    if any(one.fatal and one.where.file == records.APPROVAL for one in built.diagnostics):
        raise UsageError("--role holds something that identifies, and would go into Git", _ROLE_HINT)
    if built.lock is not None or not built.finds:
        _demand_same(submission.records.lock, built.lock)
    _show(here, submission, built, out)
    given = judged(here, submission, built, email, out)
    if given is None:
        return 1
    entry = Approval(role, email, session.today(), built.content)
    return _answered(submission, built, entry, given, out)


def _answered(
    submission: Submission, built: Built, entry: Approval, given: Sequence[Release], out: Terminal
) -> int:
    """Record the releases, and, where there is a package, the answer to the question for all of it."""
    if built.lock is None:
        _write(submission, submission.records.approvals, given)
        out.tell(f"released by {entry.by}; now build it again, then look at all of it and approve")
        return 0
    if not typer.confirm(f"Is this {_subject(submission)}, and may all of it leave?", default=False):
        out.say("not approved")
        return 1
    _write(submission, approval.add(submission.records.approvals, entry), given)
    out.tell(f"approved by {entry.by}; now commit manifest, lock and approval")
    return 0


def _demand_built(here: Workspace, submission: Submission) -> None:
    """Raise UsageError where there is neither a lock nor a build that finds held back."""
    account = here.output(submission.name) / release.ACCOUNT
    held = release.waiting(account, submission.basis.manifest, submission.records.released) is not None
    if submission.manifest is None or (submission.records.lock is None and not held):
        raise UsageError(
            "there is nothing to approve: this submission was not built", "run `rttqa-build build`"
        )


def _demand_same(lock: Lock | None, built: Lock | None) -> None:
    if lock is None or built is None or built.content != lock.content:
        raise RttqaError(
            "a build of today gives another content than the lock", "run `rttqa-build build` again"
        )


def _write(submission: Submission, approvals: Sequence[Approval], released: Sequence[Release]) -> None:
    """Write approval.yaml; raise UsageError where it would be longer than any such file may be."""
    data = approval.dump(approvals, released).encode()
    if len(data) > MAX_BYTES:
        raise UsageError(
            "there are more finds than approval.yaml can hold", "mend them in the planning system or document"
        )
    disk.write(submission.folder / records.APPROVAL, data)


def _subject(submission: Submission) -> str:
    return submission.manifest.submission.subject if submission.manifest else submission.name


def _show(here: Workspace, submission: Submission, built: Built, out: Terminal) -> None:
    """Show patient and trial ID side by side, every text that leaves, and where the report lies."""
    out.say(out.strong("Who it is"))
    for line in built.patients:
        out.say(f"  in the source   {visible(line)}")
    out.say(f"  in the package  {_subject(submission)}")
    out.say("")
    out.say(out.strong("Text that leaves"))
    for row in built.texts:
        out.tell(f"  {row.where}: {visible(row.text)}")
    out.say("")
    out.say(f"Look at the report too: {session.near(here.output(submission.name) / REPORT)}")
    out.say("")
