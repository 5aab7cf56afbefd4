"""``withdraw``: a submission that must not be sent, or not be used: blocked, and recalled by an email."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from rttqa_build import disk, mail
from rttqa_build.cli import mailing, session
from rttqa_build.diagnostic import Location, UsageError
from rttqa_build.records import RECEIPT, ledger
from rttqa_build.records.receipt import About, Notice, Sent, Withdrawal
from rttqa_build.workspace import SUBMISSIONS

if TYPE_CHECKING:
    from pathlib import Path

    from rttqa_build.cli.output import Terminal
    from rttqa_build.records.receipt import Attempt, Receipt
    from rttqa_build.workspace import Submission, Workspace

RECALL = "recall.eml"


def withdraw(name: str, reason: str, *, lift: bool) -> int:
    """Record the word in the receipt; draft the recall of what may lie at the portal."""
    here, out = session.workspace(), session.term()
    (path,) = here.manifests([name])
    if not reason.strip():
        raise UsageError("--reason is empty", "say in a few words why; it goes into the receipt")
    session.demand_anonymous(here, "--reason", reason)
    by, name = session.author(here), path.parent.name
    with contextlib.ExitStack() as held:
        held.enter_context(here.alone(name))
        submission = here.load(path)
        session.demand_unnamed(here, submission, "--reason", reason)
        shared = here.ledger(submission)
        if shared is not None:
            held.enter_context(here.alone_among_clones(name, shared))
        kept = _kept(submission, shared, lift=lift)
        said = Withdrawal("lifted" if lift else "withdrawn", reason.strip(), by, session.now())
        journal = kept.withdrew(said)
        _write(submission, shared, journal)
        out.say(
            f"{name}: {'the withdrawal is lifted' if lift else 'withdrawn; submit refuses it from now on'}"
        )
        out.say(f"  receipt {SUBMISSIONS}/{name}/{RECEIPT} (commit it, and push it)")
        if not lift:
            _recall(here, submission, shared, journal, out)
    return 0


def _kept(submission: Submission, shared: Path | None, *, lift: bool) -> Receipt:
    """Return the receipt; raise UsageError where the word does not fit it, or it is not all there is."""
    damage = next((one for one in submission.diagnostics if one.code == "M410"), None)
    if damage is not None:
        raise UsageError(damage.message, damage.hint, code=damage.code)
    kept = submission.records.receipt
    doubt = ledger.doubt(shared, kept, Location(f"{SUBMISSIONS}/{submission.name}/{RECEIPT}"))
    if doubt is not None:
        raise UsageError(doubt.message, doubt.hint, code=doubt.code)
    if lift and not kept.withdrawn:
        raise UsageError("this submission is not withdrawn", "leave out --lift")
    if kept.withdrawn and not lift:
        raise UsageError("this submission is withdrawn already", "nothing to do")
    return kept


def _write(submission: Submission, shared: Path | None, journal: Receipt) -> None:
    ledger.write(submission.folder / RECEIPT, journal)
    if shared is not None:
        ledger.write(shared, journal)


def _recall(
    here: Workspace, submission: Submission, shared: Path | None, journal: Receipt, out: Terminal
) -> None:
    """Draft the email that asks to delete every copy that may lie at the portal; none for nothing sent."""
    there: tuple[Attempt, ...] = tuple(one for one in journal.attempts if one.stored)
    if not there:
        out.say("  nothing was handed over: there is nothing to recall")
        return
    if submission.manifest is None or submission.trial is None:
        out.say("  write to the trial's contact: the manifest has errors, so that no e-mail can be drafted")
        return
    draft = here.output(submission.name) / RECALL
    disk.write(draft, mail.draft(mailing.recall(here, submission, there)))
    notice = Notice(there[-1].revision, About.RECALL, session.now(), outcome=Sent.DRAFTED)
    _write(submission, shared, journal.noticed(notice))
    out.say(f"  email   {session.near(draft)} (a draft that asks to delete {len(there)}: open and send it)")
