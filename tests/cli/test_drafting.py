"""``new``: what it drafts from an export, and what it refuses."""

from __future__ import annotations

import copy
import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from cli_centre import NAME

from rttqa_build import source, synthetic
from rttqa_build.synthetic.elements import uid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli_centre import Centre, Ran

PROSTATE = ("new", "--trial", "example-prostate", "--patient", "EP-0123")


def found(ran: Ran) -> list[str]:
    return re.findall(r"\[([A-Z]\d{3})\]", ran.told)


def drafted(centre: Centre) -> str:
    text = (centre.root / "submissions" / "EP-0123" / "manifest.yaml").read_text("utf-8")
    document, told = source.parse(text.encode(), "manifest.yaml")
    assert document is not None
    assert told == ()
    assert max(map(len, text.splitlines())) <= 110
    return text


def test_a_clean_export_leaves_few_questions(centre: Centre) -> None:
    ran = centre.call(*PROSTATE, "--purpose", "data-collection", centre.export)
    assert ran.code == 0
    assert "4 lines say TODO" in ran.out
    text = drafted(centre)
    first = text.partition("\n")[0]
    place = (centre.root / "submissions" / "EP-0123" / first.partition("$schema=")[2]).resolve()
    assert json.loads(place.read_bytes())["$id"] == "example-prostate.schema.json", "editors find no schema"
    assert "  PTV_6000: PTV 60 final\n" in text
    assert "dose_gy: 60, fractions: 20}  # when arm is hypofractionated" in text
    assert "data:" in text.replace("# data:", "data:")
    check = centre.call("check", "EP-0123")
    assert found(check) == ["M201"] * 4
    for item in ("submission.arm", "submission.radiotherapy_start", "prescription[0]", "clinical.history"):
        assert item in check.out


MEANWHILE = """
from pathlib import Path
from rttqa_build import draft
inner = draft.draft
def drafted(*arguments):
    other = Path("submissions", "EP-0123", "manifest.yaml")
    other.parent.mkdir()
    other.write_text("of somebody else")
    return inner(*arguments)
draft.draft = drafted
"""


def test_what_was_written_meanwhile_is_not_written_over(centre: Centre) -> None:
    """Two people draft one submission, or one who waits before the list of patients in another window."""
    ran = centre.altered(MEANWHILE, *PROSTATE, "--purpose", "data-collection", centre.export)
    assert (ran.code, "a manifest already" in ran.err) == (2, True)
    assert (centre.root / "submissions" / "EP-0123" / "manifest.yaml").read_text() == "of somebody else"


@pytest.mark.parametrize("purpose", ["outlining-benchmark", "planning-benchmark"])
def test_a_benchmark_is_of_a_case_and_an_observer(purpose: str, centre: Centre) -> None:
    assert centre.call(*PROSTATE, "--purpose", purpose, centre.export).code == 0
    check = centre.call("check", "EP-0123")
    assert set(found(check)) == {"M201"}
    assert "submission.case" in check.out
    assert "submission.observer" in check.out


def test_two_phases_are_listed_to_choose_from(centre: Centre) -> None:
    folder = centre.data / "exports" / "phases"
    synthetic.write(folder, extent=synthetic.SMALL, variant="two-phase")
    ran = centre.call(*PROSTATE, "--purpose", "data-collection", folder)
    assert ran.code == 0
    assert "several objects could be the dose" in ran.out
    text = drafted(centre)
    assert "\n  dose: TODO" in text
    choices = re.findall(r"^  # dose: \{sha256: [0-9a-f]{8}\} +# (.*)$", text, re.MULTILINE)
    assert choices == [
        "MULTI_PLAN dose of plan “Boost14”, “Pelvis46”",
        "PLAN dose of plan “Boost14”",
        "PLAN dose of plan “Pelvis46”",
    ]
    assert "  Rectum: rectum\n" in text
    assert set(found(centre.call("check", "EP-0123"))) == {"M201"}
    # the choice made, and the rest filled in, it builds
    first = re.search(r"  dose: TODO.*\n  # (dose: \{sha256: \w+\})", text)
    assert first is not None
    manifest = centre.root / "submissions" / "EP-0123" / "manifest.yaml"
    text = text.replace(first[0], f"  {first[1]}").replace(
        "- TODO", "- {target: PTV_6000, dose_gy: 60, fractions: 20}"
    )
    text = text.replace("arm: TODO", "arm: hypofractionated").replace("start: TODO", "start: 2026-12-14")
    manifest.write_text(text.replace("history: TODO", "history: none"), "utf-8")
    assert found(centre.call("check", "EP-0123")) == []
    assert [code for code in found(centre.call("build", "EP-0123")) if code.startswith("R")] == []


