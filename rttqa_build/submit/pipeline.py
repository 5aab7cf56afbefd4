"""The hand-over of one submission: gate → rebuild → compare → verify → journal → portal → receipt → e-mail.

Reads top to bottom in :func:`submit`. Whatever step the process dies in, ``receipt.yaml`` tells the truth:
the attempt is on disk before the first byte leaves, its outcome after the last.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from rttqa_build import disk
from rttqa_build.diagnostic import Diagnostic, Location, RttqaError, exit_code, finding, ordered
from rttqa_build.lock import compare
from rttqa_build.portal import FOLDER, again, halt, interrupted, remote_name
from rttqa_build.records import LOCK, RECEIPT
from rttqa_build.records.receipt import Attempt, Outcome, OutcomeKind, Word
from rttqa_build.submit import journal as journals
from rttqa_build.submit.contract import Built, Ending, Order, Report, Result, Steps
from rttqa_build.submit.finish import finish
from rttqa_build.submit.gate import Candidate, Site, at, doubt, gate, void_releases

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rttqa_build.lock import Lock
    from rttqa_build.portal import Portal
    from rttqa_build.records.receipt import Receipt

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
# What counts most of the tries of a run, last.
_GRAVITY = (
    OutcomeKind.REFUSED,
    OutcomeKind.CORRUPT,
    OutcomeKind.UNVERIFIED,
    OutcomeKind.UNKNOWN,
    OutcomeKind.VERIFIED,
)
_KNOWN = {
    OutcomeKind.VERIFIED: "the portal has received the package",
    OutcomeKind.REFUSED: "the portal has nothing of this try",
    **{kind: words for kind, (_, _, words) in _ENDINGS.items() if kind in _GRAVITY[1:4]},
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
    if order.send and candidate.receipt != received and not doubt(candidate):
        journals.write(candidate, candidate.receipt)
    if candidate.already_received:
        return _already(candidate, site, steps, order)
    findings = ordered([*refusals, *gate(candidate, site, decided=order.decision is not None)])
    lock, portal = candidate.lock, site.portal
    if exit_code(findings) or lock is None or portal is None:
        return Result(candidate.name, Ending.STOPPED, findings)
    built = steps.rebuild()
    findings = ordered([*findings, *_differences(candidate, lock, site, built)])
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


def _already(candidate: Candidate, site: Site, steps: Steps, order: Order) -> Result:
    """Finish what an earlier run may have left undone; send nothing."""
    attempt = candidate.received_attempt
    if attempt is None:
        raise ValueError("nothing was received")
    doubts = doubt(candidate)
    said = [_received(candidate, attempt, site), *doubts]
    if doubts or not order.send:
        return Result(candidate.name, Ending.ALREADY, ordered(said), attempt)
    left = finish(candidate, candidate.receipt, attempt, steps, order.now)
    return Result(candidate.name, Ending.ALREADY, ordered([*said, *left]), attempt)


def _received(candidate: Candidate, attempt: Attempt, site: Site) -> Diagnostic:
    """Say that the package was received before; and where, if the settings name another portal by now."""
    where = _where(candidate)
    if candidate.receipt.withdrawn:
        words = "this package was received, and withdrawn since; nothing was sent"
        return finding("U030", words, where, hint="Nothing to do while it is withdrawn.")
    if site.portal is None or site.portal.host == attempt.portal:
        return finding("U030", "this package was already received; nothing was sent", where)
    there, now = (_named(host) for host in (attempt.portal, site.portal.host))
    return finding(
        "U030",
        f"this package was already received by {there}, not by {now} of the settings; nothing was sent",
        where,
        hint="Where the present portal is to have it too, give the manifest the next revision.",
    )


def _named(host: str) -> str:
    return "the hand-over folder" if host == FOLDER else f"the portal {host}"


# --- what must agree before anything leaves ---


def _differences(candidate: Candidate, lock: Lock, site: Site, built: Built) -> tuple[Diagnostic, ...]:
    """Return why the rebuild is not the lock's, or not what people released.

    Without a package, the rebuild's own findings say why.
    """
    where = at(candidate, LOCK)
    if built.lock is not None and built.package is not None:
        released = void_releases(candidate, site.settings, built.whose)
        return (*compare(lock, built.lock, where), *released)
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
        attempt = _attempt(candidate, lock, journal, portal.host, now)
        journal, failure = _tried(candidate, journal, attempt, portal, handle)
        if failure is not None:
            return _cut_short(candidate, journal, failure, steps, order)
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
    candidate: Candidate, journal: Receipt, attempt: Attempt, portal: Portal, handle: BinaryIO
) -> tuple[Receipt, RttqaError | None]:
    """Return the journal with one more attempt and its outcome; and what the disk did not take, if anything.

    The attempt is on disk before the first byte leaves; without that nothing does, and it is not returned.
    """
    failure = journals.begin(candidate, journal.begun(attempt))
    if failure is not None:
        return journal, failure
    outcome = portal.put(handle, attempt.name, attempt.size, attempt.sha256)
    journal = journal.begun(attempt).ended(outcome)
    failure = journals.note(candidate, journal)
    if interrupted(outcome):
        raise KeyboardInterrupt
    return journal, failure


def _cut_short(
    candidate: Candidate, journal: Receipt, failure: RttqaError, steps: Steps, order: Order
) -> Result:
    """Say what came of a run that the disk ended. Raises its failure where nothing was sent at all."""
    if len(journal.attempts) == len(candidate.receipt.attempts):
        raise _unsent(candidate, failure)
    if journals.on_disk(candidate) != journal:
        return _unnoted(candidate, journal, failure)
    result = _concluded(candidate, journal, steps, order)
    told = finding("U036", f"no further try could be noted: {failure.message}", _where(candidate))
    return replace(result, diagnostics=(*result.diagnostics, told))


def _unsent(candidate: Candidate, failure: RttqaError) -> RttqaError:
    """Return the failure; with what else must be known where the attempt could not be taken back."""
    if journals.on_disk(candidate) == candidate.receipt:
        return failure
    message = f"{failure.message}; nothing was sent, but receipt.yaml holds an attempt"
    return RttqaError(message, f"{failure.hint}; then submit with `--{Word.RESEND}`", code="U036")


def _unnoted(candidate: Candidate, journal: Receipt, failure: RttqaError) -> Result:
    """Say what came of an attempt whose outcome the receipt does not hold: there it is unknown."""
    attempt = journal.attempts[-1]
    words = f"{_KNOWN[attempt.kind]}, and that could not be noted: {failure.message}"
    told = finding("U036", words, _where(candidate), hint=f"{failure.hint}. {_next(attempt)}")
    return Result(candidate.name, Ending.UNKNOWN, (told, *_copies(candidate, journal)), attempt)


def _next(attempt: Attempt) -> str:
    if attempt.open:
        return "Find out whether it arrived; the next submit asks for a word."
    word = Word.TREAT_AS_RECEIVED if attempt.received else Word.RESEND
    return f"The next submit asks for a word: `--{word}` is right."


def _concluded(candidate: Candidate, journal: Receipt, steps: Steps, order: Order) -> Result:
    """Return how the run ended: if not by a received package, then as the gravest of its tries did."""
    tried, last = journal.attempts[len(candidate.receipt.attempts) :], journal.attempts[-1]
    attempt = last if last.received else max(reversed(tried), key=lambda one: _GRAVITY.index(one.kind))
    ending, told = _told(candidate, attempt, last)
    left = finish(candidate, journal, attempt, steps, order.now) if attempt.received else ()
    findings = (*told, *_copies(candidate, journal), *left)
    return Result(candidate.name, ending, findings, attempt, halt(_outcome(last)))


def _outcome(attempt: Attempt) -> Outcome:
    return attempt.outcome or Outcome(OutcomeKind.UNKNOWN)


def _reason(attempt: Attempt) -> str:
    return _outcome(attempt).facts.get("reason", "")


def _told(candidate: Candidate, attempt: Attempt, last: Attempt) -> tuple[Ending, tuple[Diagnostic, ...]]:
    ending, code, words = _ENDINGS[attempt.kind]
    if not code:
        return ending, ()
    reasons = "; then: ".join(dict.fromkeys(filter(None, (_reason(attempt), _reason(last)))))
    return ending, (finding(code, f"{words}: {reasons}" if reasons else words, _where(candidate)),)


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
