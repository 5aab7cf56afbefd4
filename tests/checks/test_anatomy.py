from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from case_builder import case, mapped, selected, structure_set

from rttqa_build.checks import anatomy, delivered, run_measured
from rttqa_build.checks.measured import Measured
from rttqa_build.checks.planes import Flat, beyond
from rttqa_build.dose.contours import Contour, StructureContours
from rttqa_build.dose.grid import DoseGrid
from rttqa_build.manifest import Prescription
from rttqa_build.study import ImageFacts, PlanFacts
from rttqa_build.trial import StructureRule

HEAD_FIRST = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
LEVELS = tuple(3.0 * n for n in range(10))


def square(z: float, middle: float = 0, half: float = 20) -> Contour:
    low, high = middle - half, middle + half
    corners = [(low, -half), (high, -half), (high, half), (low, half)]
    return Contour("CLOSED_PLANAR", np.array([(x, y, z) for x, y in corners]))


def structure(*contours: Contour) -> StructureContours:
    return StructureContours(1, "x", contours, "f", 3.0)


def column(*levels: float, **place: float) -> StructureContours:
    return structure(*(square(z, **place) for z in levels))


def seen(body: StructureContours | None = None, **drawn: StructureContours) -> Measured:
    return Measured(drawn, body, "dose")


def submission(*names: str, levels: tuple[float, ...] = LEVELS, **fields: Any) -> Any:
    images = (ImageFacts((0.0, 0.0, z), HEAD_FIRST, (1.0, 1.0), rows=64, columns=64) for z in levels)
    rules = tuple(StructureRule(name, "ORGAN") for name in names)
    mapping = mapped(**{name: name for name in names})
    return case(
        selected("planning_image", *images),
        structure_set(*names),
        manifest_fields=mapping,
        structures=rules,
        **fields,
    )


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        (column(*LEVELS[2:7]), []),
        (column(*(z + 0.3 for z in LEVELS[2:7])), []),  # coordinates written with few digits
        (column(*(z + 1.5 for z in LEVELS[2:7])), ["S201"]),
        (column(-3.0, *LEVELS[:4]), ["S201"]),  # beyond the last slice
        (column(0, 3, 9, 12), ["S202"]),
        (column(0, 6, 12), ["S202"]),  # every other slice
        (structure(square(0), square(3), square(15, middle=60), square(18, middle=60)), []),  # two parts
        (structure(square(0), square(3), square(3, middle=40, half=1)), ["S203"]),
        (structure(square(0), square(3), square(3, middle=40, half=2)), []),
        (structure(square(0), square(3, half=1)), []),  # a tip, beside nothing
        (structure(square(0), square(3), square(3, middle=30)), ["S206"]),
        (structure(square(0), square(3), square(3)), ["S206"]),  # drawn twice
        (structure(square(0), square(3), square(3, middle=40)), []),  # side by side
        (structure(square(0), square(3), square(3, half=10)), []),  # a hole
        (structure(square(0), square(3, half=10), square(3)), []),
        (structure(square(0), square(3), *(square(3) for _ in range(51))), []),  # nobody draws so
        (structure(Contour("POINT", np.zeros((1, 3)))), []),
    ],
)
def test_contours(drawn: StructureContours, expected: list[str]) -> None:
    found = list(anatomy.contours(submission("Rectum"), seen(Rectum=drawn)))
    assert [one.code for one in found] == expected
    assert all(one.subject == "Rectum" and one.local for one in found)


@pytest.mark.parametrize(
    ("drawn", "expected"), [(column(6, 9, 12, 18, 24), []), (column(6, 9, 12, 24, 30), ["S202"])]
)
def test_where_the_slices_lie_further_apart_none_is_missed(
    drawn: StructureContours, expected: list[str]
) -> None:
    levels = (*LEVELS[:5], 18.0, 24.0, 30.0)  # 3 mm, then 6 mm
    assert [
        one.code for one in anatomy.contours(submission("PTV", levels=levels), seen(PTV=drawn))
    ] == expected


