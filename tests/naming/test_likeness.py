from __future__ import annotations

import pytest
from case_builder import trial
from hypothesis import given
from hypothesis import strategies as st

from rttqa_build.naming.likeness import EARLIER, Match, matches
from rttqa_build.trial import StructureRule

RULES = (
    StructureRule("PTV_6000", "PTV", ("PTV 60",)),
    StructureRule("PTV_4600", "PTV", ("PTV 46",)),
    StructureRule("CTVp", "CTV", ("prostate",)),
    StructureRule("Rectum", "ORGAN", ("rectum",)),
    StructureRule("FemoralHead_L", "ORGAN", ("Fem Head L",)),
    StructureRule("FemoralHead_R", "ORGAN", ("Fem Head R",)),
)
TRIAL = trial(structures=RULES)
LEFT, RIGHT = "FemoralHead_L", "FemoralHead_R"


@pytest.mark.parametrize(
    ("label", "name"),
    [("PTV 60", "PTV_6000"), ("ptv-60", "PTV_6000"), ("RECTUM", "Rectum"), ("fem_head_l", LEFT)],
)
def test_what_the_trial_calls_so_is_sure(label: str, name: str) -> None:
    assert matches([label], TRIAL) == ({name: Match(label)}, {})


@pytest.mark.parametrize(
    ("label", "name", "why"),
    [
        ("Head Fem Left", LEFT, "the same words"),
        ("Rt femoral head", RIGHT, "the same words"),
        ("OAR Rectum", "Rectum", "the same words"),
        ("rectm", "Rectum", "spelt nearly so"),
        ("Prostata", "CTVp", "spelt nearly so"),
        ("Femur Hed R", RIGHT, "spelt nearly so"),
    ],
)
def test_what_is_only_alike_is_proposed_and_never_sure(label: str, name: str, why: str) -> None:
    assert matches([label], TRIAL) == ({}, {name: (Match(label, why),)})


@pytest.mark.parametrize(
    "label",
    [
        *("Femoral head", "FemoralHeads", "Fem Head B", "Fem Heads L R"),  # no side, or both
        *("CTV_6000", "GTV 60", "PTV 61", "PTV", "60"),  # another target, dose, or neither
        *("Rectum_PRV05", "zRectum", "_Rectm", "", "Bladder"),
    ],
)
def test_what_stands_for_nothing(label: str) -> None:
    assert matches([label], TRIAL) == ({}, {})


@pytest.mark.parametrize(
    ("label", "alias"),
    [
        *(("LUNGR", "LUNGL"), ("lungr", "lungl"), ("Rlung", "Llung"), ("RTLUNG", "LTLUNG")),
        *(("lungright", "lungleft"), ("rightlung", "leftlung"), ("LUNGL", "LUNGR")),
        *(("ctvlung", "ptvlung"), ("GTVLUNG", "CTVLUNG")),
        *(("rparotid", "parotids"), ("parotidl", "Parotids"), ("Parotid", "parotidr"), ("lungl", "Lung")),
    ],
)
def test_neither_side_nor_kind_is_overlooked_where_words_are_not_set_apart(label: str, alias: str) -> None:
    named = trial(structures=(StructureRule("X", "ORGAN", (alias,)),))
    assert matches([label], named) == ({}, {})
    assert matches([alias + "x"], named).open


@given(st.lists(st.sampled_from(["Fem", "Head", "Femoral", "head", "heads", "hed", "_", " "]), max_size=5))
def test_left_is_never_right(words: list[str]) -> None:
    name = " ".join(words)
    for side, other in (("left", RIGHT), ("L", RIGHT), ("Rt", LEFT), ("right", LEFT)):
        found = matches([f"{name} {side}", f"{side} {name}"], TRIAL)
        assert other not in found.sure
        assert other not in found.open
    bare = matches([name], TRIAL)
    assert {LEFT, RIGHT}.isdisjoint({*bare.sure, *bare.open})


def test_what_was_accepted_before_goes_first() -> None:
    before = {"PTV_6000": ("plan target",), "Rectum": ("r",)}
    found = matches(["PTV 60", "Plan Target", "R", "Fem Head R"], TRIAL, before)
    assert found.sure == {
        "PTV_6000": Match("Plan Target", EARLIER),
        "Rectum": Match("R", EARLIER),
        RIGHT: Match("Fem Head R"),
    }


def test_what_was_accepted_for_the_other_side_is_forgotten() -> None:
    before = {LEFT: ("Fem Head R", "Fem Head")}
    assert matches(["Fem Head R"], TRIAL, before) == ({RIGHT: Match("Fem Head R")}, {})
    assert matches(["Fem Head"], TRIAL, before) == ({LEFT: Match("Fem Head", EARLIER)}, {})


def test_what_was_accepted_for_several_is_left_to_a_person() -> None:
    found = matches(["PTV"], TRIAL, {"PTV_6000": ("PTV",), "PTV_4600": ("PTV",)})
    assert found == ({}, {name: (Match("PTV", EARLIER),) for name in ("PTV_6000", "PTV_4600")})
    # an alias at hand is sure none the less
    found = matches(["PTV", "PTV 60"], TRIAL, {"PTV_6000": ("PTV",), "PTV_4600": ("PTV",)})
    assert found.sure == {"PTV_6000": Match("PTV 60")}


def test_several_that_fit_are_left_to_a_person() -> None:
    found = matches(["PTV 60", "PTV_60"], TRIAL)
    assert found == ({}, {"PTV_6000": (Match("PTV 60"), Match("PTV_60"))})


def test_a_name_is_not_used_twice() -> None:
    found = matches(["prostate"], TRIAL, {"Rectum": ("prostate",)})
    assert found == ({"Rectum": Match("prostate", EARLIER)}, {})


@pytest.mark.parametrize(("label", "name"), [("Parotid li", "Parotid_L"), ("Parotid_RE", "Parotid_R")])
def test_one_side_in_german_is_that_side_and_never_both(label: str, name: str) -> None:
    rules = tuple(StructureRule(name, "ORGAN") for name in ("Parotid_L", "Parotid_R", "Parotids"))
    assert matches([label], trial(structures=rules)) == ({}, {name: (Match(label, "the same words"),)})
