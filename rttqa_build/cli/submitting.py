"""``submit``: one process for all manifests: preflight once, then gate and hand-over for each."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build import records
from rttqa_build.centre import repository
from rttqa_build.cli import failures, mailing, session
from rttqa_build.cli.building import demand_places
from rttqa_build.cli.building import order as build_order
from rttqa_build.cli.formats import Format, Row
from rttqa_build.cli.output import show_text
from rttqa_build.cli.portals import Connection
from rttqa_build.diagnostic import Diagnostic, Location, RttqaError, UsageError, exit_code, finding, ordered
from rttqa_build.naming.mappings import FILE as MAPPINGS
from rttqa_build.records import ledger
from rttqa_build.records.receipt import About, Decision, Receipt, Sent, Word
from rttqa_build.submit import Candidate, Ending, Order, Result, Site, Steps, preflight
from rttqa_build.submit import submit as hand_over
from rttqa_build.submit.finish import EMAIL
from rttqa_build.submit.gate import files_that_count
from rttqa_build.workspace import SUBMISSIONS, with_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rttqa_build.cli.output import Terminal
    from rttqa_build.cli.workers import Workers
    from rttqa_build.pseudonym import CentreKey
    from rttqa_build.records.receipt import Attempt
    from rttqa_build.stages.order import Built
    from rttqa_build.workspace import Submission, Workspace


class Asked(NamedTuple):
    """What the command line asks for."""

    dry_run: bool
    resend: bool
    treat_as_received: bool
    reason: str


def submit(named: Sequence[str], asked: Asked, crew: Workers, output: Format) -> int:
    """Hand every submission over that is named and complete."""
    here, out = session.workspace(), session.term()
    git = repository.find(here.root, session.environ())
    paths = here.manifests(named)
    order = _order(asked, git.email(), len(paths))
    session.demand_anonymous(here, "--reason", asked.reason)
    key = here.key()
    with contextlib.ExitStack() as held:
        loaded, ended = _taken(here, paths, key, held, send=order.send)
        for one in loaded if asked.reason else ():
            session.demand_unnamed(here, one, "--reason", asked.reason)
        across = here.contradictions(loaded)
        run = Run(here, git, order, key, crew)
        ended += run.through([(one, _candidate(here, one, across, git)) for one in loaded])
    results = [result for result, _ in ended]
    remembered = order.send and _remember(here, loaded, results)
    if output is not Format.TEXT:
        rows = (Row(r.name, r.diagnostics, {"ending": r.ending.value}) for r in results)
        session.write(rows, output, out)
    else:
        for result in results:
            _tell(here, result, order.now, out)
        if not results:
            out.tell(session.NO_SUBMISSION)
        if remembered:
            out.say(f"structure names accepted with it: {MAPPINGS} (commit it)")
    return session.worst(code for _, code in ended)


def _remember(here: Workspace, loaded: Sequence[Submission], results: Sequence[Result]) -> bool:
    """Note the structure names of what was received; return whether any is new. Failing stops nothing."""
    arrived = {one.name for one in results if one.ending in {Ending.RECEIVED, Ending.ALREADY}}
    try:
        return here.remember(one.manifest for one in loaded if one.manifest and one.name in arrived)
    except RttqaError as error:
        failures.tell(error)
        return False


def _taken(
    here: Workspace, paths: Sequence[Path], key: CentreKey, held: contextlib.ExitStack, *, send: bool
) -> tuple[list[Submission], list[tuple[Result, int]]]:
    """Load what no other run is at; keep others away until ``held`` ends. What is taken has ended already."""
    loaded: list[Submission] = []
    ended: list[tuple[Result, int]] = []
    for path in paths:
        name = path.parent.name
        try:
            demand_places(here, name, here.read(path)[1].manifest)  # before anything is made there
            held.enter_context(here.alone(name))
            one = with_key(here, here.load(path), key)
            shared = here.ledger(one)
            if shared is not None and send:
                held.enter_context(here.alone_among_clones(name, shared))
            loaded.append(one)
        except UsageError as error:
            failures.tell(error)
            ended.append((Result(name, Ending.STOPPED), error.exit_code))
    return loaded, ended


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


def _candidate(
    here: Workspace, one: Submission, across: Sequence[Diagnostic], git: repository.Repository
) -> Candidate | None:
    if one.manifest is None or one.trial is None:
        return None
    kept = one.records
    shared = here.ledger(one)
    found = [*one.diagnostics, *(d for d in across if d.subject == one.name)]
    if shared is None:
        where = Location(f"{SUBMISSIONS}/{one.name}/{records.RECEIPT}")
        found.append(finding("U053", "the folder of the centre's key cannot be written to", where))
    schemas = (one.trial.id, *here.library.bundled_schema(one.trial.id).get("$defs", ()))
    return Candidate(
        one.folder,
        here.output(one.name),
        one.manifest.submission,
        one.trial,
        one.basis,
        kept.lock,
        kept.receipt,
        kept.approvals,
        ordered(found),
        files_that_count(here.root, one.folder, one.trial.id, schemas, git),
        shared,
        kept.released,
    )


class Run:
    """All submissions of one run, one after the other, at one portal that was asked once."""

    def __init__(
        self, here: Workspace, git: repository.Repository, order: Order, key: CentreKey, crew: Workers
    ) -> None:
        self._here, self._order, self._key, self._crew = here, order, key, crew
        self._connection = Connection(here, order.now)
        self._site = Site(here.settings, git, self._connection.portal, git.upstream())
        self._code = 0

    def through(self, chosen: Sequence[tuple[Submission, Candidate | None]]) -> list[tuple[Result, int]]:
        """Hand them over; return how each ended and its exit code."""
        self._ask([candidate for _, candidate in chosen if candidate])
        with self._connection.showing():
            return [self._one(submission, candidate) for submission, candidate in chosen]

    def _ask(self, candidates: Sequence[Candidate]) -> None:
        if exit_code(self._connection.findings):
            return
        try:
            with self._connection.asked():
                preflight(self._site, candidates, self._order)
        except RttqaError as error:
            self._end(error)

    def _end(self, error: RttqaError) -> None:
        """Say why nothing more is sent in this run."""
        failures.tell(error)
        self._code = error.exit_code
        self._site = replace(self._site, portal=None)

    def _one(self, submission: Submission, candidate: Candidate | None) -> tuple[Result, int]:
        if candidate is None:
            stopped = Result(submission.name, Ending.STOPPED, submission.diagnostics)
            return stopped, stopped.exit_code
        try:
            steps = _steps(self._here, submission, self._key, self._crew, self._connection)
            result = hand_over(candidate, self._site, steps, self._order, self._connection.findings)
        except KeyboardInterrupt:
            self._interrupted(candidate)
            raise
        except RttqaError as error:
            failures.tell(error)
            return Result(submission.name, Ending.STOPPED, submission.diagnostics), error.exit_code
        if result.halt is not None:
            self._connection.remember(result.halt)
            self._end(result.halt)
        unsent = result.ending is Ending.STOPPED and self._code
        return result, session.worst((result.exit_code, self._code if unsent else 0))

    def _interrupted(self, candidate: Candidate) -> None:
        """Raise RttqaError where a person stopped the run when it had, or may have, arrived already."""
        kept = ledger.read(candidate.folder / records.RECEIPT)
        if kept is not None and kept.received > candidate.receipt.received:
            raise RttqaError(
                f"interrupted, but the portal has received {candidate.name}",
                "commit receipt.yaml; run submit again: it sends nothing twice and finishes what is left",
                exit_code=failures.INTERRUPTED,
            ) from None
        if kept is None or kept.doubts_since(candidate.receipt):
            raise RttqaError(
                "interrupted, and it is not known whether the package arrived",
                "look at `rttqa-build status`; run submit again to see what it asks for",
                exit_code=failures.INTERRUPTED,
            ) from None


def _steps(
    here: Workspace, submission: Submission, key: CentreKey, crew: Workers, connection: Connection
) -> Steps:
    from rttqa_build.build import build
    from rttqa_build.verify import verify

    out = session.term()

    def rebuild() -> Built:
        built = build(build_order(here, submission, key, crew), out.progress)
        out.progress("")
        return built

    return Steps(
        rebuild,
        lambda handle, name: verify(handle, name, jobs=crew.jobs),
        lambda attempt: mailing.announcement(here, submission, attempt),
        mailing.post(here),
        connection.pause,
    )


def _tell(here: Workspace, result: Result, since: str, out: Terminal) -> None:
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
    if result.attempt:
        _tell_of_email(here, result.name, result.attempt, since, out)
    elif exit_code(result.diagnostics):
        out.say("  each finding above must be mended first; `rttqa-build explain CODE` says more")


def _tell_of_email(here: Workspace, name: str, attempt: Attempt, since: str, out: Terminal) -> None:
    """Say what this run, begun at ``since``, made of the e-mail, as the receipt on disk has it."""
    kept = ledger.read(here.root / SUBMISSIONS / name / records.RECEIPT) or Receipt()
    notice = kept.notice(attempt.revision, About.ANNOUNCEMENT)
    if notice is None or notice.date < since:
        return
    draft = session.near(here.output(name) / EMAIL)
    words = {
        Sent.DRAFTED: f"{draft} (a draft: open and send it)",
        Sent.SENT: "sent to the trial's contact",
        Sent.FAILED: "not sent; run submit again for it",
        Sent.UNKNOWN: f"perhaps sent; {draft} is a draft of it",
    }
    out.say(f"  email   {words[notice.fate]}")
