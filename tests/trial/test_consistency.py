from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from case_builder import manifest, trial

from rttqa_build.manifest import Prescription, Selector, StructureChoice
from rttqa_build.trial import ObjectRule, OneOf, Review, StructureRule, TrialPrescription, When
from rttqa_build.trial.consistency import check

VALID: dict[str, Any] = {"purpose": "prospective-review", "patient": "EP-0123", "arm": "a", "revision": 1}
RULES: dict[str, Any] = {
    "purposes": ("prospective-review", "dummy-run"),
    "arms": ("a", "b"),
    "strata": ("high", "low"),
    "patient_id_pattern": r"^EP-\d{4}$",
    "patient_id_template": "EP-0123",
    "protocol_versions": ("1.0", "2.0"),
}


def codes(protocol: str = "2.0", **fields: Any) -> list[str]:
    base = manifest(protocol=protocol)
    one = replace(base, submission=replace(base.submission, **(VALID | fields)))
    found = check(one, trial(**RULES))
    assert all(d.message and d.hint and d.where.file == "manifest.yaml" for d in found)
    return [d.code for d in found]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"arm": ""}, []),
        ({"arm": "c"}, ["M220"]),
        ({"stratum": "middle"}, ["M220"]),
        ({"purpose": "data-collection"}, ["M220"]),
        ({"patient": "EP-12"}, ["M215"]),
        ({"patient": "XEP-0123"}, ["M215"]),
        ({"patient": "", "case": "7"}, []),
        ({"protocol": "3.0"}, ["M216"]),
        ({"protocol": ""}, ["M216"]),
    ],
)
def test_what_a_trial_lists(fields: dict[str, Any], expected: list[str]) -> None:
    assert codes(**fields) == expected


REVIEWS = (Review("prospective-review", When({"centre_patient_number": (1, 2, 3)}), "counted by stratum"),)


@pytest.mark.parametrize(("number", "expected"), [(1, []), (3, []), (4, ["M222"]), (None, ["M222"])])
def test_reviews_are_asked_for_under_a_condition(number: int | None, expected: list[str]) -> None:
    base = manifest()
    one = replace(base, submission=replace(base.submission, centre_patient_number=number))
    found = check(one, trial(reviews=REVIEWS))
    assert [d.code for d in found] == expected
    assert all("1 or 2 or 3 (counted by stratum)" in d.message for d in found)
    other = replace(base, submission=replace(base.submission, purpose="data-collection"))
    assert check(other, trial(reviews=REVIEWS)) == ()


@pytest.mark.parametrize(("count", "expected"), [(1, ["M223"]), (2, []), (3, []), (4, ["M223"])])
def test_as_many_objects_are_listed_as_the_trial_takes(count: int, expected: list[str]) -> None:
    rule = ObjectRule("plan", minimum=2, maximum=3, when=When({"arm": ("a",)}))
    base = manifest(data={"plan": tuple(Selector(id=f"p{n}") for n in range(count))})
    one = replace(base, submission=replace(base.submission, arm="a"))
    assert [d.code for d in check(one, trial(objects=(rule,)))] == expected
    other = replace(base, submission=replace(base.submission, arm="b"))
    assert check(other, trial(objects=(rule,))) == ()


def test_one_of_several_roles_is_selected() -> None:
    rules: Any = {
        "objects": (ObjectRule("diagnostic_mr"), ObjectRule("diagnostic_pt")),
        "one_of": (OneOf(("diagnostic_mr", "diagnostic_pt")),),
    }
    assert [d.code for d in check(manifest(), trial(**rules))] == ["M224"]
    assert check(manifest(data={"diagnostic_pt": (Selector(path="PET"),)}), trial(**rules)) == ()


def test_an_incomplete_list_of_structures_takes_others_but_no_alias() -> None:
    rules: Any = {"structures": (StructureRule("IPCM", aliases=("PCM inf",)),), "structures_complete": False}
    one = manifest(structures={"PTV": StructureChoice("ptv"), "IPCM": StructureChoice("x")})
    assert check(one, trial(**rules)) == ()
    alias = manifest(structures={"PCM_inf": StructureChoice("x")})
    assert [(d.code, d.hint) for d in check(alias, trial(**rules))] == [("M204", "did you mean 'IPCM'?")]
    assert [d.code for d in check(one, trial(structures=rules["structures"]))] == ["M204"]


def lines(*entries: tuple[str, float, int, str]) -> Any:
    return tuple(Prescription(t, Decimal(str(d)), Decimal(str(d)), n, plan) for t, d, n, plan in entries)


LIBRARY = (ObjectRule("plan", library=True),)


@pytest.mark.parametrize(
    ("given", "rule", "objects", "fulfilled"),
    [
        # some target has it, whichever it is called; its phases add up
        (lines(("A", 50, 25, ""), ("B", 60, 25, "")), (None, 60, 25), (), True),
        (lines(("A", 40, 20, "p"), ("A", 20, 5, "q")), (None, 60, 25), (), True),
        (lines(("A", 50, 25, ""), ("B", 60, 20, "")), (None, 60, 25), (), False),
        # only the fractions are known
        (lines(("A", 50, 25, "")), (None, None, 25), (), True),
        (lines(("A", 50, 20, "")), (None, None, 25), (), False),
        # plans of a library don't add up, and each delivers it
        (lines(("A", 60, 20, "s"), ("A", 60, 20, "m")), ("A", 60, 20), LIBRARY, True),
        (lines(("A", 60, 20, "s"), ("A", 60, 20, "m")), ("A", 60, 20), (), False),
        (lines(("A", 60, 20, "s"), ("A", 55, 20, "m")), ("A", 60, 20), LIBRARY, False),
        (lines(("A", 60, 20, "s"), ("B", 60, 32, "m")), (None, None, 20), LIBRARY, False),
    ],
)
def test_prescriptions_whose_target_or_dose_is_not_known(
    given: Any, rule: tuple[str | None, int | None, int], objects: Any, fulfilled: bool
) -> None:
    target, dose, fractions = rule
    gray = None if dose is None else Decimal(dose)
    wanted = TrialPrescription(target or "", gray, gray, fractions, to="" if target else "the tumour")
    found = check(manifest(prescription=given), trial(prescriptions=(wanted,), objects=objects))
    told = [d for d in found if d.code == "M217"]
    assert bool(told) != fulfilled
    assert all((target or "the tumour") in d.message for d in told)
