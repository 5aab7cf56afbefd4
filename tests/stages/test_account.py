"""``deidentification.json``: every file of the source once, with its fate; every rule; no value."""

from __future__ import annotations

import collections
import hashlib
import json
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import build_case
import pydicom
import pytest

from rttqa_build import synthetic
from rttqa_build.build import build
from rttqa_build.diagnostic import Location, finding
from rttqa_build.records.release import ACCOUNT
from rttqa_build.stages.local import local_part
from rttqa_build.summary.context import (
    CentreText,
    Contact,
    SourceText,
    SubmissionText,
    Summary,
    TrialText,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from build_case import Run

    from rttqa_build.synthetic import SyntheticPatient

FATES = {"used", "refused", "selected", "not selected", "not DICOM", "DICOMDIR", "duplicate", "unreadable"}


def account_of(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run.order.output / ACCOUNT).read_bytes())
    return found


def digests(folder: Path) -> collections.Counter[str]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return collections.Counter(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)


def demand_whole(run: Run) -> dict[str, Any]:
    """Every file of the source stands in it, as often as it lies there, with a fate."""
    told = account_of(run)
    rows = collections.Counter(row["source"] for row in told["files"])
    assert rows == digests(run.order.source)
    assert {row["fate"] for row in told["files"]} <= FATES
    return told


@pytest.mark.parametrize("name", build_case.NAMES)
def test_every_file_of_the_source_is_accounted_for(name: str, built: Callable[[str], Run]) -> None:
    run = built(name)
    told = demand_whole(run)
    assert told["package"] == run.package.name
    paths = {row["path"] for row in told["files"] if row["fate"] == "used"}
    made = {"README.txt", "clinical_summary.pdf", "data/README.txt", "data/clinical_summary.pdf"}
    assert paths == {n for n in run.members if n.startswith("data/")} - made


def test_the_rules_say_what_happened_to_each_attribute(built: Callable[[str], Run]) -> None:
    run = built("prostate")
    for row in account_of(run)["files"]:
        if "rules" not in row:
            continue
        counted = {(rule["keyword"], rule["rule"]): rule["count"] for rule in row["rules"]}
        assert all(rule["count"] > 0 and re.fullmatch("[0-9A-F]{8}", rule["tag"]) for rule in row["rules"])
        assert counted["PatientName", "written anew"] == 1
        assert counted["SOPInstanceUID", "UID replaced"] >= 1
        assert counted["PatientBirthDate", "emptied"] == 1


def test_nothing_in_it_is_a_value(built: Callable[[str], Run]) -> None:
    """Keywords, counts, digests, roles, paths of the package: and of the originals not even a length."""
    run = built("prostate")
    keys = {key for row in account_of(run)["files"] for key in row}
    assert keys <= {"source", "fate", "detail", "role", "path", "rules"}
    text = (run.order.output / ACCOUNT).read_text("utf-8")
    for path in run.patient.paths.values():
        assert path.name not in text or path.name == "DICOMDIR"
    for item in run.patient.objects.values():
        assert str(item.SOPInstanceUID) not in text


def attempt(folder: Path, alter: Callable[[SyntheticPatient], None], manifest: str = "") -> Run:
    variant = build_case.named("prostate")
    patient = variant.patient()
    alter(patient)
    saved = synthetic.save(patient, folder / "in")
    if manifest:
        order = build_case.order(manifest, folder / "in", folder / "out")
    else:
        order = variant.order(saved, folder / "in", folder / "out")
    return build_case.Run(variant, saved, order, build(order))


def test_it_is_whole_when_a_finding_stops_the_build(tmp_path: Path) -> None:
    def strange(patient: SyntheticPatient) -> None:
        patient.objects["plan"].PatientID = "Q99"
        patient.objects["plan"].PatientName = "SOMEONE^ELSE"
        patient.objects["plan"].PatientBirthDate = "19300101"
        patient.objects["plan"].OtherPatientIDs = ""

    run = attempt(tmp_path, strange)
    assert run.built.package is None
    told = demand_whole(run)
    assert told["package"] is None
    fates = collections.Counter(row["fate"] for row in told["files"])
    assert fates["selected"] > 5
    assert not fates["used"]


def test_a_document_is_one_file_however_its_path_is_written(tmp_path: Path) -> None:
    variant = build_case.named("prostate")
    run = build_case.run(replace(variant, manifest=variant.manifest.replace("forms/", "forms//")), tmp_path)
    demand_whole(run)


def test_a_refused_document_is_told(tmp_path: Path) -> None:
    def spoil(patient: SyntheticPatient) -> None:
        patient.extras["forms/PAF.xlsx"] = b"no workbook"

    run = attempt(tmp_path, spoil)
    assert run.built.package is None
    rows = {row.get("role"): row["fate"] for row in demand_whole(run)["files"]}
    assert rows["document:plan_assessment_form"] == "refused"


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links_and_damaged_files_have_a_fate_too(tmp_path: Path) -> None:
    run = attempt(tmp_path, lambda _: None)
    first = next(iter(run.patient.paths.values()))
    first.with_name("link.dcm").symlink_to(first)
    first.with_name("cut.dcm").write_bytes(first.read_bytes()[:-3])
    again = build(run.order)
    assert "A005" in {d.code for d in again.diagnostics}
    rows = account_of(run)["files"]
    assert [row["detail"] for row in rows if not row["source"]] == ["a symbolic link, which is not followed"]
    cut = hashlib.sha256(first.with_name("cut.dcm").read_bytes()).hexdigest()
    assert [row["fate"] for row in rows if row["source"] == cut] == ["unreadable"]
    assert pydicom.dcmread(first).SOPInstanceUID


def test_the_report_shows_the_lines_that_findings_point_to_without_names() -> None:
    manifest = b"manifest: 1\nnote: Doe\n"
    found = [
        finding("K201", "m", Location("s/manifest.yaml", 2, 7)),
        finding("K201", "m", Location("s/manifest.yaml", 9)),
        finding("K201", "m", Location("plan:phase1")),
    ]
    trial = TrialText("t", "T", "", "", Contact("QA", "qa@example.org"))
    centre = CentreText("RXX", "Centre", Contact("Physics", "p@example.org"))
    summary = Summary(trial, centre, SubmissionText("S-1", "Dummy run", 1))
    written = {"s/manifest.yaml": manifest, "s/other.yaml": b"x: 1\n"}
    told = local_part(found, (), (), summary, lambda text: text.replace("Doe", "[hidden]"), written)
    assert told.sources == (SourceText("s/manifest.yaml", ("manifest: 1", "note: [hidden]")),)
    assert [row.line for row in told.findings] == [(1, 2), None, None]
    assert local_part(found[2:], (), (), summary, str, written).sources == ()
