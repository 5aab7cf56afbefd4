from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from case_builder import case, codes, selected

from rttqa_build.checks import plans
from rttqa_build.manifest import Prescription
from rttqa_build.study import DoseTarget, PlanFacts


def line(dose: str = "60", fractions: int = 20, plan: str = "", upto: str = "") -> Prescription:
    return Prescription("PTV", Decimal(dose), Decimal(upto or dose), fractions, plan)


def plan(
    fractions: tuple[int, ...] = (20,), doses: tuple[float | None, ...] = (60.0,), **more: Any
) -> PlanFacts:
    targets = tuple(DoseTarget("target", "TARGET", dose) for dose in doses)
    return PlanFacts("Plan", fractions=fractions, targets=targets, **more)


def prescribed(*lines: Prescription) -> dict[str, Any]:
    return {"prescription": lines}


@pytest.mark.parametrize(
    ("facts", "lines", "expected"),
    [
        (plan((20,)), [line()], []),
        (plan((15, 5)), [line()], []),
        (plan((19,)), [line()], ["P101"]),
        (plan(()), [line()], ["P102"]),
        (plan((0,)), [line()], ["P102"]),
        (plan((19,)), [], []),
        (plan((20,)), [line(), line("46")], []),
    ],
)
def test_fractions(facts: PlanFacts, lines: list[Prescription], expected: list[str]) -> None:
    one = case(selected("plan", facts), manifest_fields=prescribed(*lines))
    assert codes(plans.fractionation, one) == expected


@pytest.mark.parametrize(
    ("facts", "lines", "tolerance", "expected"),
    [
        (plan(doses=(60.0,)), [line()], None, []),
        (plan(doses=(60.009,)), [line()], None, []),
        (plan(doses=(60.05,)), [line()], None, ["P103"]),
        (plan(doses=(60.05,)), [line()], "0.1", []),
        (plan(doses=(46.0, 60.0)), [line("46"), line("60")], None, []),
        (plan(doses=(46.0,)), [line("46"), line("60")], None, ["P103"]),
        (plan(doses=(3.0,)), [line("60")], None, ["P103"]),  # a dose per fraction
        (plan(doses=(57.5,)), [line("55", upto="60")], None, []),
        (plan(doses=(54.0,)), [line("55", upto="60")], None, ["P103"]),
        (plan(doses=(None,)), [line()], None, ["P104"]),
        (plan(doses=()), [line()], None, ["P104"]),
        (plan(doses=()), [], None, []),
    ],
)
def test_prescribed_dose(
    facts: PlanFacts, lines: list[Prescription], tolerance: str | None, expected: list[str]
) -> None:
    tolerances = {"dose_gy": Decimal(tolerance)} if tolerance else {}
    one = case(selected("plan", facts), manifest_fields=prescribed(*lines), tolerances=tolerances)
    assert codes(plans.prescribed_dose, one) == expected


def test_each_line_is_held_against_its_own_plan() -> None:
    phases = (
        selected("plan", plan((23,), (46.0,)), name="phase1"),
        selected("plan", plan((7,), (14.0,)), name="phase2"),
    )
    right = prescribed(line("46", 23, "phase1"), line("14", 7, "phase2"))
    swapped = prescribed(line("46", 23, "phase2"), line("14", 7, "phase1"))
    assert codes(plans.fractionation, case(*phases, manifest_fields=right)) == []
    assert codes(plans.prescribed_dose, case(*phases, manifest_fields=right)) == []
    assert codes(plans.fractionation, case(*phases, manifest_fields=swapped)) == ["P101", "P101"]
    assert codes(plans.prescribed_dose, case(*phases, manifest_fields=swapped)) == ["P103", "P103"]


def test_the_planned_dose_is_told_locally_only_and_the_line_is_the_manifests() -> None:
    one = case(selected("plan", plan(doses=(57.123,))), manifest_fields=prescribed(line()))
    (found,) = plans.prescribed_dose(one)
    assert "57.123" in found.local
    assert "57.123" not in found.message
    assert found.where.line == 6


@pytest.mark.parametrize(
    ("status", "expected"),
    [("APPROVED", []), ("UNAPPROVED", ["P105"]), ("REJECTED", ["P105"]), ("", ["P105"])],
)
def test_approval(status: str, expected: list[str]) -> None:
    assert codes(plans.approval, case(selected("plan", plan(approval=status)))) == expected
