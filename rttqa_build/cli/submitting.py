"""``submit``: one process for all manifests: preflight once, then gate and hand-over for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rttqa_build import mail, portal, records, repository
from rttqa_build.cli import failures, session
from rttqa_build.cli.building import order as build_order
from rttqa_build.cli.output import show_text
from rttqa_build.diagnostic import Diagnostic, RttqaError, UsageError, exit_code, ordered
from rttqa_build.identifiers import kinds
from rttqa_build.receipt import Decision, OutcomeKind, Word
from rttqa_build.settings import FILE
from rttqa_build.submit import Candidate, Ending, Order, Result, Site, Steps, preflight
from rttqa_build.submit import submit as hand_over
from rttqa_build.submit.pipeline import EMAIL
from rttqa_build.workspace import MANIFEST, SUBMISSIONS, with_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rttqa_build.build import Built
    from rttqa_build.cli.output import Terminal
    from rttqa_build.pseudonym import CentreKey
    from rttqa_build.receipt import Attempt
    from rttqa_build.workspace import Submission, Workspace


class Asked(NamedTuple):
    """What the command line asks for."""

    dry_run: bool
    resend: bool
    treat_as_received: bool
    reason: str
    jobs: int


def submit(named: Sequence[str], asked: Asked, *, as_json: bool) -> int:
    """Hand every submission over that is named and complete."""
    here, out = session.workspace(), session.term()
    git = repository.find(here.root, session.environ())
    paths = here.manifests(named)
    order = _order(asked, git.email(), len(paths))
    _demand_anonymous(here, asked.reason)
    key = here.key()
    loaded = [with_key(here, here.load(path), key) for path in paths]
    across = here.contradictions(loaded)
    site, refusals = _site(here, git)
    chosen = [(one, _candidate(here, one, across)) for one in loaded]
    refusals = (*refusals, *(preflight(site.portal, [c for _, c in chosen if c]) if site.portal else ()))
    ended = [
        _one(here, submission, candidate, site, order, refusals, key, asked.jobs)
        for submission, candidate in chosen
    ]
    results = [result for result, _ in ended]
    if as_json:
        session.as_json(((r.name, r.diagnostics, {"ending": r.ending.value}) for r in results), out)
    else:
        for result in results:
            _tell(here, result, out)
        if not results:
            out.say(session.NO_SUBMISSION)
    return session.worst(code for _, code in ended)


def _order(asked: Asked, by: str, manifests: int) -> Order:
    word = Word.RESEND if asked.resend else Word.TREAT_AS_RECEIVED if asked.treat_as_received else None
    if word is None:
        if asked.reason:
            raise UsageError("--reason goes with --resend or --treat-as-received", "leave it out")
        return Order(session.now(), send=not asked.dry_run)
    if asked.resend and asked.treat_as_received:
        raise UsageError("--resend and --treat-as-received exclude each other", "give one of them")
    if not asked.reason.strip():
        raise UsageError(f"--{word.value} needs a reason", 'add --reason "…": it goes into the receipt')
    if manifests != 1:
        raise UsageError(f"--{word.value} is for one submission at a time", "name its manifest")
    return Order(session.now(), Decision(word, asked.reason.strip(), by, session.today()), not asked.dry_run)


def _demand_anonymous(here: Workspace, reason: str) -> None:
    """Raise UsageError when a reason, which goes into the receipt and with it into Git, identifies anyone."""
    if held := kinds(reason, here.settings.identifiers):
        raise UsageError(f"--reason seems to hold {held[0]}, and would go into Git", "say it without")


def _site(here: Workspace, git: repository.Repository) -> tuple[Site, tuple[Diagnostic, ...]]:
    connected, found = portal.connect(here.settings.portal, here.portal_folder(), here.root)
    return Site(here.settings, git, connected), found


def _candidate(here: Workspace, one: Submission, across: Sequence[Diagnostic]) -> Candidate | None:
    if one.manifest is None or one.trial is None:
        return None
    kept = one.records
    found = ordered([*one.diagnostics, *(d for d in across if d.subject == one.name)])
    return Candidate(
        one.folder,
        here.output(one.name),
        one.manifest.submission,
        one.trial,
        one.basis,
        kept.lock,
        kept.receipt,
        kept.approvals,
        found,
        _files(here, one),
    )


def _files(here: Workspace, one: Submission) -> tuple[Path, ...]:
    """Return every file that decides what leaves: it must be committed as it is."""
    folder, trial = one.folder, one.trial.id if one.trial else ""
    always = [folder / MANIFEST, folder / records.LOCK, here.root / FILE]
    own = here.root / "trials" / trial
    others = [
        folder / records.APPROVAL,
        here.root / "mappings.yaml",
        here.root / "schemas" / f"{trial}.schema.json",
    ]
    definition = sorted(path for path in own.rglob("*") if path.is_file()) if trial and own.is_dir() else []
    return (*always, *(path for path in others if path.is_file()), *definition)


def _one(
    here: Workspace,
    submission: Submission,
    candidate: Candidate | None,
    site: Site,
    order: Order,
    refusals: tuple[Diagnostic, ...],
    key: CentreKey,
    jobs: int,
) -> tuple[Result, int]:
    """Hand one submission over; return how it ended and its exit code."""
    if candidate is None:
        stopped = Result(submission.name, Ending.STOPPED, submission.diagnostics)
        return stopped, stopped.exit_code
    try:
        result = hand_over(candidate, site, _steps(here, submission, key, jobs), order, refusals)
    except RttqaError as error:
        failures.tell(error)
        return Result(submission.name, Ending.STOPPED, submission.diagnostics), error.exit_code
    return result, result.exit_code


def _steps(here: Workspace, submission: Submission, key: CentreKey, jobs: int) -> Steps:
    from rttqa_build.build import build
    from rttqa_build.verify import verify

    out = session.term()

    def rebuild() -> Built:
        built = build(build_order(here, submission, key, jobs=jobs), out.progress)
        out.progress("")
        return built

    return Steps(
        rebuild,
        lambda handle, name: verify(handle, name, jobs=jobs),
        lambda attempt: _email(here, submission, attempt),
    )


def _email(here: Workspace, submission: Submission, attempt: Attempt) -> bytes:
    """Return the draft email."""
    from rttqa_build.announcement import announce
    from rttqa_build.summary import email

    manifest, trial, lock = submission.manifest, submission.trial, submission.records.lock
    if manifest is None or trial is None or lock is None:
        raise ValueError("only a submission that was built is announced")
    confirmed = f"{_done(attempt)} on {attempt.date}, SHA-256 {attempt.sha256}"
    context = announce(manifest, trial, here.settings, lock, confirmed)
    told = email.render(context, trial.templates)
    if isinstance(told, Diagnostic):
        raise RttqaError(told.message, told.hint, code=told.code)
    return mail.draft(told.subject, told.body, [told.recipient], here.settings.centre.contact.email)


def _done(attempt: Attempt) -> str:
    """Return what became of an attempt, in the email's words."""
    if attempt.kind is not OutcomeKind.VERIFIED:
        return "handed over, without proof of receipt,"
    return "copied to the hand-over folder and read back" if attempt.portal == "folder" else "received"


def _tell(here: Workspace, result: Result, out: Terminal) -> None:
    show_text(result.diagnostics, out)
    words = {
        Ending.STOPPED: "not sent",
        Ending.READY: "ready: nothing was sent (--dry-run)",
        Ending.ALREADY: "already received; nothing was sent",
        Ending.RECEIVED: "received by the portal",
    }
    out.say(f"{result.name}: {words.get(result.ending, result.ending.value)}")
    if result.ending is Ending.RECEIVED and result.attempt:
        out.say(f"  file    {result.attempt.name}")
        out.say(f"  sha256  {result.attempt.sha256}")
        out.say(f"  receipt {SUBMISSIONS}/{result.name}/{records.RECEIPT} (commit it)")
        email = session.near(here.output(result.name) / EMAIL)
        out.say(f"  email   {email} (a draft: open and send it)")
    elif exit_code(result.diagnostics):
        out.say("  each finding above must be mended first; `rttqa-build explain CODE` says more")
