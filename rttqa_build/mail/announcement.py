"""A submission → the context of the email that announces or recalls it, from manifest, lock and receipt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rttqa_build.summary.assemble import Evidence, assemble, changed, contents_of
from rttqa_build.summary.context import Context, Fact, Sending
from rttqa_build.summary.wording import date_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rttqa_build.lock import Lock
    from rttqa_build.manifest import Manifest
    from rttqa_build.records.receipt import Attempt
    from rttqa_build.settings import Settings
    from rttqa_build.trial import Trial


def announce(
    manifest: Manifest, trial: Trial, settings: Settings, lock: Lock, previous: Lock | None, confirmed: str
) -> Context:
    """Return what the email may show; ``confirmed`` says what the portal did.

    ``previous`` is what stands of the received revisions: which objects are other than there is listed.
    """
    beside = manifest.submission.supplement
    changes = changed(previous, lock, dose=False, beside=beside) if previous else ()
    before = contents_of(previous) if previous and beside else ()
    summary = assemble(manifest, trial, settings, Evidence())
    summary = replace(summary, contents=contents_of(lock), changes=changes, before=before)
    start = date_in_words(manifest.submission.radiotherapy_start)
    return Context(summary, Sending(lock.package.name, lock.content, start, confirmed))


def take_back(manifest: Manifest, trial: Trial, settings: Settings, attempts: Iterable[Attempt]) -> Context:
    """Return what the email may show that recalls a submission; ``attempts`` are those that may lie there."""
    summary = assemble(manifest, trial, settings, Evidence())
    files = tuple(
        Fact(one.name, f"revision {one.revision}, sent {one.date}, SHA-256 {one.sha256}") for one in attempts
    )
    return Context(summary, Sending(recalled=files))
