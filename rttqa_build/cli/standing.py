"""``status``: where each submission stands, the next step, and what is left of it in the build folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from rttqa_build.centre import repository
from rttqa_build.cli import session
from rttqa_build.cli.checking import about
from rttqa_build.cli.cleaning import Leftovers, leftovers
from rttqa_build.cli.output import show_json
from rttqa_build.cli.table import show_table
from rttqa_build.diagnostic import Location, RttqaError, ordered
from rttqa_build.records import DAMAGED, OUTCOME, RECEIPT, approval, ledger, release
from rttqa_build.records.history import HISTORY, revisions
from rttqa_build.status import Facts, Status
from rttqa_build.status import status as standing
from rttqa_build.trial.deadline import due
from rttqa_build.workspace import SUBMISSIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rttqa_build.cli.output import Terminal
    from rttqa_build.trial.deadline import Due
    from rttqa_build.workspace import Submission, Workspace

CONTRADICTIONS = ("R310", "R311", "R312")
STALE = ("M401", "M402", "M403", "M404", "M405")
COLUMNS = ("submission", "state", "missing", "send by", "age", "next step")


class Row(NamedTuple):
    """A submission, where it stands, and what is left of it in the build folder."""

    one: Submission
    now: Status
    left: Leftovers


def status(named: Sequence[str], *, as_json: bool) -> int:
    """Show the state of each submission, until when it is to be sent, and the next step."""
    here, out = session.workspace(), session.term()
    loaded = [here.load(path) for path in here.manifests(named)]
    across = here.contradictions(loaded)
    loaded = [replace(one, diagnostics=ordered([*one.diagnostics, *about(one, across)])) for one in loaded]
    changed, today = _changed(here), session.today()
    rows = [
        Row(
            one,
            standing_of(here, one, changed, today, _elsewhere(here, one), _held(here, one)),
            leftovers(here, one),
        )
        for one in loaded
    ]
    if as_json:
        show_json([_facts(row, today) for row in rows], out)
    else:
        _tell(rows, today, out)
    return 0


def _facts(row: Row, today: str) -> dict[str, object]:
    one, now, left = row
    return {
        "name": one.name,
        "state": now.state.value,
        "missing": now.missing,
        "deadline": {"date": now.due.date, "working_days_left": now.due.left} if now.due else None,
        "since": now.since or None,
        "age_days": _age(now.since, today),
        "today": now.today,
        "next": now.next_step,
        "trial": one.trial.id if one.trial else "",
        "remains": {"files": len(left.files), "bytes": left.size},
    }


def _tell(rows: Sequence[Row], today: str, out: Terminal) -> None:
    if not rows:
        out.tell(session.NO_SUBMISSION)
        return
    marked = {number for number, row in enumerate(rows) if row.now.today}
    show_table(COLUMNS, [_cells(row, today) for row in rows], marked, out)
    if len(rows) > 1 or marked:
        out.say("")
        out.say(f"{len(marked)} of {len(rows)} {'needs' if len(marked) == 1 else 'need'} something today")
    over = [row for row in rows if row.left.done and row.left.files]
    names = max((len(row.one.name) for row in over), default=0)
    if over:
        out.say("")
        out.say("No longer needed; rttqa-build clean removes it:")
        for one, _, left in over:
            out.say(f"{one.name:<{names}}  {session.near(left.folder)}: {left.words}")


def _cells(row: Row, today: str) -> tuple[str, ...]:
    now, age = row.now, _age(row.now.since, today)
    return (
        row.one.name,
        now.state.value,
        str(now.missing or ""),
        _send_by(now.due) if now.due else "",
        "" if age is None else f"{age} d",
        now.next_step,
    )


def _send_by(due: Due) -> str:
    if due.left == 0:
        return f"{due.date} (now)"
    return f"{due.date} ({due.left} left)" if due.left > 0 else f"{due.date} (late by {-due.left})"


def _due(one: Submission, today: str) -> Due | None:
    """Return until when to send, as far as the manifest says already; it need not be complete."""
    data: Any = one.reading.document.data if one.reading.document else None
    said = data.get("submission") if isinstance(data, dict) else None
    if one.trial is None or not isinstance(said, dict):
        return None
    return due(str(said.get("purpose")), str(said.get("radiotherapy_start")), one.trial, today)


def _age(since: str, today: str) -> int | None:
    """Return the days since a record was written, in whichever time zone; None where no date is known."""
    try:
        return max(0, (date.fromisoformat(today) - date.fromisoformat(since)).days)
    except ValueError:
        return None


def _held(here: Workspace, one: Submission) -> int | None:
    """Return how many finds of the last build wait for a person; None where it was not held back by any."""
    account = here.output(one.name) / release.ACCOUNT
    return release.waiting(account, one.basis.manifest, one.records.released)


def _unfrozen(one: Submission) -> int:
    """Return the first received revision that ``history/`` does not hold; 0 for none."""
    received = {attempt.revision for attempt in one.records.receipt.attempts if attempt.received}
    return min(received - set(revisions(one.folder)), default=0) if received else 0


def _elsewhere(here: Workspace, one: Submission) -> str:
    """Return why the receipt may not be all there is; nothing where no key's folder can be asked."""
    try:
        shared = here.ledger(one)
    except RttqaError:
        return ""
    told = ledger.doubt(shared, one.records.receipt, Location(f"{SUBMISSIONS}/{one.name}/{RECEIPT}"))
    return told.message if told else ""


def _changed(here: Workspace) -> tuple[str, ...]:
    """Return the submissions whose records are not in Git as they are on disk; nothing without Git."""
    try:
        changed = repository.find(here.root, session.environ()).changed_below(here.root / SUBMISSIONS)
    except RttqaError:
        return ()
    parts = (name.partition(f"{SUBMISSIONS}/")[2].split("/") for name in changed)
    return tuple(
        one[0] for one in parts if one[1:] in ([RECEIPT], [OUTCOME]) or (len(one) > 1 and one[1] == HISTORY)
    )


def standing_of(
    here: Workspace,
    one: Submission,
    changed: tuple[str, ...] = (),
    today: str = "",
    elsewhere: str = "",
    held: int | None = None,
) -> Status:
    """Return where a submission stands.

    ``changed`` are those whose records are not in Git as they are; without ``today`` nothing is due;
    ``elsewhere``: why its receipt may not be all there is; ``held``: how many finds wait for a person.
    """
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
            kept.reviews,
            one.name not in changed,
            _due(one, today),
            elsewhere,
            tuple(
                name for name, code in DAMAGED.items() if any(found.code == code for found in one.diagnostics)
            ),
            held,
            any(found.code in CONTRADICTIONS and found.fatal for found in one.diagnostics),
            _unfrozen(one),
        )
    )
