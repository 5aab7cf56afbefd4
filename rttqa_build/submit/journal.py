"""``receipt.yaml`` on disk, and the copy of it that clones with the same key share."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import RttqaError
from rttqa_build.records import RECEIPT, ledger

if TYPE_CHECKING:
    from rttqa_build.records.receipt import Receipt
    from rttqa_build.submit.gate import Candidate


def write(candidate: Candidate, journal: Receipt) -> None:
    """Write the receipt, then its copy. Raises RttqaError when the disk fails."""
    ledger.write(candidate.folder / RECEIPT, journal)
    if candidate.ledger is not None:
        ledger.write(candidate.ledger, journal)


def begin(candidate: Candidate, journal: Receipt) -> RttqaError | None:
    """Write an attempt down; return why that failed: then nothing may be sent.

    Where only a part of it succeeded, the attempt is taken back.
    """
    before = on_disk(candidate)
    try:
        write(candidate, journal)
    except RttqaError as error:
        if before is not None and on_disk(candidate) != before:
            with contextlib.suppress(RttqaError):
                write(candidate, before)
        return error
    return None


def note(candidate: Candidate, journal: Receipt) -> RttqaError | None:
    """Write an outcome down; return why that failed. The receipt counts, not its copy beside the key."""
    try:
        write(candidate, journal)
    except RttqaError as error:
        return None if on_disk(candidate) == journal else error
    return None


def on_disk(candidate: Candidate) -> Receipt | None:
    """Return the receipt as it is on disk now; None when it cannot be read."""
    return ledger.read(candidate.folder / RECEIPT)
