"""Structures as they are drawn × doses → histograms, metrics, and what the trial's limits say of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build.diagnostic import Diagnostic, Location, Severity, finding, ordered, with_severity
from rttqa_build.dose import dvh, metrics, recorded
from rttqa_build.dose.constraints import Verdict, judge
from rttqa_build.dose.dvh import Dvh
from rttqa_build.dose.recorded import Recorded
from rttqa_build.evidence import Achieved, Histograms, dosimetry, not_evaluated, subject_of
from rttqa_build.lock import ConstraintVerdict
from rttqa_build.summary.assemble import Outcome
from rttqa_build.summary.figures import curve
from rttqa_build.trial.metric import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from rttqa_build.checks import Case
    from rttqa_build.dose.contours import StructureContours
    from rttqa_build.dose.grid import DoseGrid
    from rttqa_build.evidence.dosimetry import Dosimetry
    from rttqa_build.lock.record import Verdict as LockedVerdict
    from rttqa_build.summary.context import Curve
    from rttqa_build.summary.context import Verdict as Word
    from rttqa_build.trial import Constraint
    from rttqa_build.trial.metric import Metric

TARGETS = ("GTV", "CTV", "PTV", "ITV")
MEDIAN = parse("D50%[Gy]")
BEYOND_THE_GRID = "D415"
EXCUSED = {Verdict.FAIL: "D302", Verdict.BORDERLINE: "D303"}  # waived with a reason that stands beside
WHOLE = 0.9995  # a covered fraction that reads as 100.0 %
_WORDS: Mapping[Verdict, Word] = {
    Verdict.PASS: "pass",
    Verdict.OPTIMAL_MISSED: "optimal missed",
    Verdict.BORDERLINE: "borderline",
    Verdict.FAIL: "fail",
}
# verdict and the limit that is missed, as the lock says it
_LOCKED: Mapping[Verdict, tuple[LockedVerdict, str]] = {
    Verdict.PASS: ("pass", ""),
    Verdict.OPTIMAL_MISSED: ("fail", "optimal"),
    Verdict.BORDERLINE: ("borderline", ""),
    Verdict.FAIL: ("fail", "mandatory"),
}


def judged(case: Case, source: Dosimetry, jobs: int) -> Histograms:
    """Return the histograms of what is drawn in the doses there are, and the verdicts on them."""
    by_dose = {
        name: _compute(_wanted(case, source, name), name, grids, jobs)
        for name, grids in sorted(source.doses.items())
    }
    rows = _judged(case, source, by_dose)
    main = by_dose.get(source.main or "", {})
    failed = [
        _weighed(case, name, result)
        for results in by_dose.values()
        for name, result in results.items()
        if isinstance(result, Diagnostic)
    ]
    return Histograms(
        {name: result.volume_cc for name, result in main.items() if isinstance(result, Dvh)},
        tuple(one.outcome for one in rows if one.outcome),
        tuple(_curves(main)),
        tuple(one.verdict for one in rows if one.verdict),
        ordered(
            [
                *failed,
                *(told for one in rows for told in one.told),
                *_uncovered(case, main),
                *(found for name in by_dose for found in _differing(source, name, by_dose[name])),
            ]
        ),
        {name: dict(_medians(results)) for name, results in by_dose.items()},
        tuple(one.achieved for one in rows if one.achieved),
        dosimetry.totals(case, source.main),
        source.main or "" if len(list(case.roles("dose"))) > 1 else "",
    )


def _wanted(case: Case, source: Dosimetry, dose: str) -> Mapping[str, StructureContours]:
    """Return the structures whose histogram is wanted in a dose: all where it is judged, else the targets."""
    if dose == source.main or any(rule.dose == dose for rule in dosimetry.rules(case)):
        return source.drawn
    targets = {line.target for line in case.manifest.prescription}
    return {name: structure for name, structure in source.drawn.items() if name in targets}


def _medians(results: Mapping[str, Dvh | Diagnostic]) -> Iterator[tuple[str, float]]:
    """Yield trial structure and median dose in Gy, where it has one."""
    for name, result in results.items():
        median = metrics.evaluate(MEDIAN, result, None) if isinstance(result, Dvh) else None
        if median is not None:
            yield name, median


def _uncovered(case: Case, results: Mapping[str, Dvh | Diagnostic]) -> Iterator[Diagnostic]:
    """Yield a finding for each structure that reaches beyond the dose grid where that changes a verdict.

    These are targets, and structures of which a mean, a minimum or a part of the whole volume is judged: the
    highest doses to so many cm³ of an organ lie inside any sensible grid.
    """
    targets = {rule.name for rule in case.trial.structures if rule.type in TARGETS}
    whole = {rule.structure for rule in dosimetry.rules(case) if _of_the_whole(parse(rule.metric))}
    for name in sorted(targets | whole):
        result = results.get(name)
        if isinstance(result, Dvh) and result.covered_fraction < WHOLE:
            percent = 100 * result.covered_fraction
            message = f"the dose grid covers {percent:.1f} % of {name}; nothing is known of the rest"
            yield finding("D205", message, Location("dose", item=name), subject=name)


def _differing(source: Dosimetry, dose: str, results: Mapping[str, Dvh | Diagnostic]) -> Iterator[Diagnostic]:
    """Yield a finding for each structure whose recorded histogram differs, or cannot be compared."""
    grids = source.doses[dose]
    highest = 0.0 if isinstance(grids, Diagnostic) else sum(grid.maximum for grid in grids)
    for name, ours in results.items():
        theirs = source.recorded.get(dose, {}).get(source.drawn[name].number)
        if theirs is None or not isinstance(ours, Dvh):
            continue
        found = theirs if isinstance(theirs, Diagnostic) else recorded.differing(theirs, ours, highest)
        if found:
            yield replace(found, where=Location(dose, item=name), subject=name)


def _of_the_whole(metric: Metric) -> bool:
    return metric.quantity != "Max" and "cc" not in (metric.unit, metric.result)


def _compute(
    drawn: Mapping[str, StructureContours], dose: str, grids: tuple[DoseGrid, ...] | Diagnostic, jobs: int
) -> dict[str, Dvh | Diagnostic]:
    """Return trial structure → histogram in one dose."""
    if isinstance(grids, Diagnostic):
        return {name: _placed(grids, dose, dose) for name in drawn}
    with ThreadPoolExecutor(jobs) as pool:
        results = dvh.compute_all(drawn.values(), grids, mapper=pool.map)
    return {
        name: result if isinstance(result, Dvh) else _placed(result, dose, name)
        for name, result in zip(drawn, results, strict=True)
    }


def _weighed(case: Case, name: str, found: Diagnostic) -> Diagnostic:
    """Return what is wrong with a histogram; an organ may lie beyond the dose, a target may not."""
    targets = {rule.name for rule in case.trial.structures if rule.type in TARGETS}
    harmless = found.code == BEYOND_THE_GRID and name not in targets
    return with_severity(found, Severity.WARNING) if harmless else found


def _placed(found: Diagnostic, dose: str, about: str) -> Diagnostic:
    return finding(found.code, found.message, Location(dose), local=found.local, subject=about)


class _Judged(NamedTuple):
    told: tuple[Diagnostic, ...]
    outcome: Outcome | None = None
    verdict: ConstraintVerdict | None = None
    achieved: Achieved | None = None


def _judged(
    case: Case, source: Dosimetry, by_dose: Mapping[str, Mapping[str, Dvh | Diagnostic]]
) -> list[_Judged]:
    judged: list[_Judged] = []
    for rule in dosimetry.rules(case):
        dose = rule.dose or source.main or ""
        result = by_dose.get(dose, {}).get(rule.structure)
        if isinstance(result, Dvh):
            theirs = source.recorded.get(dose, {}).get(source.drawn[rule.structure].number)
            prescribed = dosimetry.prescribed(case, dose, rule.structure)
            judged.append(_judge(case, rule, result, theirs, prescribed))
        else:
            judged.append(_Judged(not_evaluated(case, (rule,), _why_no_histogram(case, rule, dose, result))))
    return judged


def _why_no_histogram(case: Case, rule: Constraint, dose: str, result: Diagnostic | None) -> str:
    if result is not None:
        return f"its structure has no histogram ({result.code})"
    if not dose:
        return "no dose is that of the whole course"
    mapped = rule.structure in case.manifest.structures
    return "its structure or its dose is not there" if mapped else "its structure is not mapped"


def _judge(
    case: Case,
    rule: Constraint,
    result: Dvh,
    theirs: Recorded | Diagnostic | None,
    highest: Decimal | None,
) -> _Judged:
    metric, prescribed = parse(rule.metric), None if highest is None else float(highest)
    value = metrics.evaluate(metric, result, prescribed)
    error = metrics.uncertainty(metric, result, prescribed)
    if value is None or error is None:
        return _Judged(not_evaluated(case, (rule,), _why_no_value(metric, result, prescribed)))
    verdict = judge(value, rule.op, optimal=rule.optimal, mandatory=rule.mandatory, uncertainty=error)
    outcome = Outcome(
        rule,
        _WORDS[verdict],
        _in_words(rule, value),
        _reported(metric, theirs, prescribed),
        _reason(case, rule, EXCUSED.get(verdict, "")),
    )
    word, limit = _LOCKED[verdict]
    kept = ConstraintVerdict(rule.structure, rule.metric, word, limit, rule.dose)
    return _Judged(_told(rule, verdict), outcome, kept, Achieved(rule, value, error))


def _in_words(rule: Constraint, value: float) -> str:
    """Return a value with one decimal, or up to three where only they show its side of the limits."""
    limits = [float(limit) for limit in (rule.optimal, rule.mandatory) if limit is not None]
    spelt = [f"{value:.{decimals}f}" for decimals in (1, 2, 3)]
    told = (text for text in spelt if all(_side(float(text), at) == _side(value, at) for at in limits))
    return next(told, spelt[0])


def _reason(case: Case, rule: Constraint, code: str) -> str:
    """Return why a finding about a constraint is accepted, or nothing."""
    about = ("", subject_of(rule))
    return next((w.reason for w in case.manifest.waivers if w.code == code and w.subject in about), "")


def _side(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)


def _why_no_value(metric: Metric, result: Dvh, prescribed: float | None) -> str:
    if metric.relative and not prescribed:
        return "neither manifest nor plan says which dose it is relative to"
    if not result.covered_cc:
        return "its structure has no volume"
    if metric.unit == "cc" and (metric.amount or 0) > result.volume_cc:
        return "its structure is smaller than it asks for"
    return "the dose grid does not cover what it asks for"


def _reported(metric: Metric, theirs: Recorded | Diagnostic | None, prescribed: float | None) -> str:
    """Return the value that the planning system's own curve gives, or nothing where it gives none."""
    if not isinstance(theirs, Recorded) or ("cc" in (metric.unit, metric.result) and not theirs.absolute):
        return ""
    value = metrics.evaluate(metric, theirs.curve, prescribed)
    return "" if value is None else f"{value:.1f}"


def _told(rule: Constraint, verdict: Verdict) -> tuple[Diagnostic, ...]:
    where, about = Location(rule.dose or "dose", item=rule.structure), subject_of(rule)
    if verdict is Verdict.FAIL:
        return (finding("D302", f"the mandatory constraint {about} is not met", where, subject=about),)
    if verdict is Verdict.BORDERLINE and rule.mandatory is not None:
        return (finding("D303", f"the mandatory constraint {about} is borderline", where, subject=about),)
    return ()


def _curves(results: Mapping[str, Dvh | Diagnostic]) -> Iterator[Curve]:
    for name, result in results.items():
        if isinstance(result, Dvh) and result.covered_cc > 0:
            yield curve(name, result.dose_gy.tolist(), result.cumulative_cc.tolist(), result.covered_cc)
