"""Trial IDs × whom the objects name: a pseudonym, the patient's own, or perhaps the hospital's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import build_case
import case_builder
import pytest

from rttqa_build import synthetic
from rttqa_build.build import build
from rttqa_build.deidentify.subject import check_subject
from rttqa_build.diagnostic import Location
from rttqa_build.export import export
from rttqa_build.study import PatientIdentity

if TYPE_CHECKING:
    from pathlib import Path

WILFRED = PatientIdentity("J483920", "HARGREAVES^WILFRED", "19510307", ("9990000018", "PL-0123"))
NOBODY = PatientIdentity("J483920", "", "")
ANONYMISED = PatientIdentity("PL-0123", "PL-0123", "19510307")
BY_CENTRE = PatientIdentity("PL-0123", "RXX^PL 0123")
PHANTOM = PatientIdentity("IMRT-1", "PHANTOM^IMRT")
CATPHAN = PatientIdentity("CATPHAN", "CATPHAN")
STONE = PatientIdentity("J483920", "STONE^GRANT", "19510307")


@pytest.mark.parametrize(
    ("subject", "who", "pattern", "codes"),
    [
        ("HARGREAVES", WILFRED, "", ["A108"]),
        ("Hargreaves-W", WILFRED, "", ["A108"]),
        ("PL-Wilfred", WILFRED, "^[A-Za-z-]*$", ["A108"]),
        ("19510307", WILFRED, "", ["A108"]),
        ("07-03-1951", WILFRED, "", ["A108"]),
        ("9990000018", WILFRED, "", ["A108"]),
        ("999-000-0018", WILFRED, r"^[\d-]+$", ["A108"]),
        ("J483920", WILFRED, "", ["A109"]),
        ("j-483920", WILFRED, "^[A-Za-z0-9-]+$", ["A109"]),
        ("J483920", STONE, "", ["A109"]),
        ("J483920", WILFRED, r"^[A-Z]\d{6}$", []),
        ("PL-0123", WILFRED, r"^PL-\d{4}$", []),
        ("PL-0124", WILFRED, "", []),
        ("", WILFRED, "", []),
        ("J483920", NOBODY, "", []),
        ("PL-0123", ANONYMISED, "", []),
        ("RXX-PL0123", BY_CENTRE, "", []),
        ("RXXX-0123", replace(BY_CENTRE, name="RXXX^0123 PL"), "", []),
        ("IMRT-1", PHANTOM, "", []),
        ("PHANTOM-1", PHANTOM, "", []),
        ("CATPHAN", CATPHAN, "", []),
    ],
)
def test_an_id_of_the_patients_own_is_found(
    subject: str, who: PatientIdentity, pattern: str, codes: list[str]
) -> None:
    trial = case_builder.trial(patient_id_pattern=pattern)
    found = list(check_subject(subject, [who, who], trial, Location("manifest.yaml")))
    assert [one.code for one in found] == codes
    assert not any(part in one.message for one in found for part in ("HARGREAVES", "1951", "999"))


def test_a_word_of_the_trials_own_is_no_name() -> None:
    pace = PatientIdentity("J1", "PACE^JOHN", "19510307")
    trial = replace(case_builder.trial(), id="pace-nodes", title="Pace nodes")
    assert not list(check_subject("PACE-7", [pace], trial, Location("manifest.yaml")))


@pytest.mark.parametrize(("subject", "codes"), [("HARGREAVES", {"A108"}), ("J483920", {"A109"})])
def test_build_and_engine_tell_it(subject: str, codes: set[str], tmp_path: Path) -> None:
    """The residue search cannot: what the manifest gives as trial ID is put there on purpose."""
    phantom = build_case.named("phantom")
    saved = synthetic.save(phantom.patient(), tmp_path / "in")
    text = phantom.manifest.replace("PHANTOM-1", subject, 1)
    order = build_case.order(text, tmp_path / "in", tmp_path / "out")
    built = build(order)
    assert {d.code for d in built.diagnostics} & {"A108", "A109"} == codes
    assert (built.package is None) is ("A108" in codes)
    made = export(replace(order, output=tmp_path / "all"), lambda _: None)
    assert {d.code for d in made.diagnostics} & {"A108", "A109"} == codes
    assert made.count == (0 if "A108" in codes else len(saved.objects))
