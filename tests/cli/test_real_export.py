"""A real planning system's export, where it is at hand, all the way: `init` to a package received, twice."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
import pytest
from cli_centre import NAME

from rttqa_build.stages.intake import take_in
from rttqa_build.study import Kind

if TYPE_CHECKING:
    from cli_centre import Centre

PHANTOM = Path(__file__).resolve().parents[3] / "shared" / "data" / "eclipse_phantom"
pytestmark = pytest.mark.skipif(not PHANTOM.is_dir(), reason="the Eclipse phantom export is not here")
ONE_DOSE = "data:\n  dose: {sha256: 437708a8}\n"


def test_from_init_to_received_and_again_with_the_second_ct(centre: Centre) -> None:
    centre.manifest.unlink()
    centre.edit("../data/exports", str(PHANTOM.parent), centre.root / "rttqa.yaml")
    assert centre.call("new", "--trial", "example-phantom", "--patient", NAME, PHANTOM).code == 0
    select(centre, ONE_DOSE)
    assert centre.call("check").code == 0
    first = sent(centre)
    assert counted(first) == {"CT": 11, "RTDOSE": 1, "RTPLAN": 1, "RTSTRUCT": 1}

    study = take_in(PHANTOM, 2, lambda _: None).study
    second = next(i for i in study.instances if i.series_description == "Water phantom")
    registration = next(i for i in study.instances if i.kind is Kind.REGISTRATION)
    centre.edit("revision: 1\n", "revision: 2\n  kind: replacement\n  reason: with the diagnostic scan\n")
    centre.edit(
        ONE_DOSE,
        f"{ONE_DOSE}  diagnostic_ct: {{sha256: {second.file.sha256[:12]}}}\n"
        f"  registration: {{sha256: {registration.file.sha256[:12]}}}\n",
    )
    package = sent(centre)
    assert counted(package) == {"CT": 112, "REG": 1, "RTDOSE": 1, "RTPLAN": 1, "RTSTRUCT": 1}
    assert rt_uids(first) <= rt_uids(package)  # what did not change keeps its UID over revisions


def select(centre: Centre, data: str) -> None:
    """Decide what the draft leaves open: the purpose, and which dose."""
    text = centre.manifest.read_text("utf-8")
    head = text[: text.index("\ndata:")] if "\ndata:" in text else text
    centre.write(f"{head.replace('purpose: TODO', 'purpose: dummy-run').rstrip()}\n{data}")


def sent(centre: Centre) -> Path:
    """Build, commit, submit; return what the portal has."""
    built = centre.call("build")
    assert built.code == 0, built.told
    centre.commit()
    before = {*(centre.data / "portal").glob("*.zip")}
    handed_over = centre.call("submit")
    assert handed_over.code == 0, handed_over.told
    centre.commit()
    (new,) = {*(centre.data / "portal").glob("*.zip")} - before
    assert centre.call("verify", new).code == 0
    return new


def objects(package: Path) -> list[pydicom.Dataset]:
    with zipfile.ZipFile(package) as archive:
        return [
            pydicom.dcmread(archive.open(name), stop_before_pixels=True)
            for name in archive.namelist()
            if name.endswith(".dcm")
        ]


def counted(package: Path) -> dict[str, int]:
    found = [dataset.Modality for dataset in objects(package)]
    return {modality: found.count(modality) for modality in sorted(set(found))}


def rt_uids(package: Path) -> set[str]:
    return {str(d.SOPInstanceUID) for d in objects(package) if d.Modality.startswith("RT")}
