from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from lock_builder import make_lock

from rttqa_build.diagnostic import Location, finding
from rttqa_build.lock import ConstraintVerdict, Input
from rttqa_build.manifest import DocumentEntry, Manifest, Prescription, StructureChoice, Submission, Waiver
from rttqa_build.settings import Centre, Settings
from rttqa_build.source import Document
from rttqa_build.study import (
    Beam,
    DoseFacts,
    Fate,
    Instance,
    Kind,
    PlanFacts,
    Reason,
    Roi,
    SourceFile,
    StructureFacts,
)
from rttqa_build.summary.assemble import (
    Evidence,
    Outcome,
    assemble,
    changed,
    finding_rows,
    free_texts,
    left_out,
)
from rttqa_build.summary.context import Fact, StructureRow
from rttqa_build.summary.wording import date_in_words, dose_range, number, role_words
from rttqa_build.trial import Constraint, Contact, StructureRule, Trial, When

RECTUM = Constraint("Rectum", "V60Gy[%]", "<=", Decimal(3), Decimal(5))
BLADDER = Constraint("Bladder", "D2cc[Gy]", "<", None, Decimal("60.0"))
OTHER_ARM = Constraint("Rectum", "V50Gy[%]", "<=", Decimal(3), None, When({"arm": ("control",)}))

TRIAL = Trial(
    "example-prostate",
    "An example",
    "unofficial",
    "0" * 64,
    Contact("QA team", "qa@example.org"),
    "example-prostate",
    structures=(
        StructureRule("PTV", "PTV"),
        StructureRule("Rectum", "ORGAN"),
        StructureRule("Bowel", "ORGAN"),
    ),
    constraints=(RECTUM, BLADDER, OTHER_ARM),
    clinical_titles={"psa": "PSA (ng/ml)"},
)
SETTINGS = Settings(Path(), Centre("RXX", "Centre", Contact("Physics", "p@example.org")), "d", "k", "0" * 64)
MANIFEST = Manifest(
    Document("m.yaml", {}),
    "example-prostate",
    Submission("prospective-review", 2, "EP-1", arm="hypo", kind="replacement", reason="redrawn"),
    "EP-1",
    documents={"paf": DocumentEntry("paf.xlsx")},
    structures={
        "Rectum": StructureChoice("rectum"),
        "PTV": StructureChoice("PTV 60"),
        "Bowel": StructureChoice(absent="far away"),
    },
    prescription=(Prescription("PTV", Decimal(55), Decimal(60), 20, "phase1"),),
    waivers=(Waiver("K201", "agreed", "sum"),),
)


def instance(
    kind: Kind, modality: str, facts: StructureFacts | PlanFacts | DoseFacts | None = None
) -> Instance:
    bare = Instance(SourceFile("f", 1, "0"), kind, "", modality, "", "", "", modality, "", facts=facts)
    return replace(bare, manufacturer="Maker", model="TPS")


STRUCTURES = StructureFacts("RS", (Roi(1, "PTV 60", "PTV"), Roi(2, "rectum")))
PLAN = PlanFacts("Plan1", intent="CURATIVE", approval="APPROVED", fractions=(20,), beams=(Beam(1, "Arc 1"),))
DOSE = DoseFacts(spacing=(2.5, 2.5), offsets=(0.0, -3.0))

EVIDENCE = Evidence(
    roles={
        "planning_image": (instance(Kind.IMAGE, "CT"),) * 3,
        "structure_set": (instance(Kind.STRUCTURE_SET, "RTSTRUCT", STRUCTURES),),
        "plan:phase1": (instance(Kind.PLAN, "RTPLAN", PLAN),),
        "dose:sum": (instance(Kind.DOSE, "RTDOSE", DOSE),),
    },
    volumes={"Rectum": 71.64, "PTV": 9.876},
    outcomes=(Outcome(RECTUM, "borderline", "4.9", "4.8", "full bladder"),),
    totals={"PTV": Decimal("58.5")},
    clinical={"psa": Decimal("7.1"), "previous_surgery": False, "sites": ["a", "b"]},
)
SUMMARY = assemble(MANIFEST, TRIAL, SETTINGS, EVIDENCE)


def test_contents_and_prescription() -> None:
    assert [(row.what, row.count) for row in SUMMARY.contents] == [
        ("planning CT images", 3),
        ("structure set", 1),
        ("plan", 1),
        ("dose distribution", 1),
        ("document", 1),
    ]
    row = SUMMARY.prescription[0]
    assert (row.dose, row.fractions, row.per_fraction, row.plan, row.dose_gy) == (
        "55–60 Gy",
        20,
        "2.75–3 Gy",
        "phase1",
        58.5,
    )


def test_structures_in_the_trials_order() -> None:
    assert SUMMARY.structures == (
        StructureRow("PTV", "PTV 60", "PTV", "9.88 cm³"),
        StructureRow("Rectum", "rectum", "ORGAN", "71.6 cm³"),
        StructureRow("Bowel", absent="far away"),
    )


