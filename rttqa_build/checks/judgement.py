"""Findings, weighed: severity by trial × purpose, and the manifest's waivers.

Families A, K and U, broken links and the wrong patient can be neither lowered nor waived.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import Severity, finding, ordered, with_severity
from rttqa_build.trial.consistency import waivable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.manifest import Manifest, Waiver
    from rttqa_build.trial import Trial


def judge(found: Iterable[Diagnostic], manifest: Manifest, trial: Trial) -> tuple[Diagnostic, ...]:
    """Return the findings with the trial's severities and the manifest's waivers, and those about waivers."""
    purpose = manifest.submission.purpose
    weighed = [_weigh(diagnostic, trial, purpose) for diagnostic in found]
    unused: list[tuple[int, Waiver]] = []
    for number, waiver in enumerate(manifest.waivers):
        met = [n for n, diagnostic in enumerate(weighed) if _meets(waiver, diagnostic)]
        if not met:
            unused.append((number, waiver))
        for n in met:
            weighed[n] = replace(weighed[n], waived=waiver.reason)
    return ordered([*weighed, *(_unused(manifest, number, waiver) for number, waiver in unused)])


def _weigh(diagnostic: Diagnostic, trial: Trial, purpose: str) -> Diagnostic:
    wanted = trial.severities.get(diagnostic.code, {})
    severity = wanted.get(purpose, wanted.get("default"))
    if severity is None or not waivable(diagnostic.code):
        return diagnostic
    return with_severity(diagnostic, Severity(severity))


def _meets(waiver: Waiver, diagnostic: Diagnostic) -> bool:
    return (
        waiver.code == diagnostic.code
        and waiver.subject in ("", diagnostic.subject)
        and waivable(diagnostic.code)
    )


def _unused(manifest: Manifest, number: int, waiver: Waiver) -> Diagnostic:
    message = f"the waiver of {waiver.code} matches no finding"
    return finding("M250", message, manifest.document.at(("waivers", number)), subject=waiver.subject)