def test_the_series_of_a_4d_ct_are_a_list_with_ids(centre: Centre) -> None:
    folder = centre.data / "exports" / "EP-0123-4D"
    patient = synthetic.build(extent=synthetic.SMALL)
    for name in ("Thorax 50%", "Thorax 0%", "Average", "Thorax"):
        for number, item in enumerate(patient.of("ct")[:2]):
            phase = copy.deepcopy(item)
            phase.SOPInstanceUID, phase.SeriesInstanceUID = uid(name, number), uid(name)
            phase.SeriesDescription = name
            patient.objects[f"phase{name}/{number}"] = phase
    synthetic.save(patient, folder)
    arguments = ("new", "--trial", "example-phantom", "--patient", "EP-0123", "--purpose", "dummy-run")
    assert centre.call(*arguments, folder).code == 0
    text = drafted(centre)
    ids = re.findall(r"^  #   - \{id: (\w+), sha256: [0-9a-f]{8}\}  # CT, 2 images", text, re.MULTILINE)
    assert ids == ["TODO", "phase0", "phase50", "average"]
    taken = re.sub(r"^  # (?=ct_4d|  - )|^# (?=data:)", "  ", text, flags=re.MULTILINE)
    taken = taken.replace("  data:", "data:").replace("{id: TODO", "{id: mip")
    (centre.root / "submissions" / "EP-0123" / "manifest.yaml").write_text(taken, "utf-8")
    assert found(centre.call("check", "EP-0123")) == []


@pytest.mark.parametrize("label", ["HARGREAVES {}", "Mrs Okonkwo {}", "MRN 123456{}"])
def test_a_draft_holds_no_label_that_identifies(label: str, centre: Centre) -> None:
    folder = centre.data / "exports" / "labels"
    patient = synthetic.build(extent=synthetic.SMALL, variant="two-phase")
    for plan in patient.of("plan"):
        plan.RTPlanLabel = label.format(len(plan.RTPlanLabel))
    patient.objects["structure_set"].StructureSetROISequence[0].ROIName = "Hargreaves"
    synthetic.save(patient, folder)
    centre.call(*PROSTATE, folder)
    assert not {"hargreaves", "okonkwo", "mrn"} & set(re.findall("[a-z]+", drafted(centre).casefold()))
    assert re.search(r"  # dose: \{sha256: \w+\}\n", drafted(centre))


def test_several_patients(centre: Centre) -> None:
    other = synthetic.Identity(name="OTHERWISE^Someone", hospital_number="K112233", nhs_number="9990000026")
    patient = synthetic.build(identity=other, extent=synthetic.SMALL)
    synthetic.save(patient, centre.export)
    ran = centre.call(*PROSTATE, centre.export)
    assert ran.code == 2
    assert "2 patients" in ran.err
    assert "OTHERWISE" not in ran.told
    chosen = centre.typed("9\n", *PROSTATE, str(centre.export))
    assert chosen.code == 2
    chosen = centre.typed("1\n", *PROSTATE, str(centre.export))
    assert chosen.code == 0
    assert "HARGREAVES" in chosen.out
    assert "OTHERWISE" in chosen.out
    assert "drafted submissions/EP-0123/manifest.yaml from 15 objects" in chosen.out


def _moved(name: str) -> Callable[[Centre], Path]:
    def move(centre: Centre) -> Path:
        return centre.export.rename(centre.export.with_name(name))

    return move


def _outside(centre: Centre) -> Path:
    return shutil.copytree(centre.export, centre.data / "elsewhere")


def _empty(centre: Centre) -> Path:
    (centre.data / "exports" / "nothing").mkdir()
    return centre.data / "exports" / "nothing"


def _no_dicom(centre: Centre) -> Path:
    folder = _empty(centre)
    (folder / "readme.txt").write_text("x", "utf-8")
    return folder


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (_outside, "does not lie below data_root"),
        (_moved("Hargreaves W"), "named after the patient"),
        (_moved("J483920"), "named after the patient"),
        (lambda centre: centre.data / "exports" / "gone", "no such export folder"),
        (lambda centre: centre.data / "exports", "does not lie below data_root"),
        (_empty, "the export folder is empty"),
        (_no_dicom, "no DICOM object"),
    ],
)
def test_folders_that_are_refused(place: Callable[[Centre], Path], told: str, centre: Centre) -> None:
    folder = place(centre)
    ran = centre.call(*PROSTATE, folder)
    assert ran.code == 2
    assert told in ran.err
    assert "hint: " in ran.err
    assert not (centre.root / "submissions" / "EP-0123").exists()


