"""The selected structures × doses → histograms and constraint verdicts; without any, numpy is not loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.diagnostic import Diagnostic, Location, finding
from rttqa_build.evidence import dosimetry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from rttqa_build.checks import Case
    from rttqa_build.evidence.dosimetry import Dosimetry
    from rttqa_build.lock import ConstraintVerdict
    from rttqa_build.summary.assemble import Outcome
    from rttqa_build.summary.context import Curve
    from rttqa_build.trial import Constraint


class Achieved(NamedTuple):
    """A constraint, what our histogram gives for it in the metric's unit, and how sure that is."""

    rule: Constraint
    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Histograms:
    """What the dose engine found.

    ``volumes``: trial structure → cm³; ``judged``: constraint, verdict; ``outcomes`` and ``curves`` as the
    summary shows them; ``medians``: dose → trial structure → median dose in Gy; ``achieved``: constraint by
    constraint, as ``outcomes``; ``totals``: target → Gy that are prescribed to it in the dose that ``curves``
    show; ``dose``: which dose that is, where there are several.
    """

    volumes: Mapping[str, float] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...] = ()
    curves: tuple[Curve, ...] = ()
    verdicts: tuple[ConstraintVerdict, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    medians: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    achieved: tuple[Achieved, ...] = ()
    totals: Mapping[str, Decimal | None] = field(default_factory=dict)
    dose: str = ""


def histograms(case: Case, source: Dosimetry, jobs: int) -> Histograms:
    """Return the histograms of every structure of the trial that is there, and the verdicts on them."""
    if case.manifest.submission.supplement and (not source.drawn or source.main is None):
        return Histograms()  # judged with what it supplements, where there were both
    if not source.drawn or not source.doses:
        return Histograms(diagnostics=not_evaluated(case, (), "the structures or the dose are not there"))
    from rttqa_build.evidence import verdicts

    return verdicts.judged(case, source, jobs)


def not_evaluated(case: Case, rules: Iterable[Constraint], why: str) -> tuple[Diagnostic, ...]:
    """Return a finding for each of the trial's constraints, or of ``rules``: why it has no verdict."""
    return tuple(
        finding(
            "D301",
            f"the constraint {subject_of(rule)} could not be evaluated: {why}",
            Location("dose"),
            subject=subject_of(rule),
        )
        for rule in (rules or dosimetry.rules(case))
    )


def subject_of(rule: Constraint) -> str:
    """Return what a waiver's ``for`` calls a constraint: ``Rectum V60Gy[%]``."""
    return f"{rule.structure} {rule.metric}"
