from __future__ import annotations

from typing import Any

import pytest
from case_builder import case, codes, selected

from rttqa_build.checks import dose
from rttqa_build.study import DoseFacts, PlanFacts


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
