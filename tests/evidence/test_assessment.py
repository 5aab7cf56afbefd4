"""The assessment form beside our own histograms: complete, equal within tolerance, and shown."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import build_case
import pytest
from form_builder import TITLES, workbook

from rttqa_build import checks, synthetic
from rttqa_build.checks.judgement import judge
from rttqa_build.evidence import Achieved, Histograms, assessment
from rttqa_build.manifest import DocumentEntry, StructureChoice, Waiver
from rttqa_build.summary.assemble import Outcome
from rttqa_build.trial import Constraint, DocumentRule, FormValues, form

if TYPE_CHECKING:
    from pathlib import Path

RULE = Constraint("Rectum", "V60Gy[%]", "<=", mandatory=Decimal(5))
HOT = Constraint("PTV_6000", "D2%[Gy]", "<=", mandatory=Decimal(64))
SMALL = Constraint("Bowel", "V20Gy[cc]", "<=", mandatory=Decimal(50))


def compared(
    folder: Path,
    *rows: tuple[Any, ...],
    ours: Any = ((RULE, 3.0, 0.1),),
    name: str = "PAF.xlsx",
    **values: Any,
) -> Histograms:
    """Return what comes of a form with these rows below its titles."""
    (folder / "forms").mkdir(exist_ok=True)
    (folder / "forms" / name).write_bytes(workbook(TITLES, *rows))
    achieved = tuple(Achieved(*one) for one in ours)
    outcomes = tuple(Outcome(one.rule, "pass", f"{one.value:.1f}") for one in achieved)
    return assessment.compared(case(name, **values), Histograms(outcomes=outcomes, achieved=achieved), folder)


def case(name: str = "PAF.xlsx", **values: Any) -> checks.Case:
    order = build_case.order(build_case.HEAD + build_case.SINGLE, None, None)  # type: ignore[arg-type]  # no files
    rule = DocumentRule("plan_assessment_form", "Form", ("xlsx",), values=FormValues(*TITLES, **values))
    structures = {**order.manifest.structures, "Bowel": StructureChoice("bowel 2")}
    documents = {"plan_assessment_form": DocumentEntry(f"forms/{name}")}
    manifest = replace(order.manifest, documents=documents, structures=structures)
    return checks.Case(manifest, replace(order.trial, documents=(rule,)), ())


def told(made: Histograms) -> list[tuple[str, str]]:
    return [(one.code, one.message) for one in made.diagnostics]


@pytest.mark.parametrize("called", ["Rectum", "rectum", "OAR  rectum", "rectal volume"])
def test_the_forms_value_stands_beside_ours(called: str, tmp_path: Path) -> None:
    made = compared(tmp_path, (called, "V60Gy (%)", 3.2))
    assert (told(made), made.outcomes[0].reported) == ([], "3.2")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], [("D601", "the form has no row for Rectum V60Gy[%]")]),
        ([("Rectum", "V40Gy (%)", 3)], [("D601", "the form has no row for Rectum V60Gy[%]")]),
        ([("Bladder", "V60Gy (%)", 3)], [("D601", "the form has no row for Rectum V60Gy[%]")]),
        ([("Rectum", "V60Gy (%)", None)], [("D601", "the form's value for Rectum V60Gy[%] in C2 is blank")]),
        (
            [("Rectum", "V60Gy (%)", "see notes of Dr Smith")],
            [("D601", "the form's value for Rectum V60Gy[%] in C2 is no number in %")],
        ),
        (
            [("Rectum", "V60Gy (cc)", 3)],
            [("D601", "the form's value for Rectum V60Gy[%] in C2 is no number in %")],
        ),
        (
            [("Rectum", "V60Gy (%)", "=1+2")],
            [("D601", "the form's value for Rectum V60Gy[%] in C2 is a formula that was never calculated")],
        ),
        (
            [("Rectum", "V60Gy (%)", 9434765919)],
            [("D601", "the form's value for Rectum V60Gy[%] in C2 is no number in %")],
        ),
        (
            [("Rectum", "V60Gy (%)", 3), ("rectum", "V6000cGy (%)", 4)],
            [("D606", "the form has different values for Rectum V60Gy[%] in C2 and C3")],
        ),
        ([("Rectum", "V60Gy (%)", 3), ("rectum", "V6000cGy (%)", 3)], []),
        ([("Rectum", "V60Gy (%)", None), ("rectum", "V60Gy (%)", 3)], []),
    ],
    ids=[
        *("no rows", "another metric", "another structure", "blank", "text", "another unit", "formula"),
        *("no percentage", "two values", "the same twice", "one of two filled in"),
    ],
)
def test_complete(rows: list[Any], expected: list[tuple[str, str]], tmp_path: Path) -> None:
    made = compared(tmp_path, *rows)
    assert told(made) == expected
    assert all("Smith" not in repr(one) for one in made.diagnostics)
    assert (made.outcomes[0].reported == "") is bool(expected)


@pytest.mark.parametrize(
    ("constraint", "ours", "error", "theirs", "code"),
    [
        (RULE, 3.0, 0.5, 6.0, ""),
        (RULE, 3.0, 0.5, 6.4, "D603"),
        (RULE, 3.0, 0.5, 6.6, "D602"),
        (RULE, 6.6, 0.5, 3.0, "D602"),
        (HOT, 60.0, 0.6, 61.8, ""),
        (HOT, 60.0, 0.6, 62.3, "D603"),
        (HOT, 60.0, 0.6, 64.0, "D602"),
        (HOT, 60.0, 0.6, "6400 cGy", "D602"),
        (HOT, 60.0, 0.6, "60,5", ""),
        (HOT, 1.0, 0.01, 1.3, ""),
        (SMALL, 20.0, 1.0, 22.0, ""),
        (SMALL, 20.0, 1.0, 25.0, "D602"),
        (SMALL, 0.0, 0.0, 0.4, ""),
    ],
)
def test_equal_within_tolerance(
    constraint: Constraint, ours: float, error: float, theirs: object, code: str, tmp_path: Path
) -> None:
    called = {"PTV_6000": "PTV 60 final", "Bowel": "bowel 2"}.get(constraint.structure, constraint.structure)
    made = compared(tmp_path, (called, constraint.metric, theirs), ours=((constraint, ours, error),))
    assert [one.code for one in made.diagnostics] == [code] * bool(code)
    if code:
        (found,) = made.diagnostics
        assert found.subject == f"{constraint.structure} {constraint.metric}"
        assert (found.where.file, found.where.item) == ("document:plan_assessment_form", constraint.structure)
        assert "ours" in found.local
        assert "C2" in found.message


def test_the_trial_sets_the_tolerance(tmp_path: Path) -> None:
    row = ("PTV 60", "D2% (Gy)", 61.0)
    assert told(compared(tmp_path, row, ours=((HOT, 60.0, 0.1),))) == []
    strict = compared(tmp_path, row, ours=((HOT, 60.0, 0.1),), dose_percent=Decimal("0.5"))
    assert [one.code for one in strict.diagnostics] == ["D602"]


def test_a_difference_can_be_waived_by_constraint(tmp_path: Path) -> None:
    made = compared(tmp_path, ("Rectum", "V60Gy (%)", 30))
    waiver = Waiver("D602", "the form has the older contour, agreed", "Rectum V60Gy[%]")
    one = case()
    (found,) = judge(made.diagnostics, replace(one.manifest, waivers=(waiver,)), one.trial)
    assert found.waived


def test_constraints_that_differ_in_their_dose_alone_are_not_compared(tmp_path: Path) -> None:
    rules = ((replace(RULE, dose="phase1"), 1.0, 0.1), (replace(RULE, dose="sum"), 3.0, 0.1))
    made = compared(tmp_path, ("Rectum", "V60Gy (%)", 30), ours=rules)
    assert (told(made), [one.reported for one in made.outcomes]) == ([], ["", ""])


def test_a_form_without_the_table(tmp_path: Path) -> None:
    made = compared(tmp_path, ("Rectum", "V60Gy (%)", 3), sheet="Dose")
    assert told(made) == [
        ("D604", "the form has no table with the columns Structure, Metric, Achieved on a sheet Dose")
    ]


def test_a_form_that_is_no_table(tmp_path: Path) -> None:
    made = compared(tmp_path, name="PAF.pdf")
    assert told(made) == [("D605", "values cannot be read from a PDF file")]
    made = compared(tmp_path, name="PAF")
    assert told(made) == [("D605", "values cannot be read from a file whose name has no ending")]


def test_a_form_that_is_not_there_is_told_once_elsewhere(tmp_path: Path) -> None:
    made = assessment.compared(case(), Histograms(achieved=(Achieved(RULE, 3.0, 0.1),)), tmp_path)
    assert told(made) == []


def test_a_link_out_of_the_source_is_not_followed(tmp_path: Path) -> None:
    inside = tmp_path / "source"
    (inside / "forms").mkdir(parents=True)
    (tmp_path / "PAF.xlsx").write_bytes(workbook(TITLES))
    (inside / "forms" / "PAF.xlsx").symlink_to(tmp_path / "PAF.xlsx")
    made = assessment.compared(case(), Histograms(achieved=(Achieved(RULE, 3.0, 0.1),)), inside)
    assert told(made) == []


def test_the_synthetic_patients_form(tmp_path: Path) -> None:
    """Its form is complete, and the summary shows its values beside ours."""
    variant = build_case.named("prostate")
    run = build_case.run(variant, tmp_path, variant.patient(extent=synthetic.FULL))
    assert [one for one in run.built.diagnostics if one.code.startswith("D6")] == []
    assert run.built.summary is not None
    judged = [row for row in run.built.summary.constraints if row.achieved]
    assert judged
    assert all(row.reported for row in judged)


def test_a_form_of_another_plan_is_told_in_report_and_lock(tmp_path: Path) -> None:
    variant = build_case.named("prostate")
    patient = variant.patient()
    rows = (("PTV 60", "D2% (Gy)", 64, 55.0, "met"), ("Rectum", "V60Gy (%)", 5, "", "met"))
    form_of_another = synthetic.assessment_form("EP-0123", patient.identity, "60 Gy in 20", rows)
    patient.extras["forms/PAF.xlsx"] = form_of_another
    run = build_case.run(variant, tmp_path, patient)
    found = {one.subject: one.code for one in run.built.diagnostics if one.code.startswith("D6")}
    assert found["PTV_6000 D2%[Gy]"] == "D602"
    assert found["Rectum V60Gy[%]"] == "D601"
    assert found["Bladder V60Gy[%]"] == "D601"
    assert run.built.lock is not None
    assert ("D602", "PTV_6000 D2%[Gy]") in {(one.code, one.subject) for one in run.built.lock.findings}
    report = (run.order.output / "report.html").read_text("utf-8")
    assert "form 55.00 Gy" in report
    assert "form 55.00 Gy" not in (run.order.output / "deidentification.json").read_text("utf-8")


def test_workbooks_are_opened_only_where_values_are_read() -> None:
    """The library is slow to load: without ``values:`` nobody waits for it."""
    script = "import sys, rttqa_build.build, rttqa_build.trial.form; print('openpyxl' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert form.read(b"Structure,Metric,Achieved\n", "csv", FormValues(*TITLES)) == ()
