"""The selected structures × doses → histograms, constraint verdicts, and pictures for the summary.

Doses are judged as the trial says: a constraint names its dose, else the sum is meant; where there is no sum
and one dose only, that one.
"""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build import disk
from rttqa_build.diagnostic import Diagnostic, Location, finding, ordered
from rttqa_build.dose import contours, dvh, grid, metrics
from rttqa_build.dose.constraints import Verdict, judge
from rttqa_build.dose.dvh import Dvh
from rttqa_build.lock import ConstraintVerdict
from rttqa_build.study import StructureFacts
from rttqa_build.summary.assemble import Outcome
from rttqa_build.summary.figures import curve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pydicom import Dataset

    from rttqa_build.checks import Case
    from rttqa_build.dose.contours import StructureContours
    from rttqa_build.lock.record import Verdict as LockedVerdict
    from rttqa_build.study import Instance, Roi
    from rttqa_build.summary.context import Curve
    from rttqa_build.summary.context import Verdict as Word
    from rttqa_build.trial import Constraint

LARGEST_OBJECT = 1 << 32
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


@dataclass(frozen=True, slots=True)
class Histograms:
    """What the dose engine found.

    ``volumes``: trial structure → cm³; ``judged``: constraint, verdict; ``outcomes`` and ``curves`` as the
    summary shows them.
    """

    volumes: Mapping[str, float] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...] = ()
    curves: tuple[Curve, ...] = ()
    verdicts: tuple[ConstraintVerdict, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def histograms(case: Case, folder: Path, jobs: int) -> Histograms:
    """Return the histograms of every structure of the trial that is there, and the verdicts on them."""
    named = _named(case)
    judged_on = _main_dose(case)
    if not named or judged_on is None:
        return Histograms(diagnostics=_not_evaluated(case, (), "the structures or the dose are not there"))
    drawn = _drawn(case, folder, named)
    wanted = {judged_on} | {rule.dose for rule in _rules(case) if rule.dose}
    by_dose = {name: _compute(case, folder, name, drawn, jobs) for name in sorted(wanted)}
    judged = _judged(case, by_dose, judged_on)
    main = by_dose[judged_on]
    failed = [
        result
        for results in by_dose.values()
        for result in results.values()
        if isinstance(result, Diagnostic)
    ]
    return Histograms(
        {name: result.volume_cc for name, result in main.items() if isinstance(result, Dvh)},
        tuple(one.outcome for one in judged if one.outcome),
        tuple(_curves(main)),
        tuple(one.verdict for one in judged if one.verdict),
        ordered([*failed, *(told for one in judged for told in one.told)]),
    )


def _named(case: Case) -> dict[int, str]:
    """Return ROI number → trial name for the structure set that is judged: the only one, or the first."""
    for _, facts in case.facts("structure_set", StructureFacts):
        mapped: Mapping[str, Roi] = case.naming(facts).mapped
        return {roi.number: name for name, roi in mapped.items()}
    return {}


def _main_dose(case: Case) -> str | None:
    """Return the id or role of the dose that constraints mean by default: the sum, else the only one."""
    doses = list(case.roles("dose"))
    sums = [one for one in doses if one.id == "sum" or len(one.of) > 1]
    chosen = sums or doses
    return chosen[0].name if len(chosen) == 1 else None


def _drawn(case: Case, folder: Path, named: Mapping[int, str]) -> list[StructureContours]:
    selected = next(iter(case.roles("structure_set")))
    every = contours.read(_dataset(folder, selected.instances[0]))
    return [structure for structure in every if structure.number in named]


def _compute(
    case: Case, folder: Path, name: str, drawn: list[StructureContours], jobs: int
) -> dict[str, Dvh | Diagnostic]:
    """Return trial structure → histogram in one dose."""
    named = _named(case)
    selected = next((one for one in case.roles("dose") if one.name == name), None)
    if selected is None:
        return {}
    grids = [grid.read(_dataset(folder, instance)) for instance in selected.instances]
    refused = [found for found in grids if isinstance(found, Diagnostic)]
    if refused:
        return {named[structure.number]: _placed(refused[0], name, name) for structure in drawn}
    usable = [found for found in grids if not isinstance(found, Diagnostic)]
    with ThreadPoolExecutor(jobs) as pool:
        results = dvh.compute_all(drawn, usable, mapper=pool.map)
    return {
        named[structure.number]: result
        if isinstance(result, Dvh)
        else _placed(result, name, named[structure.number])
        for structure, result in zip(drawn, results, strict=True)
    }


def _placed(found: Diagnostic, dose: str, about: str) -> Diagnostic:
    return finding(found.code, found.message, Location(dose), local=found.local, subject=about)


def _dataset(folder: Path, instance: Instance) -> Dataset:
    import pydicom

    data = disk.read(folder / instance.file.path, LARGEST_OBJECT, "an object of the source")
    return pydicom.dcmread(io.BytesIO(data), force=True)


def _rules(case: Case) -> Iterator[Constraint]:
    """Yield the constraints that hold for this submission and whose structure is not said to be absent."""
    for rule in case.trial.constraints:
        choice = case.manifest.structures.get(rule.structure)
        if rule.when.holds(case.manifest.submission) and not (choice and choice.absent):
            yield rule


class _Judged(NamedTuple):
    told: tuple[Diagnostic, ...]
    outcome: Outcome | None = None
    verdict: ConstraintVerdict | None = None


def _judged(case: Case, by_dose: Mapping[str, Mapping[str, Dvh | Diagnostic]], default: str) -> list[_Judged]:
    judged: list[_Judged] = []
    for rule in _rules(case):
        result = by_dose.get(rule.dose or default, {}).get(rule.structure)
        if isinstance(result, Dvh):
            judged.append(_judge(case, rule, result))
        else:
            judged.append(_Judged(_not_evaluated(case, (rule,), "its structure or its dose is not there")))
    return judged


def _judge(case: Case, rule: Constraint, result: Dvh) -> _Judged:
    metric, prescribed = metrics.parse(rule.metric), _prescribed(case)
    value = metrics.evaluate(metric, result, prescribed)
    error = metrics.uncertainty(metric, result, prescribed)
    if value is None or error is None:
        return _Judged(_not_evaluated(case, (rule,), "the dose grid does not cover what it asks for"))
    verdict = judge(value, rule.op, optimal=rule.optimal, mandatory=rule.mandatory, uncertainty=error)
    reasons = (w.reason for w in case.manifest.waivers if w.code == "D302" and w.subject == _about(rule))
    outcome = Outcome(rule, _WORDS[verdict], f"{value:.1f}", reason=next(reasons, ""))
    word, limit = _LOCKED[verdict]
    kept = ConstraintVerdict(rule.structure, rule.metric, word, limit, rule.dose)
    return _Judged(_told(rule, verdict), outcome, kept)


def _told(rule: Constraint, verdict: Verdict) -> tuple[Diagnostic, ...]:
    where, about = Location(rule.dose or "dose", item=rule.structure), _about(rule)
    if verdict is Verdict.FAIL:
        return (finding("D302", f"the mandatory constraint {about} is not met", where, subject=about),)
    if verdict is Verdict.BORDERLINE and rule.mandatory is not None:
        return (finding("D303", f"the mandatory constraint {about} is borderline", where, subject=about),)
    return ()


def _not_evaluated(case: Case, rules: Iterable[Constraint], why: str) -> tuple[Diagnostic, ...]:
    return tuple(
        finding(
            "D301",
            f"the constraint {_about(rule)} could not be evaluated: {why}",
            Location("dose"),
            subject=_about(rule),
        )
        for rule in (rules or _rules(case))
    )


def _about(rule: Constraint) -> str:
    """Return what a waiver's ``for`` calls a constraint: ``Rectum V60Gy[%]``."""
    return f"{rule.structure} {rule.metric}"


def _prescribed(case: Case) -> float | None:
    """Return the highest prescribed dose, to which relative metrics refer."""
    doses = [float(line.dose_max) for line in case.manifest.prescription]
    return max(doses) if doses else None


def _curves(results: Mapping[str, Dvh | Diagnostic]) -> Iterator[Curve]:
    for name, result in results.items():
        if isinstance(result, Dvh) and result.covered_cc > 0:
            yield curve(name, result.dose_gy.tolist(), result.cumulative_cc.tolist(), result.covered_cc)
