from __future__ import annotations

import pytest
from case_builder import case, selected, trial
from hypothesis import given
from hypothesis import strategies as st

from rttqa_build.manifest import StructureChoice
from rttqa_build.naming import NEVER_DROPPED, name_structures
from rttqa_build.study import DoseFacts, DoseTarget, PlanFacts, Roi, StructureFacts
from rttqa_build.trial import StructureRule

RULES = (StructureRule("PTV", "PTV"), StructureRule("Rectum", "ORGAN"))
MAP = {"PTV": StructureChoice("ptv final"), "Rectum": StructureChoice(absent="not drawn")}


def rois(*names: str, **fields: object) -> tuple[Roi, ...]:
    return tuple(Roi(n, name, **fields) for n, name in enumerate(names, 1))  # type: ignore[arg-type]


def test_mapped_structures_take_the_trials_name() -> None:
    found = name_structures(rois("ptv final", "z"), MAP, trial(structures=RULES))
    assert found.renamed == {1: "PTV"}
    assert found.mapped["PTV"].number == 1
    assert not found.missing
    assert not found.ambiguous


def test_a_structure_that_has_the_trials_name_already_is_found_unless_mapped_elsewhere() -> None:
    found = name_structures(rois("PTV", "Rectum "), {}, trial(structures=RULES))
    assert sorted(found.mapped) == ["PTV", "Rectum"]
    assert name_structures(rois("PTV"), MAP, trial(structures=RULES)).missing == ("PTV",)


def test_several_of_a_name_are_ambiguous_and_stay_as_they_are() -> None:
    found = name_structures(rois("ptv final", "ptv final"), MAP, trial())
    assert found.ambiguous == ("PTV",)
    assert found.renamed == {}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("keep", {1: "PTV"}), ("rename", {1: "PTV", 2: "ROI_2"}), ("drop", {1: "PTV", 2: None})],
)
def test_unmapped_structures(policy: str, expected: dict[int, str | None]) -> None:
    found = name_structures(rois("ptv final", "z"), MAP, trial(unmapped_structures=policy))
    assert found.renamed == expected


@pytest.mark.parametrize("kind", sorted(NEVER_DROPPED))
def test_what_the_dose_was_calculated_with_is_never_dropped(kind: str) -> None:
    dropping = trial(unmapped_structures="drop")
    assert name_structures(rois("x", interpreted_type=kind), {}, dropping).renamed == {}
    assert name_structures(rois("x", has_physical_properties=True), {}, dropping).renamed == {}
    assert name_structures(rois("x"), {}, dropping, referenced=[1]).renamed == {}
    assert name_structures(rois("x"), {}, dropping).renamed == {1: None}


@pytest.mark.parametrize("kind", ["external", "Support", "bolus"])
def test_types_are_compared_whatever_their_case(kind: str) -> None:
    dropping = trial(unmapped_structures="drop")
    assert name_structures(rois("x", interpreted_type=kind), {}, dropping).renamed == {}


@pytest.mark.parametrize(
    ("role", "facts", "numbers", "kept"),
    [
        ("plan", PlanFacts("P"), (), set()),
        ("plan", PlanFacts("P", targets=(DoseTarget(roi_number=1),)), (), {1}),
        ("plan", PlanFacts("P"), (2,), {2}),
        ("dose", DoseFacts(), (1, 3), {1, 3}),
        ("diagnostic_mr", DoseFacts(), (1, 3), set()),
    ],
)
def test_what_plan_or_dose_refers_to_is_never_dropped(
    role: str, facts: PlanFacts | DoseFacts, numbers: tuple[int, ...], kept: set[int]
) -> None:
    structures = StructureFacts("RS", rois("a", "b", "c"))
    one = case(
        selected("structure_set", structures),
        selected(role, facts, roi_numbers=frozenset(numbers)),
        manifest_fields={"structures": {}},
        unmapped_structures="drop",
    )
    assert one.naming(structures).renamed == dict.fromkeys({1, 2, 3} - kept)


@given(
    st.lists(st.sampled_from(["ptv final", "PTV", "Rectum", "z"]), max_size=6),
    st.sampled_from(["keep", "rename", "drop"]),
)
def test_no_trial_name_is_given_twice(names: list[str], policy: str) -> None:
    found = name_structures(rois(*names), MAP, trial(structures=RULES, unmapped_structures=policy))
    given_names = [name for name in found.renamed.values() if name]
    assert len(set(given_names)) == len(given_names)
    assert set(found.mapped) <= set(found.renamed.values())
