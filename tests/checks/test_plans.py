from __future__ import annotations

from typing import Any

import pytest
from case_builder import case, codes, selected

from rttqa_build.checks import plans
from rttqa_build.study import Beam, ImageFacts, PlanFacts
from rttqa_build.study.classes import ION_PLAN

PLAN = "1.2.840.10008.5.1.4.1.1.481.5"


def beam(number: int = 1, **fields: Any) -> Beam:
    given: dict[str, Any] = {
        "radiation": "PHOTON",
        "delivery": "TREATMENT",
        "energy": "6 MV",
        "meterset": 120.0,
        "patient_position": "HFS",
        "technique": "VMAT",
    }
    return Beam(number, f"beam {number}", **(given | fields))


def plan(*beams: Beam, **fields: Any) -> PlanFacts:
    return PlanFacts("Plan", beams=beams or (beam(),), **fields)


@pytest.mark.parametrize(
    ("status", "expected"),
    [("APPROVED", []), ("UNAPPROVED", ["P105"]), ("REJECTED", ["P105"]), ("", ["P105"])],
)
def test_approval(status: str, expected: list[str]) -> None:
    assert codes(plans.approval, case(selected("plan", plan(approval=status)))) == expected


@pytest.mark.parametrize(
    ("facts", "sop_class", "expected"),
    [
        (plan(intent="CURATIVE"), PLAN, []),
        (plan(intent=""), PLAN, []),
        (plan(intent="VERIFICATION"), PLAN, ["P113"]),
        (plan(intent="MACHINE_QA"), PLAN, ["P113"]),
        (plan(kind="ion"), ION_PLAN, []),
        (plan(kind="ion"), PLAN, ["P108"]),
        (plan(kind="ion"), "1.2.246.352.70.1.70", []),  # a planning system's own class
    ],
)
def test_kind(facts: PlanFacts, sop_class: str, expected: list[str]) -> None:
    assert codes(plans.kind, case(selected("plan", facts, sop_class=sop_class))) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (plan(beam(), beam(2)), []),
        (plan(beam(), beam(2, meterset=None)), ["P112"]),
        (plan(beam(meterset=0.0)), ["P112"]),
        (plan(beam(), beam(2, meterset=None, delivery="SETUP")), []),
        (PlanFacts("empty"), ["P112"]),
        (plan(beam(delivery="SETUP")), ["P112"]),
        (plan(beam(meterset=None), kind="brachytherapy"), []),
    ],
)
def test_monitor_units(facts: PlanFacts, expected: list[str]) -> None:
    assert codes(plans.monitor_units, case(selected("plan", facts))) == expected


@pytest.mark.parametrize(
    ("facts", "permitted", "expected"),
    [
        (plan(), {}, []),
        (plan(), {"techniques": ("VMAT", "IMRT"), "radiations": ("PHOTON",), "energies": ("6 MV",)}, []),
        (plan(beam(technique="3DCRT")), {"techniques": ("VMAT",)}, ["P110"]),
        (plan(beam(technique="")), {"techniques": ("VMAT",)}, []),
        (plan(beam(radiation="ELECTRON")), {"radiations": ("PHOTON",)}, ["P111"]),
        (plan(beam(energy="6 MV FFF")), {"energies": ("6 MV",)}, ["P111"]),
        (plan(beam(), beam(2, energy="18 MV", delivery="SETUP")), {"energies": ("6 MV",)}, []),
        (plan(), {"planning_systems": ("Eclipse", "RayStation")}, ["P109"]),
        (plan(), {"planning_systems": ("synthetic",)}, []),
    ],
)
def test_permitted(facts: PlanFacts, permitted: dict[str, Any], expected: list[str]) -> None:
    chosen = selected("plan", facts, manufacturer="Synthetic Planning", model="TPS")
    assert codes(plans.permitted, case(chosen, permitted=permitted)) == expected


def test_a_system_that_does_not_say_its_name_is_not_judged() -> None:
    one = case(selected("plan", plan()), permitted={"planning_systems": ("Eclipse",)})
    assert codes(plans.permitted, one) == []


def test_what_was_used_is_told_locally_only() -> None:
    one = case(selected("plan", plan(beam(energy="Smith MV"))), permitted={"energies": ("6 MV",)})
    (found,) = plans.permitted(one)
    assert found.local == "Smith MV"
    assert "Smith" not in found.message


@pytest.mark.parametrize(
    ("planned", "scanned", "expected"),
    [
        ("20260209", "20260202", []),
        ("20260202", "20260202", []),
        ("20260201", "20260202", ["P114"]),
        ("", "20260202", []),
        ("20260201", "", []),
    ],
)
def test_dates(planned: str, scanned: str, expected: list[str]) -> None:
    roles = selected("planning_image", ImageFacts(date=scanned)), selected("plan", plan(date=planned))
    assert codes(plans.dates, case(*roles)) == expected


@pytest.mark.parametrize(
    ("planned", "scanned", "expected"),
    [("HFS", "HFS", []), ("FFS", "HFS", ["P115"]), ("", "HFS", []), ("HFS", "", [])],
)
def test_position(planned: str, scanned: str, expected: list[str]) -> None:
    image = selected("planning_image", ImageFacts(patient_position=scanned))
    assert (
        codes(plans.position, case(image, selected("plan", plan(beam(patient_position=planned))))) == expected
    )
