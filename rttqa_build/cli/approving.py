"""``approve``: a person looks at what leaves, on a terminal, and says yes."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from rttqa_build import approval, disk, records
from rttqa_build.approval import Approval
from rttqa_build.build import REPORT, Built, build
from rttqa_build.cli import session
from rttqa_build.cli.building import order
from rttqa_build.diagnostic import RttqaError, UsageError
from rttqa_build.identifiers import kinds
from rttqa_build.workspace import with_key

_ROLE_HINT = "name the role only, such as physicist or trial radiographer"

if TYPE_CHECKING:
    from rttqa_build.cli.output import Terminal
    from rttqa_build.lock import Lock
    from rttqa_build.workspace import Submission, Workspace


def approve(name: str, role: str) -> int:
    """Show what leaves, ask, and record the answer."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("an approval is given on a terminal, by a person", "run this in a terminal window")
    here, out = session.workspace(), session.term()
    if held := kinds(role, here.settings.identifiers):
        raise UsageError(f"--role seems to hold {held[0]}, and would go into Git", _ROLE_HINT)
    (path,) = here.manifests([name])
    key = here.key()
    submission = with_key(here, here.load(path), key)
    lock = _lock(submission)
    email = session.author(here)
    wanted = order(here, submission, key, jobs=2, keep=True)
    # the role goes into Git: it is searched for this patient's and the staff's names as all else is
    wanted = replace(wanted, committed={**wanted.committed, records.APPROVAL: role.encode()})
    with here.alone(submission.name):
        built = build(wanted, out.progress)
    out.progress("")
    if any(one.where.file == records.APPROVAL for one in built.diagnostics):
        raise UsageError("--role holds something that identifies, and would go into Git", _ROLE_HINT)
    if built.lock is None or built.lock.content != lock.content:
        raise RttqaError(
            "a build of today gives another content than the lock", "run `rttqa-build build` again"
        )
    _show(here, submission, built, out)
    if not typer.confirm(f"Is this {_subject(submission)}, and may all of it leave?", default=False):
        out.say("not approved")
        return 1
    entry = Approval(role, email, session.today(), lock.content)
    text = approval.dump(approval.add(submission.records.approvals, entry))
    disk.write(submission.folder / records.APPROVAL, text.encode())
    out.say(f"approved by {email}; now commit manifest, lock and approval")
    return 0


def _lock(submission: Submission) -> Lock:
    lock = submission.records.lock
    if lock is None or submission.manifest is None:
        raise UsageError(
            "there is nothing to approve: this submission was not built", "run `rttqa-build build`"
        )
    return lock


def _subject(submission: Submission) -> str:
    return submission.manifest.submission.subject if submission.manifest else submission.name


def _show(here: Workspace, submission: Submission, built: Built, out: Terminal) -> None:
    """Show patient and trial ID side by side, every text that leaves, and where the report lies."""
    out.say(out.strong("Who it is"))
    for line in built.patients:
        out.say(f"  in the source   {line}")
    out.say(f"  in the package  {_subject(submission)}")
    out.say("")
    out.say(out.strong("Text that leaves"))
    for row in built.texts:
        out.say(f"  {row.where}: {row.text}")
    out.say("")
    out.say(f"Look at the report too: {session.near(here.output(submission.name) / REPORT)}")
    out.say("")
