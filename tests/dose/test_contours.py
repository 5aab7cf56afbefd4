"""RTSTRUCT → contours: raw bytes, decoded values, odd exports."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian

from rttqa_build.dose import contours

if TYPE_CHECKING:
    from collections.abc import Sequence


def structure_set(**drawing: Sequence[Sequence[float | str]]) -> Dataset:
    """An RTSTRUCT whose ROIs (numbered from 1) have these closed contours."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.StructureSetROISequence = []
    dataset.ROIContourSequence = []
    for number, (name, data) in enumerate(drawing.items(), 1):
        roi, item = Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, name, "1.2.3"
        item.ReferencedROINumber = number
        item.ContourSequence = [contour(values) for values in data]
        dataset.StructureSetROISequence.append(roi)
        if data:
            dataset.ROIContourSequence.append(item)
    return dataset


def contour(values: Sequence[float | str]) -> Dataset:
    item = Dataset()
    item.ContourGeometricType = "CLOSED_PLANAR"
    item.ContourData = list(values)
    return item


def written(dataset: Dataset) -> Dataset:
    """The same dataset, read back from bytes, so that nothing is decoded yet."""
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=False)
    return pydicom.dcmread(io.BytesIO(file.getvalue()), force=True)


def triangle(z: float, *, rolled: int = 0) -> list[float]:
    return [float(v) for v in np.roll([[0, 0, z], [5.5, 0, z], [0, -5.25, z]], rolled, axis=1).ravel()]


@pytest.mark.parametrize("from_bytes", [False, True], ids=["decoded", "raw bytes"])
def test_points_and_facts(from_bytes: bool) -> None:
    dataset = structure_set(Heart=[triangle(0), triangle(2.5)], Empty=[])
    first, second = contours.read(written(dataset) if from_bytes else dataset)
    assert (first.number, first.name, first.frame_uid, first.slice_spacing) == (1, "Heart", "1.2.3", 2.5)
    assert first.contours[1].points.tolist() == [[0, 0, 2.5], [5.5, 0, 2.5], [0, -5.25, 2.5]]
    assert first.contours[0].closed
    assert (second.name, second.contours, second.unreadable) == ("Empty", (), 0)


@pytest.mark.parametrize(
    "data",
    [b"1\\2", b"1\\2\\x ", b"", b"nan\\1\\2 ", b"1\\\\3", b"1_0\\2\\3 "],
    ids=["pair", "word", "none", "nan", "gap", "low line"],
)
def test_contours_that_cannot_be_read_are_counted(data: bytes) -> None:
    dataset = written(structure_set(Heart=[triangle(0), triangle(2)]))
    item = dataset.ROIContourSequence[0].ContourSequence[0]
    raw = item.get_item(contours.CONTOUR_DATA)
    item[contours.CONTOUR_DATA] = raw._replace(value=data)
    (heart,) = contours.read(dataset)
    assert (len(heart.contours), heart.unreadable) == (1, 1)


def test_a_contour_that_does_not_say_whether_it_is_closed() -> None:
    dataset = structure_set(Heart=[triangle(0), triangle(2)])
    del dataset.ROIContourSequence[0].ContourSequence[0].ContourGeometricType
    (heart,) = contours.read(dataset)
    assert (len(heart.contours), heart.unreadable) == (1, 1)


def test_an_roi_that_names_no_frame_lies_in_the_only_one_of_its_set() -> None:
    dataset = structure_set(Heart=[triangle(0)], Lung=[triangle(2)])
    listed = dataset.StructureSetROISequence
    listed[0].ReferencedFrameOfReferenceUID, listed[1].ReferencedFrameOfReferenceUID = "", "1.2.9"
    dataset.ReferencedFrameOfReferenceSequence = [frame("1.2.3")]
    assert [one.frame_uid for one in contours.read(dataset)] == ["1.2.3", "1.2.9"]
    dataset.ReferencedFrameOfReferenceSequence.append(frame("1.2.4"))
    assert [one.frame_uid for one in contours.read(dataset)] == ["", "1.2.9"]


def frame(uid: str) -> Dataset:
    item = Dataset()
    item.FrameOfReferenceUID = uid
    return item


def test_no_contour_data_at_all() -> None:
    dataset = structure_set(Heart=[triangle(0)])
    del dataset.ROIContourSequence[0].ContourSequence[0].ContourData
    assert contours.read(dataset)[0].unreadable == 1
    assert contours.read(Dataset()) == ()


def test_the_usual_slice_is_that_of_the_whole_set() -> None:
    heart, lesion = contours.read(
        structure_set(Heart=[triangle(z) for z in (0, 3, 6, 9)], Lesion=[triangle(3)])
    )
    assert heart.slice_spacing == lesion.slice_spacing == 3
    (alone,) = contours.read(structure_set(Lesion=[triangle(3)]))
    assert alone.slice_spacing is None


@pytest.mark.parametrize("rolled", [0, 1, 2])
def test_axes_of_a_patient_plane_are_patient_axes(rolled: int) -> None:
    points = np.array(triangle(4, rolled=rolled)).reshape(-1, 3)
    assert contours.plane_axes([points]).tolist() == np.roll(np.eye(3), rolled, axis=1).tolist()


def test_axes_of_an_oblique_plane() -> None:
    """The normal of a plane tilted by a 3-4-5 triangle; the rows are orthonormal and right-handed."""
    axes = contours.plane_axes([np.array([[0.0, 0, 0], [5, 0, 0], [5, 4, 3], [0, 4, 3]])])
    assert axes[2] == pytest.approx([0, -0.6, 0.8])
    assert contours.cross(axes[0], axes[1]) == pytest.approx(axes[2])