def test_a_structure_found_under_the_trials_own_name_is_listed_too() -> None:
    evidence = replace(EVIDENCE, volumes={"PTV": 9.876, "rectum": 71.64})
    mapping = {"PTV": StructureChoice("PTV 60")}
    rows = assemble(replace(MANIFEST, structures=mapping), TRIAL, SETTINGS, evidence).structures
    assert rows == (
        StructureRow("PTV", "PTV 60", "PTV", "9.88 cm³"),
        StructureRow("rectum", "rectum", "", "71.6 cm³"),
    )


def test_constraints_that_hold_for_this_arm() -> None:
    rectum, bladder = SUMMARY.constraints
    assert (rectum.optimal, rectum.mandatory, rectum.achieved, rectum.reported) == (
        "≤ 3 %",
        "≤ 5 %",
        "4.9 %",
        "4.8 %",
    )
    assert (rectum.verdict, rectum.tone, rectum.reason) == ("borderline", "caution", "full bladder")
    assert (bladder.optimal, bladder.mandatory, bladder.achieved) == ("", "< 60 Gy", "")
    assert (bladder.verdict, bladder.tone) == ("not evaluated", "neutral")
    assert SUMMARY.verdicts == (("borderline", "caution", 1), ("not evaluated", "neutral", 1))


def test_plan_with_the_grid_of_its_dose() -> None:
    plan = SUMMARY.plans[0]
    assert {fact.label: fact.value for fact in plan.facts} == {
        "Plan": "phase1",
        "Type": "photon",
        "Intent": "curative",
        "Fractions": "20",
        "Approval": "approved",
        "Planning system": "Maker TPS",
        "Dose grid": "2.5 × 2.5 × 3 mm",
    }
    assert plan.beams[0].name == "Arc 1"


def test_words() -> None:
    assert SUMMARY.submission.purpose == "Prospective case review"
    assert SUMMARY.trial.status.startswith("Unofficial")
    assert SUMMARY.clinical == (
        Fact("PSA (ng/ml)", "7.1"),
        Fact("Previous surgery", "no"),
        Fact("Sites", "a, b"),
    )
    assert SUMMARY.waivers[0].title == "trial template cannot be filled in"


def test_every_written_text_is_listed() -> None:
    assert [row.text for row in free_texts(SUMMARY)] == [
        "redrawn",
        "7.1",
        "no",
        "a, b",
        "PTV 60",
        "rectum",
        "far away",
        "full bladder",
        "Plan1",
        "Arc 1",
        "agreed",
    ]


def test_findings_and_files_left_out() -> None:
    found = finding("K201", "m", Location("a.yaml", 3, 4), local="l", subject="s")
    row = finding_rows([found])[0]
    assert (row.place, row.title, row.severity, row.local) == (
        "a.yaml:3:4",
        "trial template cannot be filled in",
        "error",
        "l",
    )
    fates = [
        Fate(SourceFile(path, 1, "0"), reason)
        for path, reason in (("b", Reason.DUPLICATE), ("a", Reason.DICOMDIR))
    ]
    assert [(row.path, row.reason) for row in left_out(fates)] == [("a", "DICOMDIR"), ("b", "duplicate")]


@pytest.mark.parametrize(
    ("iso", "words"),
    [("2026-12-14", "14 December 2026"), ("2026-01-02", "2 January 2026"), ("", ""), ("soon", "soon")],
)
def test_dates(iso: str, words: str) -> None:
    assert date_in_words(iso) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [("60", "60"), ("60.00", "60"), ("100", "100"), ("2.4300", "2.43"), ("1E+2", "100"), ("0", "0")],
)
def test_numbers(value: str, words: str) -> None:
    assert number(Decimal(value)) == words
    assert dose_range(Decimal(value), Decimal(value)) == f"{words} Gy"


@pytest.mark.parametrize(
    ("role", "count", "modalities", "words"),
    [
        ("planning_image", 1, {"MR"}, "planning MR image"),
        ("planning_image", 2, {"CT", "MR"}, "planning images"),
        ("diagnostic_mr", 20, {"MR"}, "diagnostic MR images"),
        ("registration", 2, {"REG"}, "registrations"),
        ("something_else", 2, set(), "something else"),
    ],
)
def test_roles(role: str, count: int, modalities: set[str], words: str) -> None:
    assert role_words(role, count, modalities) == words


def test_changes_are_told_in_words() -> None:
    old = replace(
        make_lock(),
        inputs={"planning_image": Input(90, 1, "a"), "plan:phase1": Input(1, 1, "b")},
        documents={"plan_assessment_form": "d"},
        clinical_file="",
        constraints=(ConstraintVerdict("Rectum", "V60Gy[%]", "fail"),),
    )
    new = replace(
        old,
        inputs={
            "planning_image": Input(95, 1, "x"),
            "plan:phase1": Input(1, 1, "y"),
            "diagnostic_mr": Input(2, 1, "z"),
        },
        documents={"plan_assessment_form": "x"},
        clinical_file="f",
        constraints=(ConstraintVerdict("Rectum", "V60Gy[%]", "pass"),),
    )
    inputs = (
        Fact("Diagnostic MR images", "new"),
        Fact("Plan phase1", "replaced"),
        Fact("Planning images", "90 before, 95 now"),
        Fact("Plan assessment form", "replaced"),
        Fact("Clinical file", "new"),
    )
    assert changed(old, new, dose=False) == inputs
    assert changed(old, new) == (*inputs, Fact("Rectum V60Gy[%]", "was fail, now pass"))
