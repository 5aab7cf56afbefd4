from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from case_builder import case, codes, selected

from rttqa_build.checks import dose
from rttqa_build.study import DoseFacts, ImageFacts, PlanFacts
from rttqa_build.trial import ObjectRule

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def facts(**fields: Any) -> DoseFacts:
    given: dict[str, Any] = {
        "units": "GY",
        "type": "PHYSICAL",
        "summation": "PLAN",
        "spacing": (2.5, 2.5),
        "offsets": (0.0, 2.5, 5.0),
        "rows": 10,
        "columns": 10,
        "scaling": 0.001,
    }
    return DoseFacts(**(given | fields))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"summation": "MULTI_PLAN", "type": "EFFECTIVE"}, []),
        ({"units": "RELATIVE"}, ["D101"]),
        ({"units": ""}, ["D101"]),
        ({"summation": "BEAM"}, ["D102"]),
        ({"summation": "FRACTION"}, ["D102"]),
        ({"scaling": 0.0}, ["D103"]),
        ({"scaling": -1.0}, ["D103"]),
        ({"type": "ERROR"}, ["D104"]),
        ({"rows": 0, "scaling": 0.0}, ["D105"]),
    ],
)
def test_quantity(fields: dict[str, Any], expected: list[str]) -> None:
    assert codes(dose.quantity, case(selected("dose", facts(**fields)))) == expected


@pytest.mark.parametrize(
    ("fields", "limit", "expected"),
    [
        ({}, "2.5", []),
        ({}, "2", ["D204"]),
        ({}, None, []),
        ({"offsets": (0.0, 4.0, 8.0)}, "3", ["D204"]),
        ({"offsets": (0.0, -2.5, -5.0)}, "2.5", []),
        ({"offsets": (0.0, 2.5, 5.5)}, None, ["D203"]),
        ({"offsets": (0.0, 2.505, 5.0)}, None, []),
        ({"offsets": (0.0,)}, "3", []),
        ({"offsets": (), "spacing": None}, "3", []),
    ],
)
def test_grid(fields: dict[str, Any], limit: str | None, expected: list[str]) -> None:
    tolerances = {"dose_grid_mm": limit} if limit else {}
    assert codes(dose.grid, case(selected("dose", facts(**fields)), tolerances=tolerances)) == expected


def test_every_plan_needs_its_dose() -> None:
    one = selected("plan", PlanFacts("1"), name="phase1")
    two = selected("plan", PlanFacts("2"), name="phase2")
    uid = one.instances[0].sop_uid
    alone = selected("dose", facts(), name="a", references={"plan": (uid,)})
    total = selected("dose", facts(), name="sum", of=("phase1", "phase2"))
    assert codes(dose.sums, case(one, alone)) == []
    assert codes(dose.sums, case(one, two, alone)) == ["D106"]
    assert codes(dose.sums, case(one, two, total)) == []
    assert codes(dose.sums, case(one, selected("dose", facts()))) == ["D106"]


def image(**fields: Any) -> ImageFacts:
    given: dict[str, Any] = {
        "orientation": AXIAL,
        "spacing": (1.0, 1.0),
        "rows": 101,
        "columns": 101,
    }
    return ImageFacts(**(given | fields))


def test_the_course_has_one_dose_of_all_plans_and_no_plan_has_two() -> None:
    plans = [selected("plan", PlanFacts(name), name=name) for name in ("a", "b")]
    alone = [selected("dose", facts(), name=f"d{name}", of=(name,)) for name in ("a", "b")]
    total = selected("dose", facts(), name="sum", of=("a", "b"))
    again = selected("dose", facts(), name="again", of=("a",))
    library = (ObjectRule("plan", library=True),)
    assert codes(dose.course, case(*plans, *alone, total)) == []
    assert codes(dose.course, case(*plans, *alone)) == ["D107"]
    assert codes(dose.course, case(*plans, *alone, objects=library)) == []
    assert codes(dose.course, case(*plans)) == []
    assert codes(dose.course, case(plans[0], alone[0])) == []
    assert codes(dose.course, case(*plans, *alone, again, total)) == ["D108"]


@pytest.mark.parametrize(
    ("fields", "frame", "expected"),
    [
        ({"position": (0.0, 0.0, 0.0)}, "f", []),
        ({"position": (-20.0, 0.0, 0.0)}, "f", ["D109"]),
        ({"position": (0.0, 0.0, 50.0)}, "f", ["D109"]),
        ({"position": (0.0, 0.0, 40.0), "offsets": (0.0, -20.0, -40.0)}, "f", []),
        ({"position": (0.0, 0.0, 5.0), "offsets": (5.0, 7.5, 10.0)}, "f", []),
        ({"position": (0.0, 0.0, 50.0)}, "g", []),  # another frame is another finding
        ({"position": None}, "f", []),
    ],
)
def test_placement(fields: dict[str, Any], frame: str, expected: list[str]) -> None:
    scan = selected("planning_image", *(image(position=(0.0, 0.0, 2.0 * z)) for z in range(21)))
    one = selected("dose", facts(orientation=AXIAL, **fields), frame_uid=frame)
    assert codes(dose.placement, case(scan, one)) == expected


@pytest.mark.parametrize(
    ("kind", "type_", "rbe", "expected"),
    [
        ("photon", "PHYSICAL", None, []),
        ("photon", "EFFECTIVE", None, ["D110"]),
        ("electron", "EFFECTIVE", "1.1", ["D110"]),
        ("ion", "PHYSICAL", "1.1", ["D110"]),
        ("ion", "EFFECTIVE", "1.1", []),
        ("ion", "EFFECTIVE", None, ["D111"]),
    ],
)
def test_radiation(kind: Any, type_: str, rbe: str | None, expected: list[str]) -> None:
    roles = selected("plan", PlanFacts("P", kind=kind)), selected("dose", facts(type=type_), of=("plan",))
    assert codes(dose.radiation, case(*roles, rbe=Decimal(rbe) if rbe else None)) == expected


@pytest.mark.parametrize(("type_", "expected"), [("PHYSICAL", ["D110"]), ("EFFECTIVE", [])])
def test_a_sum_that_holds_ions_includes_the_rbe(type_: str, expected: list[str]) -> None:
    plans = (selected("plan", PlanFacts(kind, kind=kind), name=kind) for kind in ("ion", "photon"))
    total = selected("dose", facts(type=type_, summation="MULTI_PLAN"), of=("ion", "photon"))
    assert codes(dose.radiation, case(*plans, total, rbe=Decimal("1.1"))) == expected


@pytest.mark.parametrize(
    ("fields", "permitted", "expected"),
    [
        ({}, {}, []),
        ({"summation": "MULTI_PLAN"}, {"dose_summations": ("PLAN", "MULTI_PLAN")}, []),
        ({"summation": "MULTI_PLAN"}, {"dose_summations": ("PLAN",)}, ["D112"]),
        ({"summation": "BEAM"}, {"dose_summations": ("PLAN",)}, []),  # told as D102
        ({"heterogeneity": ("IMAGE",)}, {"heterogeneity": ("IMAGE",)}, []),
        ({"heterogeneity": ("WATER",)}, {"heterogeneity": ("IMAGE",)}, ["D113"]),
        ({"heterogeneity": ()}, {"heterogeneity": ("IMAGE",)}, []),
    ],
)
def test_permitted(fields: dict[str, Any], permitted: dict[str, Any], expected: list[str]) -> None:
    assert codes(dose.permitted, case(selected("dose", facts(**fields)), permitted=permitted)) == expected
