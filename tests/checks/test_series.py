from __future__ import annotations

from typing import Any

import pytest
from case_builder import case, codes, selected

from rttqa_build.checks import series
from rttqa_build.study import DoseFacts, ImageFacts, PlanFacts, StructureFacts

CT = selected("planning_image", ImageFacts())


@pytest.mark.parametrize(
    ("frame", "joined", "expected"),
    [
        ("f", (), []),  # the planning image's own frame
        ("g", ("f", "g"), []),
        ("g", (), ["C201"]),
        ("g", ("f", "h"), ["C201"]),
    ],
)
def test_registration(frame: str, joined: tuple[str, ...], expected: list[str]) -> None:
    scan = selected("diagnostic_mr", ImageFacts(), frame_uid=frame, modality="MR")
    joint = selected("registration", PlanFacts(""), references={"frames": joined})
    assert codes(series.registration, case(CT, scan, *([joint] if joined else []))) == expected


def test_without_a_planning_image_no_registration_is_asked_for() -> None:
    assert codes(series.registration, case(selected("diagnostic_mr", ImageFacts()))) == []


@pytest.mark.parametrize(
    ("name", "description", "image_type", "expected"),
    [
        ("phase50", "", (), []),
        ("", "Thorax gated 50%", (), []),
        ("", "Thorax AVE", (), []),
        ("1", "Thorax 0.0 %", (), []),
        ("", "Thorax", ("DERIVED", "SECONDARY", "MIP"), []),
        ("", "Thorax", ("ORIGINAL", "PRIMARY", "AXIAL"), ["C202"]),
        ("2", "Average patient's thorax"[8:], (), ["C202"]),
    ],
)
def test_series_of_a_4d_ct(name: str, description: str, image_type: Any, expected: list[str]) -> None:
    one = selected("ct_4d", ImageFacts(image_type=image_type), name=name, series_description=description)
    assert codes(series.phases, case(one)) == expected


def test_the_series_that_a_trial_lists() -> None:
    chosen = [selected("ct_4d", ImageFacts(), name=name) for name in ("average", "phase0")]
    assert codes(series.phases, case(*chosen, phases_4d=("average", "phase0"))) == []
    assert codes(series.phases, case(*chosen, phases_4d=("average", "phase0", "phase50"))) == ["C203"]
    assert codes(series.phases, case(phases_4d=("average",))) == []  # whether there is one is not said here


@pytest.mark.parametrize(("lacks", "expected"), [((), []), (("PatientWeight",), ["C204"])])
def test_uptake(lacks: tuple[str, ...], expected: list[str]) -> None:
    facts = ImageFacts(suv_lacks=lacks)
    assert (
        codes(series.uptake, case(selected("diagnostic_pt", facts, ImageFacts(), modality="PT"))) == expected
    )


def test_series_that_are_shared() -> None:
    plans = [selected("plan", PlanFacts(""), name=name, modality="RTPLAN") for name in "ab"]
    assert codes(series.sharing, case(*plans)) == []
    assert codes(series.sharing, case(*plans, separate_series=True)) == ["R021"]
    drawn = selected("structure_set", StructureFacts("", ()), modality="RTSTRUCT")
    assert codes(series.sharing, case(CT, drawn)) == ["R020"]
    assert codes(series.sharing, case(CT, separate_series=True)) == []
    assert (
        codes(series.sharing, case(selected("dose", DoseFacts(), modality="RTDOSE"), separate_series=True))
        == []
    )
