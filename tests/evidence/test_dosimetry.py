"""What histograms are made of: the dose that relative metrics refer to."""

from __future__ import annotations

from decimal import Decimal

import pytest
from case_builder import case, selected

from rttqa_build.evidence.dosimetry import prescribed, totals
from rttqa_build.manifest import Prescription
from rttqa_build.study import DoseFacts, DoseTarget, PlanFacts
from rttqa_build.trial import ObjectRule


def line(target: str, dose: int, plan: str) -> Prescription:
    return Prescription(target, Decimal(dose), Decimal(dose), 20, plan)


@pytest.mark.parametrize(("library", "expected"), [(False, 116), (True, 60)])
def test_phases_add_up_and_plans_of_a_library_do_not(library: bool, expected: int) -> None:
    lines = (line("PTV", 60, "small"), line("PTV", 56, "large"), line("CTV", 40, "small"))
    one = case(manifest_fields={"prescription": lines}, objects=(ObjectRule("plan", library=library),))
    assert prescribed(one) == expected


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ((DoseTarget("PTV", "TARGET", 62.4),), Decimal("62.4")),
        ((DoseTarget("PTV", "TARGET", 62.4), DoseTarget("CTV", "TARGET", 60.0)), Decimal("62.4")),
        ((DoseTarget("", "TARGET", 62.4), DoseTarget("", "TARGET", 60.0)), None),  # which of the two?
        ((DoseTarget("PTV", "TARGET", 72.0),), None),  # out of the range
        ((), None),
    ],
)
def test_of_an_isotoxic_range_the_plans_own_dose_counts(
    targets: tuple[DoseTarget, ...], expected: Decimal | None
) -> None:
    lines = (Prescription("PTV", Decimal(55), Decimal(70), 20, ""),)
    plan = selected("plan", PlanFacts("", targets=targets))
    assert prescribed(case(plan, manifest_fields={"prescription": lines})) == expected


PLANS = tuple(selected("plan", PlanFacts(name), name=name) for name in ("one", "two"))
DOSES = (
    *PLANS,
    selected("dose", DoseFacts(), name="first", of=("one",)),
    selected("dose", DoseFacts(), name="sum", of=("one", "two")),
)
WHOLE = (line("PTV", 46, "one"), line("PTV", 14, "two"), line("Nodes", 46, "one"))
SHORT = (line("Nodes", 46, "one"), line("PTV", 14, "two"))


@pytest.mark.parametrize(
    ("lines", "dose", "structure", "expected"),
    [
        (WHOLE, "sum", "PTV", 60),
        (WHOLE, "sum", "Nodes", 46),  # its own, not the highest
        (WHOLE, "sum", "Rectum", 60),
        (WHOLE, "first", "PTV", 46),
        (WHOLE, "first", "Rectum", 46),
        (SHORT, "sum", "PTV", None),  # 14, or 60 where it lies in the nodes' volume?
        (SHORT, "sum", "Nodes", None),
        (SHORT, "sum", "Rectum", None),
        (SHORT, "first", "Nodes", 46),
        (SHORT, "first", "Rectum", 46),
        ((line("PTV", 60, ""), line("PTV", 60, "")), "sum", "PTV", None),  # one line twice
        ((line("PTV", 60, ""), line("Nodes", 48, "")), "", "Nodes", 48),
        ((), "sum", "PTV", None),
    ],
)
def test_to_what_a_relative_metric_refers(
    lines: tuple[Prescription, ...], dose: str, structure: str, expected: int | None
) -> None:
    one = case(*DOSES, manifest_fields={"prescription": lines})
    assert prescribed(one, dose, structure) == expected


def test_what_is_not_said_is_no_total() -> None:
    one = case(*DOSES, manifest_fields={"prescription": SHORT})
    assert totals(one, "sum") == {"Nodes": None, "PTV": None}
