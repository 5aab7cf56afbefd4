"""The synthetic patient: linked, in the right place, the same at every call, and full of identity."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rttqa_build import synthetic
from rttqa_build.synthetic.anatomy import PTV_HIGH, paint
from rttqa_build.synthetic.case import COURSES, Case
from rttqa_build.synthetic.doses import levels
from rttqa_build.synthetic.form import achieved
from rttqa_build.synthetic.geometry import Column, Ellipse, Ellipsoid, Grid, Rectangle
from rttqa_build.synthetic.registration import to_mr
from rttqa_build.synthetic.structures import roi_number

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset


def built(**options: Any) -> synthetic.SyntheticPatient:
    return synthetic.build(extent=synthetic.SMALL, **options)


def references(items: list[Dataset]) -> set[str]:
    return {item.ReferencedSOPInstanceUID for item in items}


def uids(items: list[Dataset]) -> set[str]:
    return {item.SOPInstanceUID for item in items}


@pytest.mark.parametrize("variant", ["single-phase", "two-phase"])
def test_objects_are_linked(variant: synthetic.Variant) -> None:
    patient = built(variant=variant)
    structures = patient.objects["structure_set"]
    frames = structures.ReferencedFrameOfReferenceSequence[0]
    series = frames.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    assert references(series.ContourImageSequence) == uids(patient.of("ct"))
    for plan in patient.of("plan"):
        assert references(plan.ReferencedStructureSetSequence) == {structures.SOPInstanceUID}
    linked = {
        key: references(item.ReferencedRTPlanSequence)
        for key, item in patient.objects.items()
        if key.startswith("dose")
    }
    plans = {key: {item.SOPInstanceUID} for key, item in patient.objects.items() if key.startswith("plan")}
    if variant == "single-phase":
        assert linked == {"dose": plans["plan"]}
    else:
        both = plans["plan/phase1"] | plans["plan/phase2"]
        assert linked == {
            "dose/phase1": plans["plan/phase1"],
            "dose/phase2": plans["plan/phase2"],
            "dose/sum": both,
        }
    frame = {item.FrameOfReferenceUID for item in [*patient.of("ct"), structures, *patient.of("dose")]}
    assert len(frame) == 1


def test_registration_joins_two_frames() -> None:
    patient = built()
    first, second = patient.objects["registration"].RegistrationSequence
    assert first.FrameOfReferenceUID == patient.of("ct")[0].FrameOfReferenceUID
    assert second.FrameOfReferenceUID == patient.of("mr")[0].FrameOfReferenceUID
    assert first.FrameOfReferenceUID != second.FrameOfReferenceUID
    assert references(second.ReferencedImageSequence) == uids(patient.of("mr"))


@given(st.tuples(*[st.floats(-300, 300)] * 3))
@settings(max_examples=25)
def test_registration_matrix_undoes_the_move_to_the_mr(
    small_patient: synthetic.SyntheticPatient, point: tuple[float, float, float]
) -> None:
    item = small_patient.objects["registration"].RegistrationSequence[1]
    values = item.MatrixRegistrationSequence[0].MatrixSequence[0].FrameOfReferenceTransformationMatrix
    matrix = np.array([float(value) for value in values]).reshape(4, 4)
    assert np.allclose(matrix @ [*to_mr(*point), 1], [*point, 1], atol=1e-3)


def test_every_uid_is_valid_and_every_object_has_its_own() -> None:
    patient = built(variant="two-phase", clutter=True)
    assert len(uids(list(patient.objects.values()))) == len(patient.objects)
    originals = patient.original_uids()
    assert uids(list(patient.objects.values())) < originals
    assert all(pydicom.uid.UID(item).is_valid for item in originals)


def test_same_bytes_at_every_call(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        synthetic.write(folder, variant="two-phase", extent=synthetic.SMALL, clutter=True, form_for="EP-0123")
    one, two = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in folders)
    assert one == two


def test_written_files_read_back(tmp_path: Path) -> None:
    patient = synthetic.write(tmp_path, extent=synthetic.SMALL)
    assert set(patient.paths) == set(patient.objects)
    for key, path in patient.paths.items():
        read = pydicom.dcmread(path)
        assert read.SOPInstanceUID == patient.objects[key].SOPInstanceUID
        assert patient.identity.surname in str(path.relative_to(tmp_path))
        assert patient.identity.surname.encode() in (read.preamble or b"")


def test_altered_objects_are_written_as_altered(tmp_path: Path) -> None:
    patient = built()
    del patient.objects["structure_set"].ROIContourSequence[0].ContourSequence
    patient.objects["ct/001"].PatientName = "SOMEBODY^Else"
    saved = synthetic.save(patient, tmp_path)
    assert "ContourSequence" not in pydicom.dcmread(saved.paths["structure_set"]).ROIContourSequence[0]
    assert pydicom.dcmread(saved.paths["ct/001"]).PatientName == "SOMEBODY^Else"
    assert pydicom.dcmread(saved.paths["ct/002"]).PatientName == patient.identity.name


@pytest.mark.parametrize("kind", ["patient", "staff", "institution"])
def test_every_string_listed_is_planted(kind: str, tmp_path: Path) -> None:
    patient = built(variant="two-phase", clutter=True, referred_mr=True)
    saved = synthetic.save(patient, tmp_path)
    content = b"".join(path.read_bytes() + bytes(path) for path in saved.paths.values()).decode("latin-1")
    assert [value for value in patient.planted()[kind] if value not in content] == []


@pytest.mark.parametrize(
    ("key", "keyword"),
    [
        ("structure_set", "ReviewerName"),
        ("structure_set", "StructureSetDescription"),
        ("plan", "RTPlanName"),
        ("plan", "PrescriptionDescription"),
        ("dose", "DoseComment"),
        ("registration", "ContentCreatorName"),
        ("ct/001", "PatientComments"),
        ("ct/001", "OtherPatientIDs"),
    ],
)
def test_identity_stands_where_systems_put_it(
    small_patient: synthetic.SyntheticPatient, key: str, keyword: str
) -> None:
    patient = small_patient
    planted = [value for values in patient.planted().values() for value in values]
    value = str(patient.objects[key][keyword].value)
    assert any(item in value for item in planted)


def test_labels_that_leave_name_nobody(small_patient: synthetic.SyntheticPatient) -> None:
    patient = small_patient
    planted = [value.lower() for values in patient.planted().values() for value in values]
    plan, structures = patient.objects["plan"], patient.objects["structure_set"]
    labels = [plan.RTPlanLabel, structures.StructureSetLabel]
    labels += [beam.BeamName for beam in plan.BeamSequence]
    labels += [roi.ROIName for roi in structures.StructureSetROISequence]
    labels += [item.SeriesDescription for item in patient.objects.values()]
    assert not [label for label in labels if any(value in label.lower() for value in planted)]


def test_nhs_number_has_its_check_digit() -> None:
    digits = [int(digit) for digit in synthetic.INVENTED.nhs_number]
    assert (11 - sum(d * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11) % 11 == digits[9]


def test_referred_mr_agrees_in_nhs_number_only() -> None:
    patient = built(referred_mr=True)
    ct, mr = patient.objects["ct/001"], patient.objects["mr/001"]
    assert mr.PatientID != ct.PatientID
    assert mr.OtherPatientIDsSequence[0].PatientID == ct.OtherPatientIDsSequence[0].PatientID


def test_contours_lie_on_their_images(small_patient: synthetic.SyntheticPatient) -> None:
    patient = small_patient
    heights = {item.SOPInstanceUID: float(item.ImagePositionPatient[2]) for item in patient.of("ct")}
    for roi in patient.objects["structure_set"].ROIContourSequence:
        assert len(roi.ContourSequence) >= 1
        for contour in roi.ContourSequence:
            points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
            assert len(points) == contour.NumberOfContourPoints
            assert set(points[:, 2]) == {heights[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]}


def area(points: list[tuple[float, float]]) -> float:
    x, y = np.array(points).T
    return abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))) / 2


def test_keyhole_cuts_the_hole_out() -> None:
    extent = replace(synthetic.SMALL, outline=200)
    rois = synthetic.build(extent=extent).objects["structure_set"].ROIContourSequence
    contours = rois[roi_number("z_ring") - 1].ContourSequence
    ring = np.array(contours[len(contours) // 2].ContourData, dtype=float).reshape(-1, 3)
    points = [(x, y) for x, y, _ in ring.tolist()]
    outer, inner = (PTV_HIGH.grown(margin).at(float(ring[0, 2])) for margin in (25, 10))
    assert outer is not None
    assert inner is not None
    expected = np.pi * (outer.a * outer.b - inner.a * inner.b)
    assert area(points) == pytest.approx(expected, rel=0.01)


def test_two_arcs_deliver_the_prescription(small_patient: synthetic.SyntheticPatient) -> None:
    plan = small_patient.objects["plan"]
    group = plan.FractionGroupSequence[0]
    per_fraction = sum(float(beam.BeamDose) for beam in group.ReferencedBeamSequence)
    target = float(plan.DoseReferenceSequence[0].TargetPrescriptionDose)
    assert per_fraction * group.NumberOfFractionsPlanned == pytest.approx(target)
    for beam in plan.BeamSequence:
        points = beam.ControlPointSequence
        assert len(points) == beam.NumberOfControlPoints
        weights = [float(point.CumulativeMetersetWeight) for point in points]
        assert weights == sorted(weights)
        assert (weights[0], weights[-1]) == (0, 1)
        for point in points:
            leaves = np.array(point.BeamLimitingDevicePositionSequence[-1].LeafJawPositions, dtype=float)
            left, right = np.split(leaves, 2)
            assert (left < right).all()


def test_sum_is_the_sum() -> None:
    patient = built(variant="two-phase")
    one, two, total = (
        np.frombuffer(patient.objects[f"dose/{key}"].PixelData, dtype="<u4")
        for key in ("phase1", "phase2", "sum")
    )
    assert np.array_equal(one + two, total)
    assert total.max() * patient.objects["dose/sum"].DoseGridScaling == pytest.approx(60, abs=2)


def test_full_plan_covers_its_targets_and_spares_the_organs() -> None:
    case = Case()
    rows = achieved(case.dose_grid, levels(case.dose_grid, COURSES["single-phase"][0]))
    assert len(rows) == 12
    assert [row[:2] for row in rows if row[-1] != "met"] == [("Penile bulb", "Mean dose (Gy)")]
    assert [row[:2] for row in rows if row[3] == 0] == [
        ("Fem Head L", "V40Gy (%)"),
        ("Fem Head R", "V40Gy (%)"),
    ]


def test_ct_numbers_are_those_of_tissues() -> None:
    grid = Grid.covering((-250, -240, -2), (250, 260, 2), (250, 250, 1))
    plane = paint(grid, 18, modality="CT")

    def at(x: float, y: float) -> int:
        return int(plane[int((y + 240) / 2), int((x + 250) / 2)])

    assert at(0, -200) == -1000  # air
    assert at(0, -110) == pytest.approx(-104, abs=25)  # fat under the skin
    assert at(93, -2) == pytest.approx(300, abs=25)  # femoral head
    assert at(0, 34) < -500  # gas in the rectum
    assert at(0, -2) == pytest.approx(40, abs=15)  # prostate


@given(st.floats(-200, 200))
@settings(max_examples=25)
def test_outlines_lie_on_their_sections(z: float) -> None:
    solids = (Ellipsoid((3, -4, 5), (40, 30, 90)), Column(-150, 150, (0, 9), (20, 10), bend=0.001))
    for section in (solid.at(z) for solid in solids):
        if isinstance(section, Ellipse):
            for x, y in section.outline(24):
                reach = ((x - section.x) / section.a) ** 2 + ((y - section.y) / section.b) ** 2
                assert reach == pytest.approx(1, abs=0.02)


def test_rectangle_outline_passes_its_corners() -> None:
    outline = Rectangle(1, 2, 10, 5).outline(16)
    assert len(outline) == 16
    assert {(11, -3), (11, 7), (-9, 7), (-9, -3)} <= set(outline)


def test_directory_points_at_its_record() -> None:
    content = built(clutter=True).extras["DICOMDIR"]
    listing = pydicom.dcmread(io.BytesIO(content))
    place = listing.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity
    assert content[place : place + 4] == b"\xfe\xff\x00\xe0"
    assert listing.DirectoryRecordSequence[0].PatientName == synthetic.INVENTED.name


def test_form_opens_and_only_its_metadata_name_anyone() -> None:
    openpyxl = pytest.importorskip("openpyxl")
    content = built(form_for="EP-0123").extras["forms/PAF.xlsx"]
    book = openpyxl.load_workbook(io.BytesIO(content))
    cells = [str(cell.value) for row in book.active.iter_rows() for cell in row if cell.value is not None]
    assert "EP-0123" in cells
    planted = [value for values in synthetic.INVENTED.planted().values() for value in values]
    assert not [cell for cell in cells if any(value in cell for value in planted)]
    assert book.properties.creator == "Marisol VASQUEZ-LINDQVIST"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert re.search(rb'absPath[^>]+url="C:\\Users\\cwinterbourne', archive.read("xl/workbook.xml"))