def test_an_ordinary_word_names_nobody(centre: Centre) -> None:
    folder = centre.export.rename(centre.export.with_name("Dummyrun Kestrel 2"))
    assert centre.call(*PROSTATE, folder).code == 0
    assert "source: Dummyrun Kestrel 2 " in drafted(centre)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--trial", "example-prostat", "--patient", "EP-0123"), "did you mean 'example-prostate'?"),
        (("--trial", "../x", "--patient", "EP-0123"), "no trial has this id"),
        (("--trial", "example-prostate", "--patient", "EP-1"), "IDs of example-prostate look like EP-0123"),
        ((*PROSTATE[1:], "--purpose", "revieww"), "prospective-review"),
        ((*PROSTATE[1:], "--name", "../out"), "name cannot be a folder's everywhere"),
        ((*PROSTATE[1:], "--name", "Hargreaves"), "--name is named after the patient"),
        ((*PROSTATE[1:], "--name", NAME), "there is a manifest already"),
    ],
)
def test_arguments_that_are_refused(arguments: tuple[str, ...], told: str, centre: Centre) -> None:
    before = sorted((centre.root / "submissions").rglob("*"))
    ran = centre.call("new", *arguments, centre.export)
    assert ran.code == 2
    assert told in ran.err
    assert sorted((centre.root / "submissions").rglob("*")) == before


@pytest.mark.parametrize(
    ("trial", "purpose", "lines", "absent"),
    [
        ("parable", "prospective-review", ["  centre_patient_number: TODO"], ["clinician_approved"]),
        ("parable", "data-collection", [], ["centre_patient_number"]),
        ("parable", "", ["  centre_patient_number: TODO", "  purpose: TODO"], []),
        ("saron", "prospective-review", ["  clinician_approved: TODO"], ["centre_patient_number"]),
        (
            "pace-nodes",
            "data-collection",
            ["  # - {target: TODO, dose_gy: 25, fractions: 5}  # the pelvic nodes when arm is PPN-SBRT"],
            [],
        ),
        (
            "raider",
            "data-collection",
            ["  # - {target: TODO, dose_gy: TODO, fractions: 20}  # every target when stratum is 20f"],
            [],
        ),
    ],
)
def test_what_a_trial_leaves_open_is_left_open(
    trial: str, purpose: str, lines: list[str], absent: list[str], centre: Centre
) -> None:
    chosen = ("--purpose", purpose) if purpose else ()
    ran = centre.call("new", "--trial", trial, "--patient", "EP-0123", *chosen, centre.export)
    assert ran.code == 0
    text = drafted(centre)
    assert [line for line in lines if line not in text] == []
    assert [name for name in absent if name in text] == []


def test_names_of_earlier_submissions_come_first_and_likeness_is_only_proposed(centre: Centre) -> None:
    patient = synthetic.build(extent=synthetic.SMALL)
    odd = {"PTV 60 final": "Zielvolumen", "rectum": "Rectm"}
    for roi in patient.objects["structure_set"].StructureSetROISequence:
        roi.ROIName = odd.get(roi.ROIName, roi.ROIName)
    folder = centre.data / "exports" / "odd"
    synthetic.save(patient, folder)
    memory = centre.root / "mappings.yaml"
    memory.write_text("mappings: {example-prostate: {PTV_6000: [zielvolumen]}}\n", "utf-8")
    ran = centre.call(*PROSTATE, "--purpose", "data-collection", folder)
    text = drafted(centre)
    assert "  PTV_6000: Zielvolumen  # as in earlier submissions\n" in text
    assert "  Rectum: TODO  # perhaps one of these\n  # Rectum: Rectm  # spelt nearly so\n" in text
    assert "it is not sure which structure is Rectum" in ran.out
    memory.write_text("mappings: []\n", "utf-8")
    assert "M412" in centre.call(*PROSTATE, "--name", "again", folder).out


def test_names_of_what_is_received_are_remembered(centre: Centre) -> None:
    memory = centre.root / "mappings.yaml"
    with centre.manifest.open("a", encoding="utf-8") as manifest:
        manifest.write('structures: {PTV: "PTV 60 final", Rectum: rectum}\n')
    assert centre.call("build").code == 0
    centre.commit()
    assert centre.call("submit", "--dry-run").code == 0
    assert not memory.exists()
    sent = centre.call("submit")
    assert (sent.code, "mappings.yaml (commit it)" in sent.out) == (0, True)
    told = memory.read_bytes()
    assert told.endswith(b"  example-phantom:\n    PTV:\n      - PTV 60 final\n    Rectum:\n      - rectum\n")
    assert "mappings.yaml" not in centre.call("submit").out
    assert memory.read_bytes() == told
    assert centre.call("check").code == 0
    memory.write_bytes(told.replace(b"rectum", b"rectum 999 000 0018"))
    checked = centre.call("check")
    assert found(checked) == ["M261"]
    assert "999 000" not in checked.told
    memory.write_bytes(b"mappings: []\n")
    assert found(centre.call("check")) == ["M412"]
    assert "M412" in centre.call("check", "--format", "json").out
    # what cannot be read is left as it is, and holds nothing up
    assert centre.call("submit").code == 0
    assert memory.read_bytes() == b"mappings: []\n"
