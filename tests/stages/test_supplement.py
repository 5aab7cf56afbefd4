"""A supplement, from manifest to receipt: it holds what is added, and refers to what was sent."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import zipfile
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any

import case_builder
import pytest
from case_builder import instance
from cli_centre import NAME
from lock_builder import make_lock
from pydicom import dcmread
from pypdf import PdfReader

from rttqa_build.diagnostic import finding
from rttqa_build.lock import Input, PseudonymousUid, since, together
from rttqa_build.manifest import Manifest, SamePatient, Selector, Submission
from rttqa_build.pseudonym import CentreKey, Pseudonyms
from rttqa_build.records.tokens import patient_tokens
from rttqa_build.resolve import Selected
from rttqa_build.source import Document
from rttqa_build.stages.supplement import same_patient, still_asked
from rttqa_build.study import ImageFacts, PatientIdentity
from rttqa_build.trial import ObjectRule, OneOf
from rttqa_build.verify.bag import Supplemented, supplemented
from rttqa_build.verify.member import Content

if TYPE_CHECKING:
    from pathlib import Path

    from cli_centre import Centre, Ran
    from pydicom import Dataset

REVISION = "revision: 1\n"


def supplement(centre: Centre, reason: str = "the dose on a finer grid", revision: int = 2) -> None:
    old = f"revision: {revision - 1}\n"
    centre.edit(old, f"revision: {revision}\n  kind: supplement\n  reason: {reason}\n")


def only(centre: Centre, prefix: str) -> Path:
    """Leave only the objects of one kind in the export; return the first."""
    for path in list(centre.export.rglob("*")):
        if path.is_file() and not path.name.startswith(prefix):
            path.unlink()
    return next(path for path in centre.export.rglob("*") if path.is_file())


def altered(path: Path, **values: object) -> None:
    item = dcmread(path)
    for keyword, value in values.items():
        setattr(item, keyword, value)
    item.save_as(path)


def built(centre: Centre, *codes: str) -> Ran:
    ran = centre.call("build")
    found = sorted(set(re.findall(r"\[([A-Z]\d{3})\]", ran.told)))
    assert (ran.code, found) == (0, sorted(codes)), ran.told
    return ran


def sent(centre: Centre) -> Ran:
    centre.commit()
    ran = centre.call("submit")
    assert (ran.code, "received by the portal" in ran.out) == (0, True), ran.told
    centre.commit()
    return ran


def packages(centre: Centre) -> list[Path]:
    return sorted((centre.data / "portal").glob("*.zip"), key=lambda path: path.name)


def objects(package: Path) -> dict[str, Dataset]:
    with zipfile.ZipFile(package) as content:
        names = [name for name in content.namelist() if name.endswith(".dcm")]
        return {name.rpartition("/")[2]: dcmread(io.BytesIO(content.read(name))) for name in names}


def provenance(package: Path) -> Any:
    with zipfile.ZipFile(package) as content:
        (name,) = (name for name in content.namelist() if name.endswith("provenance.json"))
        return json.loads(content.read(name))["predicate"]


def text(package: Path, name: str) -> str:
    with zipfile.ZipFile(package) as content:
        (full,) = (one for one in content.namelist() if one.endswith(name))
        data = content.read(full)
    if not name.endswith(".pdf"):
        return data.decode()
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)


def test_a_dose_alone_refers_to_the_plan_that_was_sent(received: Centre) -> None:
    altered(only(received, "RD"), SeriesDescription="finer")
    supplement(received)
    assert "error[M" not in received.call("check").out.replace("error[M401]", "")
    built(received)
    sent(received)
    first, second = packages(received)
    added, before = objects(second), objects(first)
    assert list(added) == ["RD_1.dcm"]
    plan = added["RD_1.dcm"].ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID
    assert plan == before["RP_1.dcm"].SOPInstanceUID
    assert added["RD_1.dcm"].SOPInstanceUID != before["RD_1.dcm"].SOPInstanceUID
    assert added["RD_1.dcm"].FrameOfReferenceUID == before["RD_1.dcm"].FrameOfReferenceUID


def test_the_package_says_what_it_stands_beside(received: Centre) -> None:
    altered(only(received, "RD"), SeriesDescription="finer")
    supplement(received)
    built(received)
    sent(received)
    first, second = packages(received)
    said = provenance(second)["supplements"]
    assert "supplements" not in provenance(first)
    assert said["package"] == f"example-phantom_RXX_{NAME}_dummy-run_r1.zip"
    rt = [one for name, one in objects(first).items() if not name.startswith("CT")]
    assert said["objects"] == sorted(str(one.SOPInstanceUID) for one in rt)
    assert said["images"] == sum(name.startswith("CT") for name in objects(first))
    assert said["package"] in text(second, "README.txt")
    assert "supplement to revision 1" in text(second, "bag-info.txt")
    ran = received.call("verify", second)
    assert (ran.code, f"supplement to {said['package']}" in ran.out) == (0, True), ran.told
    (row,) = received.call("verify", second, "--format", "json").json
    assert row["supplements"] == said["package"]


def test_summary_and_email_say_what_was_sent_before_and_what_comes_now(received: Centre) -> None:
    altered(only(received, "RD"), SeriesDescription="finer")
    supplement(received)
    built(received)
    sent(received)
    message: Any = message_from_bytes((received.built / "email.eml").read_bytes(), policy=default)
    told = message.get_content().replace("\r\n", "\n")
    assert "\n\nThis is a supplement: what was sent before still stands" in told
    there = r"1 dose distribution, 1 plan, \d+ planning images, 1 structure set"
    assert re.search(rf"\nSent before: +{there}\nContent: +1 dose distribution\n", told)
    assert "  - Dose distribution: sent anew\n" in told
    assert "no longer there" not in told
    shown = text(packages(received)[1], "clinical_summary.pdf")
    assert re.search(rf"Sent before\s+{there}", shown)
    assert "not evaluated" not in shown.lower()


def test_a_link_to_what_was_never_sent_is_broken(received: Centre) -> None:
    path = only(received, "RD")
    item = dcmread(path)
    item.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID = "1.2.3.4"
    item.save_as(path)
    supplement(received)
    ran = received.call("build")
    assert (ran.code, "error[R201]" in ran.out) == (1, True), ran.told


@pytest.mark.parametrize("prefix", ["RS", "RP"])
def test_other_objects_alone(prefix: str, received: Centre) -> None:
    altered(only(received, prefix), SeriesDescription="once more")
    supplement(received, "a correction")
    built(received)
    sent(received)
    assert list(objects(packages(received)[1])) == [f"{prefix}_1.dcm"]


def test_below_data_stands_all_that_is_added(received: Centre) -> None:
    (dose,) = received.export.rglob("RD*")
    shutil.copy(dose, dose.with_name("RD.second.dcm"))
    second = dose.with_name("RD.second.dcm")
    altered(second, SOPInstanceUID="1.2.3.4.5", SeriesDescription="finer")
    supplement(received)
    digest = hashlib.sha256(second.read_bytes()).hexdigest()
    received.edit("source:", f"data:\n  dose: {{sha256: {digest[:12]}}}\nsource:")
    built(received)
    sent(received)
    assert list(objects(packages(received)[1])) == ["RD_1.dcm"]


def test_a_supplement_to_a_supplement_knows_both(received: Centre) -> None:
    """The plan goes anew in the second revision; the dose of the third refers to that one."""
    backup = received.data / "kept"
    shutil.copytree(received.export, backup)
    altered(only(received, "RP"), RTPlanDescription="once more")
    supplement(received)
    built(received)
    sent(received)
    shutil.rmtree(received.export)
    shutil.copytree(backup, received.export)
    altered(only(received, "RD"), SeriesDescription="finer")
    received.edit("revision: 2\n", "revision: 3\n")
    built(received)
    sent(received)
    _, second, third = packages(received)
    plan = objects(third)["RD_1.dcm"].ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID
    assert plan == objects(second)["RP_1.dcm"].SOPInstanceUID
    message: Any = message_from_bytes((received.built / "email.eml").read_bytes(), policy=default)
    assert re.search(r"Sent before: .*planning images, 1 structure set", message.get_content())


def test_what_is_no_supplement_must_be_whole(received: Centre) -> None:
    only(received, "RD")
    received.edit(REVISION, "revision: 2\n  kind: replacement\n  reason: a finer grid\n")
    ran = received.call("build")
    assert ran.code == 1
    assert {"R001", "R201"} <= set(re.findall(r"error\[([A-Z]\d{3})\]", ran.out)), ran.told


def test_a_supplement_to_nothing_must_be_whole_and_says_nothing_of_others(centre: Centre) -> None:
    supplement(centre)
    assert "warning[M225]" in centre.call("check").out
    built(centre, "M225")
    package = next(centre.built.glob("*.zip"))
    assert "supplement" not in text(package, "bag-info.txt") + text(package, "README.txt")
    assert "supplements" not in provenance(package)
    only(centre, "RD")
    ran = centre.call("build")
    assert (ran.code, "error[R001]" in ran.out) == (1, True), ran.told


def test_a_supplement_to_what_was_withdrawn_must_be_whole(received: Centre) -> None:
    for lift in ((), ("--lift",)):
        assert received.call("withdraw", NAME, *lift, "--reason", "the wrong plan").code == 0
        ran = received.call("submit")
        assert (ran.code, "withdrawn since" in ran.out) == (0, not lift), ran.told
    supplement(received)
    ran = built(received, "M225")
    assert "what was received before was withdrawn" in ran.out
    assert "`kind: replacement`" in ran.out
    sent(received)
    assert "still stands" not in (received.built / "email.eml").read_text("utf-8")
    received.edit("revision: 2\n", "revision: 3\n")
    only(received, "RD")
    built(received)


def test_a_further_revision_of_another_patient_is_refused(received: Centre) -> None:
    lock = received.submission / "history" / "r1" / "lock.yaml"
    received.edit("purpose: dummy-run", "purpose: data-collection")
    received.edit(REVISION, "revision: 2\n  kind: replacement\n  reason: a finer grid\n")
    built(received)
    kept = lock.read_text("utf-8")
    other, count = re.subn(r'((?:local|nhs): )"?[0-9a-f]{64}"?', rf'\g<1>"{"0" * 64}"', kept)
    assert count == 2
    lock.write_text(other, "utf-8")
    ran = received.call("build")
    assert (ran.code, "error[R310]" in ran.out) == (1, True), ran.told
    assert "than the revision that was received" in ran.out


PSEUDONYMS = Pseudonyms.derive(CentreKey(bytes(range(32))), "example-prostate")
JANE, MOVED, JOHN = (
    PatientIdentity("J48", "A^B", "", ("9990000018",)),
    PatientIdentity("Q77", "A^B", "", ("9990000018",)),
    PatientIdentity("Z99", "C^D", "", ("9434765919",)),
)
LOCAL, NOBODY = PatientIdentity("J48"), PatientIdentity("EP-0123")


@pytest.mark.parametrize(
    ("before", "role", "now", "told"),
    [
        (JANE, "plan", JANE, []),
        (JANE, "plan", MOVED, []),
        (JANE, "plan", LOCAL, []),
        (JANE, "plan", JOHN, ["R310"]),
        (JANE, "plan", NOBODY, ["R312"]),
        (NOBODY, "plan", JANE, ["R312"]),
        (NOBODY, "plan", NOBODY, []),
        (LOCAL, "plan", replace(JOHN, patient_id="9434765919"), ["R312"]),
        # diagnostic images alone: another hospital's number is no contradiction, and no proof
        (JANE, "diagnostic_mr", MOVED, []),
        (JANE, "diagnostic_mr", JOHN, ["R312"]),
        (JANE, "diagnostic_mr", NOBODY, ["R312"]),
    ],
)
def test_a_revision_is_compared_with_what_was_received(
    before: PatientIdentity, role: str, now: PatientIdentity, told: list[str]
) -> None:
    submission = Submission("prospective-review", 2, "EP-0123")
    first = Selected("plan", "", (instance(ImageFacts(), "a", patient=before),))
    lock = replace(make_lock(), patient_tokens=patient_tokens([first], submission, PSEUDONYMS))
    sent = [Selected(role, "", (instance(ImageFacts(), "b", patient=now),))]
    manifest = Manifest(Document("manifest.yaml", {}), "t", submission, "s")
    assert [one.code for one in same_patient(sent, lock, manifest, PSEUDONYMS)] == told
    word = SamePatient("physicist 2", "name and date of birth on both")
    vouched = [replace(sent[0], same_patient=word)]
    forbidden = [code for code in told if code == "R310"]
    assert [one.code for one in same_patient(vouched, lock, manifest, PSEUDONYMS)] == forbidden
    assert not [*same_patient([], lock, manifest, PSEUDONYMS)]


# --- what a manifest need not say again, and what a package may say ---

FIRST = replace(
    make_lock(),
    inputs={"planning_image": Input(8, 80, "a"), "dose:sum": Input(1, 10, "b")},
    documents={"form": "c"},
    uids={"plan": (PseudonymousUid("2.25.1", "2.25.2"),)},
)
TRIAL = case_builder.trial(
    objects=(ObjectRule("dose", minimum=2, maximum=3),),
    one_of=(OneOf(("plan", "dose")), OneOf(("registration", "diagnostic_mr"))),
)


@pytest.mark.parametrize(
    ("code", "subject", "asked"),
    [
        ("M209", "form", False),
        ("M209", "notes", True),
        ("M223", "dose", False),
        ("M223", "registration", True),
        ("M224", "plan", False),
        ("M224", "registration", True),
        ("M210", "form", True),
    ],
)
def test_what_was_sent_is_not_asked_for_again(code: str, subject: str, *, asked: bool) -> None:
    manifest = case_builder.manifest(data={"dose": (Selector(),)})
    told = finding(code, "m", subject=subject)
    assert still_asked([told], manifest, TRIAL, FIRST) == ((told,) if asked else ())
    assert [one.code for one in still_asked([told], manifest, TRIAL, None)] == [code, "M225"]


def test_more_than_the_trial_takes_is_told() -> None:
    manifest = case_builder.manifest(data={"dose": (Selector(),) * 4})
    told = finding("M223", "m", subject="dose")
    assert still_asked([told], manifest, TRIAL, FIRST) == (told,)


def test_what_stands_together() -> None:
    later = replace(
        FIRST,
        inputs={"registration": Input(1, 5, "d")},
        documents={},
        uids={"plan": (PseudonymousUid("2.25.1", "2.25.9"), PseudonymousUid("2.25.4", "2.25.5"))},
        constraints=FIRST.constraints[:1],
    )
    beside, instead = together(FIRST, later, beside=True), together(FIRST, later, beside=False)
    assert beside.uids == instead.uids == {"plan": later.uids["plan"]}
    assert sorted(beside.inputs) == ["dose:sum", "planning_image", "registration"]
    assert (beside.documents, instead.documents) == (FIRST.documents, {})
    assert instead.inputs == later.inputs
    assert set(beside.constraints) == set(FIRST.constraints)
    assert [str(one) for one in since(FIRST, later, beside=True)] == ["registration: new"]
    assert any(one.words == "no longer there" for one in since(FIRST, later))


@pytest.mark.parametrize(
    "said",
    [
        None,
        {},
        {"package": "a.zip"},
        {"package": "../a.zip", "objects": [], "images": 1},
        {"package": "a.zip", "objects": [1], "images": 1},
        {"package": "a.zip", "objects": "2.25.1", "images": 1},
        {"package": "a.zip", "objects": [], "images": "8"},
    ],
)
def test_an_unsound_statement_of_what_was_sent_counts_for_nothing(said: object) -> None:
    data = json.dumps({"predicate": {"supplements": said}}).encode()
    content = Content("provenance.json", "provenance.json", "", 0, (), data=data)
    assert supplemented({"provenance.json": content}) == Supplemented()


def test_what_a_sound_statement_says() -> None:
    said = {"package": "a_r1.zip", "objects": ["2.25.1"], "images": 8}
    data = json.dumps({"predicate": {"supplements": said}}).encode()
    content = Content("provenance.json", "provenance.json", "", 0, (), data=data)
    assert supplemented({"provenance.json": content}) == Supplemented("a_r1.zip", frozenset({"2.25.1"}), 8)
    assert supplemented({}) == Supplemented()