def test_the_size_of_an_island_is_the_trials() -> None:
    drawn = seen(Rectum=structure(square(0), square(3), square(3, middle=40, half=2)))
    larger = submission("Rectum", tolerances={"island_mm2": 20})
    none = submission("Rectum", tolerances={"island_mm2": 0})
    assert [one.code for one in anatomy.contours(larger, drawn)] == ["S203"]
    assert [one.code for one in anatomy.contours(none, drawn)] == []


@pytest.mark.parametrize(
    ("drawn", "allowed", "expected"),
    [
        (column(3, 6), None, []),
        (column(3, 6, middle=30), None, []),  # touches the outline
        (column(3, 6, middle=31), None, []),  # by a millimetre
        (column(3, 6, middle=35), None, ["S204"]),
        (column(3, 6, middle=35), 6, []),
        (column(3, 6, middle=31), 0, ["S204"]),
        (column(24, 27), None, ["S204"]),  # no outline on these slices
    ],
)
def test_inside_the_body(drawn: StructureContours, allowed: float | None, expected: list[str]) -> None:
    tolerances = {} if allowed is None else {"outside_body_mm": allowed}
    one = submission("Rectum", tolerances=tolerances)
    body = column(*LEVELS[:7], half=50)
    assert [found.code for found in anatomy.inside_body(one, seen(body, Rectum=drawn))] == expected
    assert list(anatomy.inside_body(one, seen(None, Rectum=drawn))) == []


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ({"Kidney_L": 30, "Kidney_R": -30}, []),
        ({"Kidney_L": -30, "Kidney_R": 30}, ["Kidney_L", "Kidney_R"]),
        ({"Kidney_L": 60, "Kidney_R": 50}, []),  # a shifted patient: only the order counts
        ({"Kidney_L": -30, "Kidney_R": -30}, ["Kidney_L", "Kidney_R"]),  # one organ, copied under both names
        ({"Kidney_L": -28, "Kidney_R": -31}, ["Kidney_L", "Kidney_R"]),
        ({"Kidney_L": -30}, ["Kidney_L"]),
        ({"Kidney_L": -10}, []),  # near the midline nobody can tell
        ({"Rectum": -30}, []),
    ],
)
def test_sides(places: dict[str, float], expected: list[str]) -> None:
    drawn = {name: column(3, 6, middle=x, half=5) for name, x in places.items()}
    found = list(anatomy.sides(submission(*places), seen(column(3, 6, half=50), **drawn)))
    assert [(one.code, one.subject) for one in found] == [("S205", name) for name in expected]


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ({"PTV_L": 40}, []),
        ({"PTV_L": -40}, ["PTV_L"]),
        ({"PTV_R": 40}, ["PTV_R"]),
        ({"PTV_L": -25}, []),  # over the middle, as central tumours reach
        ({"CTV_L": -40}, []),  # low: no side at all, the trial has no other
    ],
)
def test_a_target_may_reach_over_the_middle_and_not_lie_beyond(
    places: dict[str, float], expected: list[str]
) -> None:
    one = submission(*places)
    rules = tuple(StructureRule(name, "PTV") for name in ("PTV_L", "PTV_R", "CTV_L"))
    drawn = {name: column(3, 6, middle=x, half=5) for name, x in places.items()}
    case = replace(one, trial=replace(one.trial, structures=rules))
    assert [f.subject for f in anatomy.sides(case, seen(column(3, 6, half=60), **drawn))] == expected
    assert list(anatomy.sides(case, seen(None, **drawn))) == []


def test_distance_outside_an_outline_with_a_hole_is_that_to_its_nearest_edge() -> None:
    outline = [Flat(0.0, square(0, half=half).points[:, :2]) for half in (50, 20)]
    assert beyond(np.array([[30.0, 0.0]]), outline) == 0
    assert beyond(np.array([[0.0, 0.0], [30.0, 0.0]]), outline) == 20
    assert beyond(np.array([[53.0, 54.0]]), outline) == 5


def line(dose: str, upto: str = "", plan: str = "", target: str = "PTV") -> Prescription:
    from decimal import Decimal

    return Prescription(target, Decimal(dose), Decimal(upto or dose), 20, plan)


