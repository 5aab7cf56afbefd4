"""Constraints, judged on the synthetic patient's dose."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import build_case
import pydicom
import pytest

from rttqa_build import checks, synthetic
from rttqa_build.diagnostic import Location, finding
from rttqa_build.dose import dvh, recorded
from rttqa_build.evidence import Histograms, dosimetry, histograms
from rttqa_build.manifest import Waiver
from rttqa_build.resolve import resolve
from rttqa_build.stages.intake import take_in
from rttqa_build.trial import Constraint, ObjectRule, When

Resolved = tuple[checks.Case, Path]
Cases = Callable[[str], Resolved]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Cases:
    """Resolve a variant of the synthetic patient, once a module."""

    @functools.cache
    def resolved(name: str) -> Resolved:
        folder, variant = tmp_path_factory.mktemp(name), build_case.named(name)
        order = variant.order(synthetic.save(variant.patient(), folder), folder, folder)
        found = resolve(take_in(folder, 2, lambda _: None).study, order.manifest, order.trial)
        return checks.Case(order.manifest, order.trial, found.roles), folder

    return resolved


def judged(resolved: Resolved, *rules: Constraint, **manifest: Any) -> Histograms:
    """Judge by these constraints instead of the trial's."""
    case, folder = resolved
    case = replace(
        case, trial=replace(case.trial, constraints=rules), manifest=replace(case.manifest, **manifest)
    )
    return histograms(case, dosimetry.read(case, folder), 1)


def rule(
    limit: str, metric: str = "Mean[Gy]", op: Any = "<=", structure: str = "Rectum", **more: Any
) -> Constraint:
    return Constraint(structure, metric, op, mandatory=Decimal(limit), **more)


def verdicts(made: Histograms) -> list[tuple[str, str]]:
    return [(one.verdict, one.limit) for one in made.verdicts]


def codes(made: Histograms) -> list[str]:
    return [d.code for d in made.diagnostics if d.code.startswith("D3")]


def achieved(made: Histograms) -> list[float]:
    return [float(outcome.achieved) for outcome in made.outcomes]


@pytest.mark.parametrize(
    ("constraint", "verdict", "code"),
    [
        (rule("500"), ("pass", ""), []),
        (rule("0.001"), ("fail", "mandatory"), ["D302"]),
        (rule("0.001", op=">="), ("pass", ""), []),
        (rule("500", optimal=Decimal("0.001")), ("fail", "optimal"), []),
        (rule("0.001", metric="Max[Gy]"), ("fail", "mandatory"), ["D302"]),
    ],
)
def test_verdicts(
    constraint: Constraint,
    verdict: tuple[str, str],
    code: list[str],
    cases: Cases,
) -> None:
    made = judged(cases("prostate"), constraint)
    assert verdicts(made) == [verdict]
    assert codes(made) == code
    assert achieved(made)[0] > 1


def test_a_value_on_the_limit_is_borderline(cases: Cases) -> None:
    run = cases("prostate")
    (value,) = achieved(judged(run, rule("500")))
    made = judged(run, rule(str(value)))
    assert verdicts(made) == [("borderline", "")]
    assert codes(made) == ["D303"]


@pytest.mark.parametrize(
    "constraint",
    [
        rule("5", structure="FemoralHead_L"),  # not mapped
        rule("5", dose="nodose"),
    ],
)
def test_what_cannot_be_evaluated_is_said(constraint: Constraint, cases: Cases) -> None:
    made = judged(cases("prostate"), constraint)
    assert codes(made) == ["D301"]
    assert verdicts(made) == []
    (found,) = [d for d in made.diagnostics if d.code == "D301"]
    assert found.subject == f"{constraint.structure} {constraint.metric}"


@pytest.mark.parametrize(
    ("metric", "manifest", "why"),
    [
        ("D5000cc[Gy]", {}, "its structure is smaller than it asks for"),
        ("V95%[%]", {"prescription": ()}, "neither manifest nor plan says which dose it is relative to"),
    ],
)
def test_why_there_is_no_value_is_said_as_it_is(
    metric: str, manifest: dict[str, Any], why: str, cases: Cases
) -> None:
    made = judged(cases("prostate"), rule("5", metric=metric), **manifest)
    (found,) = [d for d in made.diagnostics if d.code == "D301"]
    assert found.message.endswith(f"could not be evaluated: {why}")


def test_an_optional_structure_that_is_neither_mapped_nor_drawn_is_no_omission(cases: Cases) -> None:
    assert codes(judged(cases("prostate"), rule("5", structure="Kidney_L"))) == []


