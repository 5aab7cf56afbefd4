"""The journal beside the centre's key: a copy of each receipt, for clones that don't know of each other.

A receipt travels with Git, and only once it is committed and pushed. Clones that use the same key file share
this copy at once: an attempt that stands here and not in a clone's own receipt was made by another clone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build import disk, receipt, source
from rttqa_build.diagnostic import Diagnostic, Location, RttqaError, finding
from rttqa_build.receipt import Receipt

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "rttqa-receipts"
_LIMIT = 1 << 20


def read(path: Path) -> Receipt | None:
    """Return a receipt as it is on disk now, empty where there is none; None when it cannot be read."""
    if not path.exists():
        return Receipt()
    try:
        document, _ = source.parse(disk.read(path, _LIMIT, path.name), path.name)
        return None if document is None else receipt.from_document(document)
    except (RttqaError, AttributeError, KeyError, TypeError, ValueError):
        return None


def write(path: Path, journal: Receipt) -> None:
    """Write a receipt, whole or not at all. Raises RttqaError when the disk fails."""
    disk.write(path, receipt.dump(journal).encode())


def unknown_here(path: Path, own: Receipt) -> int | None:
    """Return how many attempts and withdrawals another clone wrote that ``own`` does not hold.

    None for a journal that cannot be read.
    """
    shared = read(path)
    return None if shared is None else len(_entries(shared) - _entries(own))


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


def _entries(journal: Receipt) -> set[tuple[str, str, str]]:
    attempts = {(item.name, item.date, item.sha256) for item in journal.attempts}
    return attempts | {(item.word, item.date, item.reason) for item in journal.withdrawals}
