"""The hand-over of one submission: gate → rebuild → compare → verify → journal → portal → receipt → e-mail.

Reads top to bottom in :func:`submit`. Whatever step the process dies in, ``receipt.yaml`` tells the truth:
the attempt is on disk before the first byte leaves, its outcome after the last.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from rttqa_build import disk, receipt, source
from rttqa_build.diagnostic import Diagnostic, Location, RttqaError, exit_code, finding, ordered
from rttqa_build.history import freeze
from rttqa_build.lock import compare
from rttqa_build.portal import remote_name
from rttqa_build.receipt import Attempt, Outcome, OutcomeKind, Receipt, Word
from rttqa_build.records import LOCK, RECEIPT
from rttqa_build.submit.contract import Built, Ending, Order, Report, Result, Steps
from rttqa_build.submit.gate import Candidate, Site, at, gate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rttqa_build.lock import Lock
    from rttqa_build.portal import Portal

EMAIL = "email.eml"
_LIMIT = 1 << 20

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


def preflight(portal: Portal, candidates: Iterable[Candidate]) -> tuple[Diagnostic, ...]:
    """Ask the portal once for all submissions of a run, before any rebuild, whether it would take them."""
    sizes = [c.lock.package.size for c in candidates if c.lock and not c.already_received]
    return portal.preflight(sum(sizes)) if sizes else ()


def submit(
    candidate: Candidate, site: Site, steps: Steps, order: Order, refusals: tuple[Diagnostic, ...] = ()
) -> Result:
    """Hand one submission over, or say all that speaks against it.

    ``refusals`` are the findings of :func:`preflight` and of the portal's settings. Raises RttqaError when
    the disk fails; the journal then stands as it was or holds an attempt without outcome.
    """
    candidate, order = _by_word(candidate, order)
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


def _by_word(candidate: Candidate, order: Order) -> tuple[Candidate, Order]:
    """Record ``--treat-as-received`` on the attempts that wait for it, and with that use the word up."""
    decision = order.decision
    if decision is None or decision.word is not Word.TREAT_AS_RECEIVED or not candidate.receipt.undecided:
        return candidate, order
    decided = candidate.receipt.decided(decision)
    if order.send:
        _write(candidate, decided)
    return replace(candidate, receipt=decided), replace(order, decision=None)


def _already(candidate: Candidate, steps: Steps, order: Order) -> Result:
    """Finish what an earlier run may have left undone; send nothing."""
    attempt = candidate.received_attempt
    said = finding("U030", "this package was already received; nothing was sent", _where(candidate))
    if attempt is None or not order.send:
        return Result(candidate.name, Ending.ALREADY, (said,), attempt)
    left = _finish(candidate, attempt, steps)
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
    """Journal, hand over, journal again; finish what only a received package needs."""
    if _on_disk(candidate) != candidate.receipt:
        changed = finding("U022", "another run wrote to the receipt meanwhile", _where(candidate))
        return Result(candidate.name, Ending.STOPPED, (changed,))
    journal = candidate.receipt.decided(order.decision) if order.decision else candidate.receipt
    journal = journal.begun(_attempt(candidate, lock, portal.host, order.now))
    attempt = journal.attempts[-1]
    _write(candidate, journal)
    outcome = portal.put(handle, attempt.name, attempt.size, attempt.sha256)
    journal = journal.ended(outcome)
    _write(candidate, journal)
    attempt = journal.attempts[-1]
    ending, told = _told(candidate, outcome)
    left = _finish(candidate, attempt, steps) if attempt.received else ()
    return Result(candidate.name, ending, (*told, *left), attempt)


def _attempt(candidate: Candidate, lock: Lock, host: str, now: str) -> Attempt:
    package = lock.package
    name = remote_name(package.name, package.sha256, candidate.receipt.tries(package.sha256))
    revision = candidate.submission.revision
    return Attempt(revision, lock.content, name, package.size, package.sha256, host, now)


def _told(candidate: Candidate, outcome: Outcome) -> tuple[Ending, tuple[Diagnostic, ...]]:
    ending, code, words = _ENDINGS[outcome.kind]
    if not code:
        return ending, ()
    reason = outcome.facts.get("reason", "")
    return ending, (finding(code, f"{words}: {reason}" if reason else words, _where(candidate)),)


def _finish(candidate: Candidate, attempt: Attempt, steps: Steps) -> tuple[Diagnostic, ...]:
    """Freeze the revision and write the draft e-mail, unless done; neither undoes what was received."""
    draft = candidate.output / EMAIL
    try:
        if freeze(candidate.folder, attempt.revision):
            disk.remove(draft)  # an earlier revision's
        if not draft.exists():
            disk.write(draft, steps.email(attempt))
    except RttqaError as error:
        return (finding("U040", error.message, _where(candidate), hint=error.hint),)
    return ()


# --- the journal ---


def _where(candidate: Candidate) -> Location:
    return at(candidate, RECEIPT)


def _write(candidate: Candidate, journal: Receipt) -> None:
    disk.write(candidate.folder / RECEIPT, receipt.dump(journal).encode())


def _on_disk(candidate: Candidate) -> Receipt | None:
    """Return the receipt as it is on disk now; None when it cannot be read."""
    path = candidate.folder / RECEIPT
    if not path.exists():
        return Receipt()
    document, _ = source.parse(disk.read(path, _LIMIT, RECEIPT), RECEIPT)
    try:
        return None if document is None else receipt.from_document(document)
    except (KeyError, TypeError, ValueError):
        return None
