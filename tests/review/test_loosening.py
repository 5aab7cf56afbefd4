"""What retains more or checks less between two versions; what is stricter is not told."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rttqa_build.library import Library
from rttqa_build.review.loosening import of_settings, of_trial
from rttqa_build.settings import Centre, Gate, IdentifierPattern, PortalSettings, Settings
from rttqa_build.trial import Acceptance, Contact, DocumentRule, FormValues, Trial


def prostate() -> Trial:
    found = Library().trial("example-prostate").trial
    assert found is not None
    return found


def form(values: FormValues | None) -> tuple[DocumentRule, ...]:
    first, *others = prostate().documents
    return (replace(first, values=values), *others)


TRIAL = replace(
    prostate(),
    severities={"D204": {"dummy-run": "error"}},
    tolerances={"grid": Decimal(3)},
    permitted={"x": ("a",)},
)
SETTINGS = Settings(
    Path(),
    Centre("RXX", "Centre", Contact("A", "a@example.org")),
    "data",
    "key",
    "",
    "f" * 16,
    portal=PortalSettings("folder", path="out"),
    identifiers=(IdentifierPattern("hospital number", "[A-Z]1"),),
    gate=Gate(2, "main"),
    allowed_remotes=("ours",),
)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"retain": ("patient_characteristics",)}, "it now retains patient characteristics"),
        ({"staff_in_documents": True}, "names of staff may now stand in documents"),
        ({"pseudonym_scope": "other"}, "its pseudonym scope is another"),
        ({"allowed_macros": ("ab" * 32,)}, "documents may now hold the macros abababababab…"),
        ({"severities": {"D204": {"dummy-run": "warning"}}}, "finding D204 is now a warning for dummy-run"),
        (
            {"severities": {"D204": {"dummy-run": "error"}, "C1": {"x": "info"}}},
            "finding C1 is now a note for x",
        ),
        ({"tolerances": {"grid": Decimal(4)}}, "tolerance grid: 3 before, 4 now"),
        ({"tolerances": {}}, "tolerance grid: 3 before, none now"),
        ({"permitted": {}}, "any x is now permitted"),
        ({"documents": form(None)}, "documents: the values in plan_assessment_form are no longer compared"),
        (
            {"documents": form(FormValues("a", "b", "c", points=Decimal(9)))},
            "documents: points of the values in plan_assessment_form: 3 before, 9 now",
        ),
        ({"permitted": {"x": ("a", "b")}}, "x now permitted: b"),
        ({"constraints": TRIAL.constraints[1:]}, "changed or no longer there"),
        ({"structures": ()}, "structures: Rectum is no longer required"),
    ],
)
def test_a_trial_that_loosens(change: dict[str, Any], told: str) -> None:
    assert any(told in line for line in of_trial(TRIAL, replace(TRIAL, **change)))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"severities": {"D204": {"dummy-run": "error", "prospective-review": "error"}}},
        {"tolerances": {"grid": Decimal(2)}},
        {"permitted": {"x": ()}},
        {"dates": "remove"},
        {"retain": ()},
        {"title": "another"},
    ],
)
def test_a_trial_that_tightens_or_stays(change: dict[str, Any]) -> None:
    assert of_trial(TRIAL, replace(TRIAL, **change)) == ()


def test_dates_that_stay_longer() -> None:
    before = replace(TRIAL, dates="remove", unmapped_structures="drop")
    assert of_trial(before, replace(before, dates="shift", unmapped_structures="keep")) == (
        "dates are now shifted instead of removed",
        "names of structures that the manifest does not map are now kept",
    )


def test_a_new_trial_says_what_it_retains() -> None:
    new = replace(TRIAL, status="unofficial", retain=("patient_characteristics",))
    assert of_trial(None, new) == (
        "a new trial definition (unofficial)",
        "it retains patient characteristics",
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"gate": Gate(1, "main")}, "approvals wanted: 2 before, 1 now"),
        ({"gate": Gate(2)}, "submissions no longer need to be on the branch main"),
        ({"identifiers": ()}, "the identifier pattern 'hospital number' is no longer searched for"),
        (
            {"identifiers": (IdentifierPattern("hospital number", "x"),)},
            "the identifier pattern 'hospital number' is another",
        ),
        ({"allowed_remotes": ()}, "the remotes to which this repository may be pushed are others"),
        ({"portal": None}, "packages go to another portal"),
        ({"key_fingerprint": ""}, "another key is pinned, or none"),
        ({"key_access": "group"}, "the key may now be read by a group"),
        ({"allow_synced_folders": True}, "data may now lie in folders that a cloud client copies"),
        (
            {"accept_unofficial": (Acceptance("plato", "d", "a", "b", "c"),)},
            "the unofficial trial definition plato is accepted",
        ),
    ],
)
def test_settings_that_loosen(change: dict[str, Any], told: str) -> None:
    assert of_settings(SETTINGS, replace(SETTINGS, **change)) == (told,)


def test_settings_that_stay() -> None:
    assert of_settings(SETTINGS, replace(SETTINGS, gate=Gate(3, "main"))) == ()
    assert of_settings(None, SETTINGS) == ()
