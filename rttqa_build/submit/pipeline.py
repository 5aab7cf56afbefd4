"""The hand-over of one submission: gate → rebuild → compare → verify → journal → portal → receipt → e-mail.

Reads top to bottom in :func:`submit`. Whatever step the process dies in, ``receipt.yaml`` tells the truth:
the attempt is on disk before the first byte leaves, its outcome after the last.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from rttqa_build import disk
from rttqa_build.diagnostic import Diagnostic, Location, exit_code, finding, ordered
from rttqa_build.lock import compare
from rttqa_build.portal import again, halt, interrupted, remote_name
from rttqa_build.receipt import Attempt, Outcome, OutcomeKind, Word
from rttqa_build.records import LOCK, RECEIPT
from rttqa_build.submit import journal as journals
from rttqa_build.submit.contract import Built, Ending, Order, Report, Result, Steps
from rttqa_build.submit.finish import finish
from rttqa_build.submit.gate import Candidate, Site, at, gate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rttqa_build.lock import Lock
    from rttqa_build.portal import Portal
    from rttqa_build.receipt import Receipt

_TRIES = 4
_ENDINGS = {
    OutcomeKind.VERIFIED: (Ending.RECEIVED, "", ""),
    OutcomeKind.UNVERIFIED: (
        Ending.UNVERIFIED,
        "U031",
        "the portal accepted the package without proof of receipt",
    ),
    OutcomeKind.CORRUPT: (Ending.CORRUPT, "U032", "the portal stored other bytes than were sent"),
    OutcomeKind.UNKNOWN: (Ending.UNKNOWN, "U033", "it is not known whether the package arrived"),
    OutcomeKind.REFUSED: (Ending.REFUSED, "U034", "the package was not handed over"),
}


def preflight(site: Site, candidates: Iterable[Candidate], order: Order) -> None:
    """Ask the portal once for all submissions of a run, before any rebuild, whether it would take them.

    It is not asked when none would be sent anyway: each question may cost a refused login. Raises RttqaError
    when the portal takes nothing now; then nothing may be sent in this run.
    """
    sizes = [one.lock.package.size for one in candidates if one.lock and _may_go(one, site, order)]
    if sizes and site.portal is not None:
        site.portal.preflight(sum(sizes))


def _may_go(candidate: Candidate, site: Site, order: Order) -> bool:
    candidate, order = _decided(candidate, order)
    if candidate.already_received:
        return False
    return not exit_code(gate(candidate, site, decided=order.decision is not None))


def submit(
    candidate: Candidate, site: Site, steps: Steps, order: Order, refusals: tuple[Diagnostic, ...] = ()
) -> Result:
    """Hand one submission over, or say all that speaks against it.

    ``refusals`` are findings about the portal's settings. Where :func:`preflight` failed, the site must have
    no portal. Raises RttqaError when the disk fails, KeyboardInterrupt when a person stops the upload; the
    journal then stands as it was, or holds an attempt with its outcome, or one without.
    """
    received = candidate.receipt
    candidate, order = _decided(candidate, order)
    if order.send and candidate.receipt != received:
        journals.write(candidate, candidate.receipt)
    if candidate.already_received:
        return _already(candidate, steps, order)
    findings = ordered([*refusals, *gate(candidate, site, decided=order.decision is not None)])
    lock, portal = candidate.lock, site.portal
    if exit_code(findings) or lock is None or portal is None:
        return Result(candidate.name, Ending.STOPPED, findings)
    built = steps.rebuild()
    findings = ordered([*findings, *_differences(candidate, lock, built)])
    if exit_code(findings) or built.package is None:
        return Result(candidate.name, Ending.STOPPED, findings)
    with _opened(built.package) as handle:
        findings = ordered([*findings, *_verified(candidate, lock, steps.verify(handle, lock.package.name))])
        if exit_code(findings):
            return Result(candidate.name, Ending.STOPPED, findings)
        if not order.send:
            return Result(candidate.name, Ending.READY, findings)
        result = _hand_over(candidate, lock, portal, handle, steps, order)
    return replace(result, diagnostics=ordered([*findings, *result.diagnostics]))


# --- what was received before ---


def _decided(candidate: Candidate, order: Order) -> tuple[Candidate, Order]:
    """Note ``--treat-as-received`` on the attempts that wait for it, and with that use the word up."""
    decision = order.decision
    if decision is None or decision.word is not Word.TREAT_AS_RECEIVED or not candidate.receipt.undecided:
        return candidate, order
    return replace(candidate, receipt=candidate.receipt.decided(decision)), replace(order, decision=None)


def _already(candidate: Candidate, steps: Steps, order: Order) -> Result:
    """Finish what an earlier run may have left undone; send nothing."""
    attempt = candidate.received_attempt
    said = finding("U030", "this package was already received; nothing was sent", _where(candidate))
    if attempt is None or not order.send:
        return Result(candidate.name, Ending.ALREADY, (said,), attempt)
    left = finish(candidate, candidate.receipt, attempt, steps, order.now)
    return Result(candidate.name, Ending.ALREADY, ordered([said, *left]), attempt)


# --- what must agree before anything leaves ---


def _differences(candidate: Candidate, lock: Lock, built: Built) -> tuple[Diagnostic, ...]:
    """Return why the rebuild is not the lock's; without a package, the rebuild's own findings say why."""
    where = at(candidate, LOCK)
    if built.lock is not None and built.package is not None:
        return compare(lock, built.lock, where)
    return (*built.diagnostics, finding("U023", "the rebuild gave no package", where))


def _verified(candidate: Candidate, lock: Lock, report: Report) -> tuple[Diagnostic, ...]:
    expected = (lock.package.size, lock.package.sha256, lock.content)
    if (report.size, report.sha256, report.content_digest) == expected:
        return report.diagnostics
    where = at(candidate, LOCK)
    return (*report.diagnostics, finding("U023", "the package is not the one that the lock describes", where))


def _opened(package: Path) -> BinaryIO:
    try:
        return package.open("rb")
    except OSError as error:
        raise disk.failure(error, "the package") from None


# --- the hand-over ---


def _hand_over(
    candidate: Candidate, lock: Lock, portal: Portal, handle: BinaryIO, steps: Steps, order: Order
) -> Result:
    """Journal, hand over, journal again, as often as it may help; then what only a received package needs."""
    if journals.on_disk(candidate) != candidate.receipt:
        changed = finding("U022", "another run wrote to the receipt meanwhile", _where(candidate))
        return Result(candidate.name, Ending.STOPPED, (changed,))
    journal = candidate.receipt.decided(order.decision) if order.decision else candidate.receipt
    now, pauses = order.now, [steps.pause] * (_TRIES - 1) if steps.pause else []
    for tries, pause in enumerate((*pauses, None), 1):
        journal = journal.begun(_attempt(candidate, lock, journal, portal.host, now))
        journal = _tried(candidate, journal, portal, handle, last=pause is None)
        if pause is None or not again(_outcome(journal.attempts[-1])):
            break
        now = pause(tries, _reason(journal.attempts[-1]))
    return _concluded(candidate, journal, steps, order)


def _attempt(candidate: Candidate, lock: Lock, journal: Receipt, host: str, now: str) -> Attempt:
    package = lock.package
    name = remote_name(package.name, package.sha256, journal.tries(package.sha256))
    revision = candidate.submission.revision
    return Attempt(revision, lock.content, name, package.size, package.sha256, host, now)


def _tried(
    candidate: Candidate, journal: Receipt, portal: Portal, handle: BinaryIO, *, last: bool
) -> Receipt:
    """Return the journal with the outcome of its last attempt; on disk that stands before the first byte."""
    attempt = journal.attempts[-1]
    journals.write(candidate, journal)
    outcome = portal.put(handle, attempt.name, attempt.size, attempt.sha256)
    if last and "copy" in outcome.facts:  # no further try will tell: a person must
        outcome = replace(outcome, kind=OutcomeKind.UNKNOWN)
    journal = journal.ended(outcome)
    journals.write(candidate, journal)
    if interrupted(outcome):
        raise KeyboardInterrupt
    return journal


def _concluded(candidate: Candidate, journal: Receipt, steps: Steps, order: Order) -> Result:
    attempt = journal.attempts[-1]
    ending, told = _told(candidate, attempt)
    left = finish(candidate, journal, attempt, steps, order.now) if attempt.received else ()
    findings = (*told, *_copies(candidate, journal), *left)
    return Result(candidate.name, ending, findings, attempt, halt(_outcome(attempt)))


def _outcome(attempt: Attempt) -> Outcome:
    return attempt.outcome or Outcome(OutcomeKind.UNKNOWN)


def _reason(attempt: Attempt) -> str:
    return _outcome(attempt).facts.get("reason", "")


def _told(candidate: Candidate, attempt: Attempt) -> tuple[Ending, tuple[Diagnostic, ...]]:
    ending, code, words = _ENDINGS[attempt.kind]
    if not code:
        return ending, ()
    reason = _reason(attempt)
    return ending, (finding(code, f"{words}: {reason}" if reason else words, _where(candidate)),)


def _copies(candidate: Candidate, journal: Receipt) -> tuple[Diagnostic, ...]:
    """Say so when the reviewers may find more than one copy of a revision."""
    attempt = journal.attempts[-1]
    stored = [one.name for one in journal.attempts if one.stored and one.revision == attempt.revision]
    if len(stored) < 2:
        return ()
    valid = f"; the valid one is {attempt.name}" if attempt.received else ""
    return (finding("U035", f"{len(stored)} copies may lie at the portal{valid}", _where(candidate)),)


def _where(candidate: Candidate) -> Location:
    return at(candidate, RECEIPT)
