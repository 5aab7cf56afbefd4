from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from case_builder import case, codes, mapped, selected, structure_set

from rttqa_build.checks import prescription
from rttqa_build.manifest import Prescription
from rttqa_build.study import DoseTarget, PlanFacts
from rttqa_build.trial import ObjectRule, StructureRule


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
    assert codes(prescription.fractionation, one) == expected


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
    assert codes(prescription.prescribed_dose, one) == expected


def test_each_line_is_held_against_its_own_plan() -> None:
    phases = (
        selected("plan", plan((23,), (46.0,)), name="phase1"),
        selected("plan", plan((7,), (14.0,)), name="phase2"),
    )
    right = prescribed(line("46", 23, "phase1"), line("14", 7, "phase2"))
    swapped = prescribed(line("46", 23, "phase2"), line("14", 7, "phase1"))
    assert codes(prescription.fractionation, case(*phases, manifest_fields=right)) == []
    assert codes(prescription.prescribed_dose, case(*phases, manifest_fields=right)) == []
    assert codes(prescription.fractionation, case(*phases, manifest_fields=swapped)) == ["P101", "P101"]
    assert codes(prescription.prescribed_dose, case(*phases, manifest_fields=swapped)) == ["P103", "P103"]


def test_the_planned_dose_is_told_locally_only_and_the_line_is_the_manifests() -> None:
    one = case(selected("plan", plan(doses=(57.123,))), manifest_fields=prescribed(line()))
    (found,) = prescription.prescribed_dose(one)
    assert "57.123" in found.local
    assert "57.123" not in found.message
    assert found.where.line == 6


def test_a_target_of_the_plan_is_held_against_its_own_line() -> None:
    doses = (DoseTarget("", "TARGET", 60.0, 1), DoseTarget("", "TARGET", 48.0, 2))
    facts = PlanFacts("Plan", fractions=(20,), targets=doses)
    low = Prescription("PTV_L", Decimal(46), Decimal(46), 20)
    fields = {**mapped(PTV="ptv", PTV_L="ptv low"), "prescription": (line(), low)}
    roles = (selected("plan", facts), structure_set("ptv", "ptv low"))
    (found,) = prescription.prescribed_dose(case(*roles, manifest_fields=fields))
    assert (found.code, "48 Gy" in found.local, "60" in found.local) == ("P103", True, False)
    unnamed = PlanFacts("Plan", fractions=(20,), targets=(DoseTarget("boost volume", "TARGET", 46.0),))
    rules = (StructureRule("PTV", "PTV", aliases=("Boost Volume",)),)
    by_alias = case(selected("plan", unnamed), manifest_fields=prescribed(line()), structures=rules)
    assert codes(prescription.prescribed_dose, by_alias) == ["P103"]


@pytest.mark.parametrize(
    ("dose", "doses", "expected"),
    [(15.0, (), []), (12.0, (), ["P103"]), (None, (), ["P104"]), (12.0, (15.0,), [])],
)
def test_application_setups_give_the_dose_where_no_target_does(
    dose: float | None, doses: tuple[float, ...], expected: list[str]
) -> None:
    facts = plan((1,), doses, kind="brachytherapy", setup_dose_gy=dose)
    one = case(selected("plan", facts), manifest_fields=prescribed(line("15", 1)))
    assert codes(prescription.prescribed_dose, one) == expected
    assert codes(prescription.fractionation, one) == []


@pytest.mark.parametrize(
    ("named", "plans", "library", "expected"),
    [
        (["phase1", "phase2"], 2, False, []),
        (["phase1", "phase1"], 2, False, ["P107"]),
        (["phase1", ""], 2, False, ["P106"]),
        ([""], 2, False, ["P106"]),
        ([""], 1, False, []),
        ([], 2, False, []),
        ([""], 2, True, []),
    ],
)
def test_phases(named: list[str], plans: int, library: bool, expected: list[str]) -> None:
    chosen = [selected("plan", plan(), name=f"phase{n}") for n in range(1, plans + 1)]
    fields = prescribed(*(line(plan=name) for name in named))
    rules = (ObjectRule("plan", library=library),)
    assert codes(prescription.phases, case(*chosen, manifest_fields=fields, objects=rules)) == expected


def test_every_plan_of_a_library_has_the_prescribed_fractions() -> None:
    chosen = [selected("plan", plan((n,)), name=f"size{n}") for n in (20, 19)]
    rules = (ObjectRule("plan", library=True),)
    one = case(*chosen, manifest_fields=prescribed(line()), objects=rules)
    assert codes(prescription.fractionation, one) == ["P101"]
