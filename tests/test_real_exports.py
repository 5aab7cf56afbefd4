"""Exports of real planning systems, where they are at hand: read, built, or refused with a reason."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

import build_case
import pydicom
import pytest

from rttqa_build import disk
from rttqa_build.build import build
from rttqa_build.stages.intake import take_in
from rttqa_build.study import Kind, Reason
from rttqa_build.verify import verify

if TYPE_CHECKING:
    from rttqa_build.stages.order import Built, Order

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
PHANTOM = DATA / "eclipse_phantom"
HEAD = build_case.PHANTOM
ONE_DOSE = HEAD + "data:\n  dose: {sha256: 437708a8}\n"

needs_phantom = pytest.mark.skipif(not PHANTOM.is_dir(), reason="the Eclipse phantom export is not here")


def silent(_: str) -> None:
    pass


def selecting(*wanted: str) -> str:
    """Return a manifest that selects objects of an export by digest: ``role digest``."""
    return HEAD + "data:\n" + "".join(f"  {line.replace(' ', ': {sha256: ')}}}\n" for line in wanted)


def built(folder: Path, manifest: str, source: Path) -> tuple[Order, Built]:
    order = build_case.order(manifest, source, folder / "build")
    return order, build(order)


@needs_phantom
def test_one_dose_by_digest_brings_its_plan_structures_and_images(tmp_path: Path) -> None:
    order, made = built(tmp_path, ONE_DOSE, PHANTOM)
    assert [d.code for d in made.diagnostics if d.fatal] == []
    assert made.package is not None
    assert made.lock is not None
    assert {role: row.count for role, row in made.lock.inputs.items()} == {
        "planning_image": 11,
        "structure_set": 1,
        "plan": 1,
        "dose": 1,
    }
    assert not [d for d in verify(made.package, made.package.name).diagnostics if d.fatal]
    demand_safe(order, made)


@needs_phantom
@pytest.mark.parametrize("dose", ["437708a8", "f7eae83c", "fda95808"])
def test_no_finding_on_the_phantom_but_what_is_odd_in_it(dose: str, tmp_path: Path) -> None:
    """None of its plans and structure sets was ever approved in the planning system, and both say so."""
    _, made = built(tmp_path, HEAD + f"data:\n  dose: {{sha256: {dose}}}\n", PHANTOM)
    found = [(d.code, d.severity, d.subject) for d in made.diagnostics if d.code[0] in "RCSPDM"]
    assert found == [("P105", "warning", "plan"), ("S113", "warning", "structure_set")]


@needs_phantom
def test_no_finding_on_the_phantoms_second_ct_but_what_is_odd_in_it(tmp_path: Path) -> None:
    """The second CT is registered to the first, so that nothing is missing between the two."""
    study = take_in(PHANTOM, 2, silent).study
    second = next(i for i in study.instances if i.series_description == "Water phantom")
    (joint,) = [i for i in study.instances if i.kind is Kind.REGISTRATION]
    lines = ("dose 437708a8", f"diagnostic_ct {second.file.sha256}")
    _, alone = built(tmp_path / "a", selecting(*lines), PHANTOM)
    _, joined = built(tmp_path / "b", selecting(*lines, f"registration {joint.file.sha256}"), PHANTOM)
    without, having = (
        {d.code for d in made.diagnostics if d.code[0] in "RCSPDM"} for made in (alone, joined)
    )
    assert without == {"C201", "P105", "S113"}
    assert having == {"P105", "S113"}


@needs_phantom
def test_the_second_ct_and_the_registration_as_diagnostic(tmp_path: Path) -> None:
    study = take_in(PHANTOM, 2, silent).study
    (registration,) = [i for i in study.instances if i.kind is Kind.REGISTRATION]
    second = next(
        i for i in study.instances if i.series_description == "Water phantom" and i.kind is Kind.IMAGE
    )
    lines = (
        "dose 437708a8",
        f"diagnostic_ct {second.file.sha256}",
        f"registration {registration.file.sha256}",
    )
    order, made = built(tmp_path, selecting(*lines), PHANTOM)
    assert [(d.code, d.message) for d in made.diagnostics if d.fatal] == []
    assert made.lock is not None
    counts = {role: row.count for role, row in made.lock.inputs.items()}
    assert counts["diagnostic_ct"] == 101
    assert counts["planning_image"] == 11
    assert counts["registration"] == 1
    demand_safe(order, made)
    assert made.package is not None
    frames = {
        item.get("FrameOfReferenceUID")
        for name, data in build_case.members(made.package).items()
        if name.endswith(".dcm") and (item := pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True))
    }
    sent = next(d for n, d in build_case.members(made.package).items() if n.startswith("data/registration/"))
    rows = pydicom.dcmread(io.BytesIO(sent)).RegistrationSequence
    assert {row.FrameOfReferenceUID for row in rows} <= frames


@needs_phantom
def test_without_selection_every_candidate_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    _, made = built(tmp_path, HEAD, PHANTOM)
    assert made.package is None
    found = [d for d in made.diagnostics if d.code == "R101"]
    assert found
    assert all(d.hint for d in found)
    assert all("sha256" in d.local + d.hint or "label" in d.local + d.hint for d in found)


@needs_phantom
def test_the_same_bytes_twice(tmp_path: Path) -> None:
    packages = [built(tmp_path / name, ONE_DOSE, PHANTOM)[1].package for name in "ab"]
    digests = {hashlib.sha256(p.read_bytes()).hexdigest() for p in packages if p}
    assert len(digests) == 1


def demand_safe(order: Order, made: Built) -> None:
    """No original UID, private element or identity in the package; pixels as they came."""
    assert made.package is not None
    originals = take_in(order.source, 2, silent).study.instances
    uids = {
        uid.encode()
        for i in originals
        for uid in (i.sop_uid, i.series_uid, i.study_uid, i.frame_uid, i.file.path.rpartition(".")[0])
        if uid
    }
    pixels = {pydicom.dcmread(order.source / i.file.path, force=True).get("PixelData") for i in originals}
    for name, data in build_case.members(made.package).items():
        assert not [uid for uid in uids if uid in data], name
        if name.endswith(".dcm"):
            item = pydicom.dcmread(io.BytesIO(data))
            assert item.PatientID == "PHANTOM-1"
            assert not [e.tag for e in item.iterall() if e.tag.is_private]
            assert item.get("PixelData") in pixels


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("gammaplan_srs", {Kind.STRUCTURE_SET, Kind.PLAN, Kind.DOSE}),
        ("monaco_vmat", {Kind.PLAN, Kind.DOSE}),
    ],
)
def test_incomplete_exports_are_read_and_what_is_missing_is_said(
    name: str, kinds: set[Kind], tmp_path: Path
) -> None:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"the export {name} is not here")
    study = take_in(folder, 2, silent).study
    assert {i.kind for i in study.instances} == kinds
    _, made = built(tmp_path, HEAD, folder)
    assert made.package is None
    fatal = [d for d in made.diagnostics if d.fatal]
    assert fatal
    assert all(d.code.startswith("R") for d in fatal)
    assert all(d.hint and d.message for d in fatal)


BUNDLED = sorted((Path(pydicom.__file__).parent / "data" / "test_files").glob("*.dcm"))
RT = [
    path
    for path in BUNDLED
    if path.stem.startswith(("rt", "SC_rgb_s", "CT_", "MR_", "no_", "priv", "nested"))
]


@pytest.mark.parametrize("path", RT, ids=lambda path: path.name)
def test_files_bundled_with_pydicom_are_read_or_refused(path: Path, tmp_path: Path) -> None:
    disk.write(tmp_path / "export" / "one.dcm", path.read_bytes())
    intake = take_in(tmp_path / "export", 1, silent)
    read = len(intake.study.instances)
    assert read + len(intake.study.others) == 1
    if not read:
        (fate,) = intake.study.others
        assert fate.reason in (Reason.UNREADABLE, Reason.NOT_DICOM, Reason.DICOMDIR)
        assert fate.detail or fate.reason is not Reason.UNREADABLE
    _, made = built(tmp_path, HEAD, tmp_path / "export")
    assert made.package is None
    assert any(d.fatal for d in made.diagnostics)


def test_an_export_of_all_bundled_files_at_once_gives_findings_no_traceback(tmp_path: Path) -> None:
    for number, path in enumerate(RT):
        disk.write(tmp_path / "export" / f"{number}.dcm", path.read_bytes())
    _, made = built(tmp_path, HEAD, tmp_path / "export")
    assert made.package is None
    assert all(d.message and d.hint for d in made.diagnostics)