def test_a_structure_that_is_asked_for_is_missed_though_nobody_drew_it(cases: Cases) -> None:
    case, folder = cases("prostate")
    asked = tuple(replace(one, required=one.name == "Kidney_L") for one in case.trial.structures)
    case = replace(case, trial=replace(case.trial, structures=asked))
    made = judged((case, folder), rule("5", structure="Kidney_L"))
    assert [
        (one.code, one.message.partition(": ")[2]) for one in made.diagnostics if one.code[:2] == "D3"
    ] == [("D301", "its structure is not mapped")]


def test_constraints_of_another_arm_are_not_judged(cases: Cases) -> None:
    other = rule("0.001", when=When({"arm": ("standard",)}))
    made = judged(cases("prostate"), other)
    assert (codes(made), verdicts(made)) == ([], [])


def test_a_constraint_names_the_dose_it_is_judged_on(
    cases: Cases,
) -> None:
    run = cases("two-phases")
    rules = [rule("500", structure="PTV_6000", dose=name) for name in ("phase1", "phase2", "sum")]
    first, second, total = achieved(judged(run, *rules))
    assert total == pytest.approx(first + second, abs=0.2)
    (default,) = achieved(judged(run, rule("500", structure="PTV_6000")))
    assert default == total


def test_a_constraint_that_names_its_dose_needs_no_sum(cases: Cases) -> None:
    case, folder = cases("two-phases")
    first = next(one for one in case.roles("dose") if len(one.of) == 1)
    alone = replace(case, selected=tuple(one for one in case.selected if len(one.of) < 2))
    rules = rule("500", structure="PTV_4600", dose=first.name), rule("500", structure="PTV_4600")
    made = judged((alone, folder), *rules)
    assert achieved(made) == achieved(judged((case, folder), rules[0]))
    (told,) = (one for one in made.diagnostics if one.code == "D301")
    assert told.message.endswith("no dose is that of the whole course")
    assert made.curves == ()


def test_each_dose_of_a_plan_library_is_held_against_its_prescription(cases: Cases) -> None:
    case, folder = cases("two-phases")
    rows = tuple(replace(line, plan="") for line in case.manifest.prescription)
    alone = replace(
        case,
        selected=tuple(one for one in case.selected if len(one.of) < 2),
        trial=replace(case.trial, objects=(ObjectRule("plan", library=True),)),
    )
    made = judged((alone, folder), prescription=rows)
    assert [set(found) for found in made.medians.values()] == [{"PTV_4600", "PTV_6000"}] * 2


@pytest.mark.parametrize(
    ("code", "about", "limit", "shown"),
    [
        ("D302", "Rectum Mean[Gy]", "0.001", True),
        ("D302", "", "0.001", True),  # of whatever it is
        ("D302", "Bladder Mean[Gy]", "0.001", False),
        ("D302", "Rectum Mean[Gy]", "500", False),  # nothing to excuse
        ("D303", "Rectum Mean[Gy]", "", True),
        ("D302", "Rectum Mean[Gy]", "", False),
    ],
)
def test_the_reason_of_a_waiver_stands_beside_the_value_it_excuses(
    code: str, about: str, limit: str, shown: bool, cases: Cases
) -> None:
    (value,) = achieved(judged(cases("prostate"), rule("500")))
    waiver = Waiver(code, "agreed with the trial team", about)
    made = judged(cases("prostate"), rule(limit or str(value)), waivers=(waiver,))
    assert made.outcomes[0].reason == "agreed with the trial team" * shown


def test_structures_have_volumes_and_curves_that_fall(
    cases: Cases,
) -> None:
    made = judged(cases("prostate"))
    assert made.volumes.keys() == {"External", "PTV_6000", "PTV_4600", "Rectum", "Bladder"}
    assert made.volumes["External"] > made.volumes["PTV_4600"] > made.volumes["PTV_6000"] > 1
    assert {curve.structure for curve in made.curves} == made.volumes.keys()


