"""A received submission → the context of the email that announces it: from manifest and lock alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from rttqa_build.summary.assemble import Evidence, assemble, content_rows
from rttqa_build.summary.context import Context, Sending
from rttqa_build.summary.wording import date_in_words

if TYPE_CHECKING:
    from rttqa_build.lock import Lock
    from rttqa_build.manifest import Manifest
    from rttqa_build.settings import Settings
    from rttqa_build.summary.context import ContentRow
    from rttqa_build.trial import Trial


def announce(manifest: Manifest, trial: Trial, settings: Settings, lock: Lock, confirmed: str) -> Context:
    """Return what the email may show; ``confirmed`` says what the portal did."""
    summary = replace(assemble(manifest, trial, settings, Evidence()), contents=_contents(lock))
    start = date_in_words(manifest.submission.radiotherapy_start)
    return Context(summary, Sending(lock.package.name, lock.content, start, confirmed))


def _contents(lock: Lock) -> tuple[ContentRow, ...]:
    counts: Counter[str] = Counter()
    for role, row in lock.inputs.items():
        counts[role.partition(":")[0]] += row.count
    return content_rows(counts, {}, len(lock.documents))
