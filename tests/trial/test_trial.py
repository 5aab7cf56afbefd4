"""Trial definitions: what they say, conditions, and contradictions inside them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rttqa_build.library import Library, shipped
from rttqa_build.manifest import Submission
from rttqa_build.source import parse
from rttqa_build.trial import FormValues, Trial, When, definition, folded

LIBRARY = Library()
TEXT = (shipped("trials") / "example-prostate" / "trial.yaml").read_text("utf-8")


def test_from_document() -> None:
    trial = LIBRARY.trial("example-prostate").trial
    assert trial is not None
    assert trial.pseudonym_scope == "example-prostate"
    assert trial.protocol_versions == ("1.0", "2.0")
    assert trial.arms == ("standard", "hypofractionated")
    assert trial.deadline_working_days == 5
    assert trial.tolerances["dose_gy"] == Decimal("0.1")
    assert trial.severities["D204"] == {"default": "error", "dummy-run": "warning"}
    assert [(p.target, p.dose_min, p.dose_max, p.fractions) for p in trial.prescriptions] == [
        ("PTV_6000", Decimal(60), Decimal(60), 20),
        ("PTV_7400", Decimal(74), Decimal(74), 37),
    ]
    first = trial.constraints[0]
    assert (first.structure, first.metric, first.op, first.optimal) == (
        "PTV_6000",
        "D95%[Gy]",
        ">=",
        Decimal("57.6"),
    )
    assert {rule.role for rule in trial.objects if rule.required} == {
        "planning_image",
        "structure_set",
        "plan",
        "dose",
    }
    values = trial.documents[0].values
    assert values == FormValues("Structure", "Metric", "Achieved")
    assert [rule.values for rule in trial.documents[1:]] == [None, None]
    assert trial.clinical_titles["psa"] == "PSA at diagnosis, ng/ml"


def test_conditions() -> None:
    when = When({"purpose": ("dummy-run", "data-collection"), "arm": ("standard",)})
    assert when.holds(Submission("dummy-run", 1, arm="standard"))
    assert not when.holds(Submission("dummy-run", 1, arm="other"))
    assert not when.holds(Submission("prospective-review", 1, arm="standard"))
    assert When().holds(Submission("dummy-run", 1))


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ("", "", []),
        ("{structure: Bowel,", "{structure: Bowl,", ["M321"]),
        ("{target: PTV_7400,", "{target: PTV_7500,", ["M321"]),
        ("when: {arm: standard}", "when: {arm: standart}", ["M321"]),
        ("when: {purpose: dummy-run}", "when: {purpose: dummy}", ["M104"]),
        ("aliases: [bladder,", "aliases: [RECTUM,", ["M322"]),
        ("V60Gy[%]", "V60[%]", ["M323"]),
        ("types: [xlsx, pdf]", "types: [pdf]", ["M321"]),
        ("      tolerance:", "      metrics: {Max dose to 1 cc: D1cc}\n      tolerance:", ["M323"]),
        ("V60Gy[%]", "D101%[Gy]", ["M323"]),
        ("pattern: '^EP-", "pattern: '^(EP-", ["M323"]),
        ("template: EP-0123", "template: EP-123", ["M321"]),
        ("D204: {", "D999: {", ["M324"]),
        ("D204: {", "A101: {", ["M324"]),
        ("D204: {default: error, dummy-run", "D204: {default: error, dummyrun", ["M321"]),
        ("PTV_4600:", "PTV_4600_much_too_long:", ["M105"]),
        ("dates: shift", "date: shift", ["M101"]),
        ("status: example", "status: TODO", ["M201"]),
    ],
)
def test_contradictions(old: str, new: str, codes: list[str]) -> None:
    assert old in TEXT
    document, _ = parse(TEXT.replace(old, new, 1).encode() if old else TEXT.encode(), "trial.yaml")
    assert document is not None
    document, found = LIBRARY.schema("trial").validate(document)
    if not found:
        found = definition.check(Trial.from_document(document), document)
    assert [d.code for d in found] == codes


def test_isotoxic_range() -> None:
    document, _ = parse(TEXT.replace("dose_gy: 60,", "dose_gy: {min: 58, max: 62},").encode(), "trial.yaml")
    assert document is not None
    rule = Trial.from_document(document).prescriptions[0]
    assert [rule.dose_min, rule.dose_max] == [58, 62]


def test_folded() -> None:
    assert folded("Fem_Head-L") == folded("fem head l") == folded("FEMHEAD.L")
    assert folded("PTV 60") != folded("PTV 61")


def test_what_a_plan_may_be_made_with() -> None:
    options = "rbe: 1.1\nphases_4d: [average, phase50]\nseparate_series: true\n"
    document, _ = parse((TEXT + options).encode(), "trial.yaml")
    assert document is not None
    document, found = LIBRARY.schema("trial").validate(document)
    assert not found
    made = Trial.from_document(document)
    assert made.permitted["techniques"] == ("IMRT", "VMAT")
    assert (str(made.rbe), made.phases_4d, made.separate_series) == ("1.1", ("average", "phase50"), True)
    plain = Trial.from_document(parse(TEXT.encode(), "trial.yaml")[0] or document)
    assert (plain.rbe, plain.phases_4d, plain.separate_series) == (None, (), False)