@pytest.mark.parametrize(("metric", "told"), [("Mean[Gy]", True), ("V20Gy[%]", True), ("D0.1cc[Gy]", False)])
def test_a_structure_beyond_the_dose_grid_is_told_where_it_matters(
    cases: Cases, metric: str, *, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = dvh.compute_all

    def partly(*args: Any, **options: Any) -> Any:
        made = computed(*args, **options)
        return tuple(replace(one, covered_fraction=0.5) for one in made if isinstance(one, dvh.Dvh))

    monkeypatch.setattr("rttqa_build.evidence.verdicts.dvh.compute_all", partly)
    found = judged(cases("prostate"), rule("30", metric)).diagnostics
    assert [one.subject for one in found if one.code == "D205" and one.subject == "Rectum"] == [
        "Rectum"
    ] * told
    assert all("50.0 %" in one.message for one in found if one.code == "D205")


def test_an_organ_may_lie_beyond_the_dose_grid_and_a_target_may_not(
    cases: Cases, monkeypatch: pytest.MonkeyPatch
) -> None:
    def beyond(structures: Any, *_: Any, **__: Any) -> Any:
        return tuple(finding("D415", "beyond", Location("dose")) for _ in structures)

    monkeypatch.setattr("rttqa_build.evidence.verdicts.dvh.compute_all", beyond)
    found = judged(cases("prostate"), rule("30")).diagnostics
    told = {one.subject: str(one.severity) for one in found if one.code == "D415"}
    assert (told["PTV_6000"], told["Rectum"]) == ("error", "warning")


@pytest.mark.parametrize(
    ("value", "limit", "shown", "verdict"),
    [
        (4.04, "4", "4.04", "fail"),  # 4.0 beside a missed limit of 4 would be no answer
        (4.0018, "4", "4.002", "borderline"),
        (3.9, "4", "3.9", "pass"),
        (4.13, "4", "4.1", "fail"),
    ],
)
def test_a_value_is_shown_on_its_side_of_the_limit(
    cases: Cases, value: float, limit: str, shown: str, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = dvh.compute_all

    def known(*args: Any, **options: Any) -> Any:
        made = computed(*args, **options)
        return tuple(replace(one, mean_gy=value, slices=40) for one in made if isinstance(one, dvh.Dvh))

    monkeypatch.setattr("rttqa_build.evidence.verdicts.dvh.compute_all", known)
    (outcome,) = judged(cases("prostate"), rule(limit, op="<")).outcomes
    assert (outcome.achieved, outcome.verdict) == (shown, verdict)


@pytest.mark.parametrize(("units", "code"), [("GY", "D206"), ("RELATIVE", "D208")])
def test_the_planning_systems_own_histogram_stands_beside_ours(units: str, code: str, cases: Cases) -> None:
    case, folder = cases("prostate")
    source = dosimetry.read(case, folder)
    number, item = source.rois["Rectum"].number, pydicom.Dataset()
    item.DVHReferencedROISequence = [pydicom.Dataset()]
    item.DVHReferencedROISequence[0].ReferencedROINumber = number
    item.DVHType, item.DoseUnits, item.DVHVolumeUnits, item.DVHDoseScaling = "CUMULATIVE", units, "CM3", "1"
    item.DVHData = [150, 60, 1, 60]  # everything at 150 Gy
    dose = pydicom.Dataset()
    dose.DVHSequence = [item]
    assert source.main is not None
    source = replace(source, recorded={source.main: recorded.read(dose, "")})
    result = histograms(case, source, 1)
    found = [one for one in result.diagnostics if one.code in {"D206", "D208"}]
    assert [(one.code, one.subject, str(one.where)) for one in found] == [(code, "Rectum", "dose")]
    reported = {one.constraint.structure: one.reported for one in result.outcomes}
    assert reported["Rectum"] == ("100.0" if units == "GY" else "")
    assert reported["Bladder"] == ""


@pytest.mark.parametrize(("units", "value"), [("CM3", "60.0"), ("PERCENT", "")])
def test_a_curve_in_percent_gives_no_cubic_centimetres(units: str, value: str, cases: Cases) -> None:
    case, folder = cases("prostate")
    source = dosimetry.read(case, folder)
    item = pydicom.Dataset()
    item.DVHReferencedROISequence = [pydicom.Dataset()]
    item.DVHReferencedROISequence[0].ReferencedROINumber = source.rois["Rectum"].number
    item.DVHType, item.DoseUnits, item.DVHVolumeUnits, item.DVHDoseScaling = "CUMULATIVE", "GY", units, "1"
    item.DVHData = [150, 60, 1, 60]
    dose = pydicom.Dataset()
    dose.DVHSequence = [item]
    assert source.main is not None
    source = replace(source, recorded={source.main: recorded.read(dose, "")})
    rule = Constraint("Rectum", "V60Gy[cc]", "<=", None, Decimal(5))
    case = replace(case, trial=replace(case.trial, constraints=(rule,)))
    assert [one.reported for one in histograms(case, source, 1).outcomes] == [value]


def test_recorded_histograms_are_read_with_the_dose(tmp_path: Path) -> None:
    """They come with the dose they lie in, unless that refers to another structure set."""
    variant = build_case.named("prostate")
    patient = variant.patient()
    item = pydicom.Dataset()
    item.DVHReferencedROISequence = [pydicom.Dataset()]
    item.DVHReferencedROISequence[0].ReferencedROINumber = 2
    item.DVHType, item.DoseUnits = "NATURAL", "GY"
    patient.objects["dose"].DVHSequence = [item]
    order = variant.order(synthetic.save(patient, tmp_path), tmp_path, tmp_path)
    found = resolve(take_in(tmp_path, 2, lambda _: None).study, order.manifest, order.trial)
    source = dosimetry.read(checks.Case(order.manifest, order.trial, found.roles), tmp_path)
    assert source.main is not None
    assert list(source.recorded[source.main]) == [2]