@pytest.mark.parametrize(
    ("lines", "medians", "share", "expected"),
    [
        ([line("60")], {"PTV": 60.4}, None, []),
        ([line("60")], {"PTV": 54.1}, None, []),
        ([line("60")], {"PTV": 53.9}, None, ["PTV"]),
        ([line("60")], {"PTV": 66.1}, None, ["PTV"]),
        ([line("60")], {"PTV": 75.0}, 40, []),  # prescribed to an isodose
        ([line("55", "65")], {"PTV": 64.0}, 1, []),  # isotoxic
        ([line("55", "65")], {"PTV": 53.0}, 1, ["PTV"]),
        ([line("60"), line("46", target="PTV_L")], {"PTV": 60.0, "PTV_L": 58.0}, None, []),
        ([line("60"), line("46", target="PTV_L")], {"PTV": 60.0, "PTV_L": 40.0}, None, ["PTV_L"]),
        ([], {"PTV": 1.0}, None, []),
    ],
)
def test_medians(
    lines: list[Prescription], medians: dict[str, float], share: float | None, expected: list[str]
) -> None:
    fields = {"prescription": tuple(lines)}
    tolerances = {} if share is None else {"target_median_percent": share}
    roles = selected("plan", PlanFacts("")), selected("dose", of=("plan",))
    one = case(*roles, manifest_fields=fields, tolerances=tolerances)
    found = list(delivered.medians(one, Measured(medians={"dose": medians})))
    assert [(each.code, each.subject) for each in found] == [("D501", name) for name in expected]


def test_phases_are_held_against_their_own_doses_and_their_sum() -> None:
    plans = [selected("plan", PlanFacts(""), name=name) for name in ("a", "b")]
    doses = [selected("dose", name=f"d{name}", of=(name,)) for name in ("a", "b")]
    total = selected("dose", name="sum", of=("a", "b"))
    fields = {"prescription": (line("46", plan="a"), line("14", plan="b"))}
    one = case(*plans, *doses, total, manifest_fields=fields)
    right = {"da": {"PTV": 46.0}, "db": {"PTV": 14.0}, "sum": {"PTV": 60.0}}
    assert list(delivered.medians(one, Measured(medians=right))) == []
    wrong = {"da": {"PTV": 46.0}, "db": {"PTV": 46.0}, "sum": {"PTV": 92.0}}
    places = [found.where.file for found in delivered.medians(one, Measured(medians=wrong))]
    assert places == ["dose:db", "dose:sum"]


def test_a_sum_brings_no_target_more_than_all_its_plans_prescribe() -> None:
    plans = [selected("plan", PlanFacts(""), name=name) for name in ("a", "b")]
    total = selected("dose", name="sum", of=("a", "b"))
    lines = line("46", plan="a", target="PTV_L"), line("14", plan="b")
    one = case(*plans, total, manifest_fields={"prescription": lines})

    def told(high: float, low: float) -> list[str]:
        found = delivered.medians(one, Measured(medians={"sum": {"PTV": high, "PTV_L": low}}))
        return [each.subject for each in found]

    assert told(60.0, 58.0) == []
    assert told(66.1, 58.0) == ["PTV"]
    assert told(120.0, 116.0) == ["PTV", "PTV_L"]
    assert told(60.0, 40.0) == ["PTV_L"]


@pytest.mark.parametrize(("at", "expected"), [((5, 5), []), ((0, 0), ["D502"]), ((1, 5), [])])
def test_the_highest_dose(at: tuple[int, int], expected: list[str]) -> None:
    values = np.zeros((4, 11, 11), dtype=np.uint32)
    values[1, at[0], at[1]] = 100
    grid = DoseGrid(
        values, 0.01, np.array([-50.0, -50.0, 0.0]), np.eye(3), 10, 10, 3.0 * np.arange(4, dtype=np.float64)
    )
    measured = Measured({}, column(*LEVELS, half=32), "dose", {"dose": (grid,)})
    assert [one.code for one in delivered.hottest(submission("Rectum"), measured)] == expected


def test_nothing_is_measured_where_nothing_was_read() -> None:
    assert run_measured(submission("Rectum"), Measured()) == ()
