"""The journal beside the centre's key: a copy of each receipt, for clones that don't know of each other.

A receipt travels with Git, and only once it is committed and pushed. Clones that use the same key file share
this copy at once: an attempt that stands here and not in a clone's own receipt was made by another clone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build import disk, source
from rttqa_build.diagnostic import Diagnostic, Location, RttqaError, finding
from rttqa_build.records import receipt
from rttqa_build.records.receipt import Receipt, Sent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rttqa_build.records.receipt import Attempt, Notice

FOLDER = "rttqa-receipts"
_LIMIT = 1 << 20


def read(path: Path) -> Receipt | None:
    """Return a receipt as it is on disk now, empty where there is none; None when it cannot be read."""
    if not path.exists():
        return Receipt()
    try:
        data = disk.read(path, _LIMIT, path.name)
    except RttqaError:
        return None
    return parsed(data, path.name)


def parsed(data: bytes, name: str) -> Receipt | None:
    """Return the receipt that a file's content says; None where it says none."""
    try:
        document, _ = source.parse(data, name)
        return None if document is None else receipt.from_document(document)
    except (RttqaError, AttributeError, KeyError, TypeError, ValueError):
        return None


def write(path: Path, journal: Receipt) -> None:
    """Write a receipt, whole or not at all. Raises RttqaError when the disk fails."""
    disk.write(path, receipt.dump(journal).encode())


def unknown_here(path: Path, own: Receipt) -> int | None:
    """Return how much another clone wrote that ``own`` does not hold (see :func:`lacking`).

    None for a journal that cannot be read.
    """
    shared = read(path)
    return None if shared is None else lacking(own, shared)


def lacking(own: Receipt, other: Receipt) -> int:
    """Return how many attempts, e-mails, withdrawals of ``other`` are not in ``own``, or not with their end.

    What was received, or sent to the trial, stays so: whoever does not know of it would do it once more; and
    whoever wrote another outcome over the true one would hold for received what was not.
    """
    return len({entry[:3] for entry in _entries(other) - _entries(own)})


def doubt(path: Path | None, own: Receipt, where: Location) -> Diagnostic | None:
    """Return the finding that ``own`` may not be all there is, as the clones' common journal holds more.

    This is the one rule for whoever says, or does, something on the strength of a receipt.
    """
    others = unknown_here(path, own) if path is not None else 0
    if others is None:
        hint = f"Look at {path}: mend it, or copy receipt.yaml over it."
        return finding("U050", "the journal beside the centre's key cannot be read", where, hint=hint)
    if not others:
        return None
    count = f"{others} {'entry' if others == 1 else 'entries'}"
    return finding(
        "U050", f"another clone handed this submission over: {count} that receipt.yaml does not hold", where
    )


def _entries(journal: Receipt) -> set[tuple[str, str, str, str]]:
    """Return what must not be forgotten; what came of an attempt is an entry of its own beside it."""
    begun = {(item.name, item.date, item.sha256, "") for item in journal.attempts}
    ended = {(item.name, item.date, item.sha256, word) for item in journal.attempts for word in _fates(item)}
    mailed = {(item.about.value, str(item.revision), "", "sent") for item in _sent(journal)}
    return begun | ended | mailed | {(item.word, item.date, item.reason, "") for item in journal.withdrawals}


def _fates(attempt: Attempt) -> Iterator[str]:
    """Yield what is known of an attempt's end: an outcome, once noted, stays as it is."""
    if attempt.outcome:
        yield attempt.kind.value
    if attempt.received:
        yield "received"


def _sent(journal: Receipt) -> Iterator[Notice]:
    return (item for item in journal.notices if item.fate is Sent.SENT)
