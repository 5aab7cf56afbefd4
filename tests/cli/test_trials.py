"""``trials``: listed, shown, checked, begun."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from rttqa_build.library import Library

if TYPE_CHECKING:
    from pathlib import Path

    from cli_centre import Centre

TRIALS = Library().ids()
HEAVY = """
import atexit, sys
atexit.register(lambda: print("MODULES", *sys.modules, file=sys.stderr))
"""


@pytest.fixture
def own(settled: Centre, tmp_path: Path) -> Centre:
    """A copy of the repository with a definition of its own, called ours."""
    centre = settled.at(tmp_path)
    assert centre.call("trials", "new", "ours").code == 0
    return centre


def test_the_list_has_a_line_for_each_that_fits(settled: Centre) -> None:
    ran = settled.call("trials")
    lines = ran.out.splitlines()
    assert [line.split()[0] for line in lines[: len(TRIALS)]] == list(TRIALS)
    assert max(map(len, lines)) <= 80
    assert "plato             unofficial  PersonaLising Anal cancer" in ran.out


@pytest.mark.parametrize("arguments", [("raider",), ("show", "raider")])
def test_what_a_trial_asks_for_is_shown(settled: Centre, arguments: tuple[str, ...]) -> None:
    told = " ".join(settled.call("trials", *arguments).out.split())
    for part in (
        "plan optional, 3, a plan library",
        "plan optional, at most 1",
        "prescriptions, when stratum is 20f 20 fractions to every target",
        "documents, when arm is SART or DART and purpose is data-collection plan_selections required",
        "strata 32f, 20f",
        "unknown the address of the trial's own RTTQA contact",
    ):
        assert part in told
    told = " ".join(settled.call("trials", "pathos").out.split())
    assert "reviews asked for, when centre_patient_number is 1 prospective-review (the centre's first" in told
    assert "one of diagnostic_ct, diagnostic_mr, diagnostic_pt" in settled.call("trials", "plato").out
    assert "optional, ion" in settled.call("trials", "parable").out


def test_json(settled: Centre) -> None:
    assert [row["id"] for row in settled.call("trials", "--format", "json").json["trials"]] == list(TRIALS)
    one = settled.call("trials", "plato", "--format", "json").json["trials"]
    assert [row["full_name"][:13] for row in one] == ["PersonaLising"]


def test_a_definition_is_begun_and_checked(own: Centre) -> None:
    ran = own.call("trials", "check")
    assert (ran.code, ran.out) == (0, "ours: no findings\n")
    assert own.call("trials", "ours").code == 0
    assert own.call("trials", "check", "trials/ours").code == 0
    assert own.call("trials", "new", "ours").code == 2
    assert own.call("trials", "new", "Ours").code == 2


def test_findings_of_a_library_are_shown_with_their_lines(own: Centre) -> None:
    own.edit("arms: [standard, experimental]", "arms: [standard]", own.root / "trials/ours/trial.yaml")
    ran = own.call("trials", "check")
    assert ran.code == 1
    assert "trials/ours/trial.yaml:48:80: error[M321] the trial has no arm experimental" in ran.out
    assert "  48 | " in ran.out
    assert "ours: 1 error" in ran.out
    sarif = json.loads(own.call("trials", "check", "--format", "sarif").out)
    assert [result["ruleId"] for result in sarif["runs"][0]["results"]] == ["M321"]
    row = own.call("trials", "check", "--format", "json").json[0]
    assert row["trials"] == ["ours"]
    assert [found["line"] for found in row["findings"]] == [48]


def test_a_folder_that_is_no_library(settled: Centre) -> None:
    ran = settled.call("trials", "check", "submissions")
    assert ran.code == 2
    assert "no library here" in ran.err
    for place, told in (("nowhere", "nowhere is not there"), ("rttqa.yaml", "rttqa.yaml is a file")):
        ran = settled.call("trials", "check", place)
        assert (ran.code, ran.err.startswith(f"error: {told}")) == (2, True)
        assert "a trial's id" in ran.err


def test_showing_and_listing_need_nothing_heavy(settled: Centre) -> None:
    for arguments in (("trials",), ("trials", "plato")):
        ran = settled.altered(HEAVY, *arguments)
        loaded = {name.partition(".")[0] for name in ran.err.partition("MODULES")[2].split()}
        assert loaded & {"jinja2", "typst", "numpy", "pydicom"} == set()


def test_an_unofficial_trial_needs_acceptance_by_digest(settled: Centre, tmp_path: Path) -> None:
    centre = settled.at(tmp_path)
    centre.write(
        "manifest: 1\ntrial: saron\nsubmission: {patient: SA-1, purpose: data-collection, revision: 1}\n"
        "source: SA-1\n"
    )
    assert "error[M314] the definition of saron is unofficial and not accepted" in centre.call("check").out
