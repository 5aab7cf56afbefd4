"""The wrong patient, through the command line: two submissions compared, and objects within one."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import build_case
import pytest

from rttqa_build import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli_centre import Centre, Ran

    from rttqa_build.synthetic import SyntheticPatient

PROSTATE = build_case.named("prostate").manifest
OTHER_NHS = "9434765919"
VOUCHED = ", same_patient: {checked_by: physicist 2, how: name and date of birth on both}"


def unchanged(_: SyntheticPatient) -> None:
    pass


def somebody_else(patient: SyntheticPatient, *keys: str) -> None:
    """Make all objects, or those named, another patient's in every attribute."""
    for key, item in patient.objects.items():
        if not keys or key in keys:
            item.PatientName, item.PatientID, item.PatientBirthDate = "Q^R", "Z999000", "19300101"
            item.OtherPatientIDs = OTHER_NHS
            for row in item.get("OtherPatientIDsSequence", []):
                row.PatientID = OTHER_NHS


def only_local(patient: SyntheticPatient) -> None:
    """Leave the hospital number only."""
    for item in patient.objects.values():
        for keyword in ("OtherPatientIDs", "OtherPatientIDsSequence"):
            if keyword in item:
                delattr(item, keyword)


def only_nhs(patient: SyntheticPatient) -> None:
    """Leave the NHS number only, as the Patient ID."""
    only_local(patient)
    for item in patient.objects.values():
        item.PatientID = synthetic.INVENTED.nhs_number


def submission(
    centre: Centre, name: str, trial_id: str, alter: Callable[[SyntheticPatient], None], more: str = ""
) -> Ran:
    """Export a patient, write a manifest, build; return the build."""
    patient = build_case.named("prostate").patient(form_for=trial_id)
    alter(patient)
    synthetic.save(patient, centre.data / "exports" / name)
    text = PROSTATE.replace("source: EP-0123", f"source: {name}").replace(
        "patient: EP-0123", f"patient: {trial_id}"
    )
    folder = centre.root / "submissions" / name
    folder.mkdir()
    (folder / "manifest.yaml").write_text(
        text.replace("label: T2 TSE axial}", f"label: T2 TSE axial{more}}}"), "utf-8"
    )
    return centre.call("build", name)


def contradictions(centre: Centre) -> list[str]:
    ran = centre.call("check")
    return re.findall(r"\[(R31\d)\]", ran.out)


@pytest.fixture(scope="module")
def one_sent(settled: Centre, tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """A centre with one submission that was built. Shared: alter a copy."""
    made = settled.at(tmp_path_factory.mktemp("one sent"))
    assert "package" in submission(made, "first", "EP-0123", only_local).out
    return made


CASES: dict[str, tuple[str, Callable[[SyntheticPatient], None], list[str]]] = {
    "one patient under two trial IDs": ("EP-0124", unchanged, ["R311", "R311"]),
    "two patients under one trial ID": ("EP-0123", somebody_else, ["R310", "R310"]),
}


@pytest.mark.parametrize("case", CASES)
def test_two_submissions_are_compared_by_their_locks(case: str, one_sent: Centre, tmp_path: Path) -> None:
    centre = one_sent.at(tmp_path / "a centre")
    trial_id, alter, expected = CASES[case]
    submission(centre, "second", trial_id, alter)
    assert contradictions(centre) == expected
    assert centre.call("check").code == 1
    ran = centre.call("check", "first")
    assert re.findall(r"\[(R31\d)\]", ran.out) == expected[:1]
    assert centre.call("status").out.count("find out whose objects") == len(expected)
    centre.commit()
    assert centre.call("submit", "second").code == 1
    assert not list((centre.data / "portal").iterdir())


def test_what_cannot_be_compared_is_told_until_a_person_vouches(one_sent: Centre, tmp_path: Path) -> None:
    """One export has the hospital's number only, the other one the NHS number only."""
    centre = one_sent.at(tmp_path / "a centre")
    submission(centre, "second", "EP-0123", only_nhs)
    assert contradictions(centre) == ["R312", "R312"]
    manifest = centre.root / "submissions" / "second" / "manifest.yaml"
    centre.edit("label: T2 TSE axial}", f"label: T2 TSE axial{VOUCHED}}}", manifest)
    assert contradictions(centre) == []


def in_mr() -> Callable[[SyntheticPatient], None]:
    """Make the diagnostic MR another patient's."""

    def alter(patient: SyntheticPatient) -> None:
        keys = [key for key, item in patient.objects.items() if item.Modality == "MR"]
        assert keys
        somebody_else(patient, *keys)

    return alter


@pytest.mark.parametrize(("more", "refused"), [("", True), (VOUCHED, False)], ids=["alone", "vouched for"])
def test_an_object_of_another_patient_forbids_the_package(more: str, refused: bool, centre: Centre) -> None:
    ran = submission(centre, "EP-0123", "EP-0123", in_mr(), more)
    assert ("[R301]" in ran.out) is refused
    assert (centre.root / "submissions" / "EP-0123" / "lock.yaml").exists() is not refused


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX's")
def test_the_patients_of_an_export_are_listed_on_a_terminal_only(centre: Centre) -> None:
    folder = centre.data / "exports" / "two"
    synthetic.save(build_case.named("prostate").patient(), folder / "one")
    other = build_case.named("prostate").patient()
    somebody_else(other)
    synthetic.save(other, folder / "other")
    words = ("new", "--trial", "example-prostate", "--patient", "EP-0125", str(folder))
    ran = centre.call(*words)
    assert ran.code == 2
    assert "2 patients" in ran.err
    asked = centre.typed("1\n", *words)
    assert asked.code == 0, asked.out
    assert "1  HARGREAVES" in asked.out
    assert "2  Q^R" in asked.out
    drafted = (centre.root / "submissions" / "EP-0125" / "manifest.yaml").read_text("utf-8")
    assert "HARGREAVES" not in drafted.upper()
