"""``receipt.yaml`` on disk, and the copy of it that clones with the same key share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build import ledger
from rttqa_build.records import RECEIPT

if TYPE_CHECKING:
    from rttqa_build.receipt import Receipt
    from rttqa_build.submit.gate import Candidate


def write(candidate: Candidate, journal: Receipt) -> None:
    """Write the receipt, then its copy. Raises RttqaError when the disk fails."""
    ledger.write(candidate.folder / RECEIPT, journal)
    if candidate.ledger is not None:
        ledger.write(candidate.ledger, journal)


def on_disk(candidate: Candidate) -> Receipt | None:
    """Return the receipt as it is on disk now; None when it cannot be read."""
    return ledger.read(candidate.folder / RECEIPT)
