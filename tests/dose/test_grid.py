"""RTDOSE → grid: geometry, stored integers, interpolation, refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEGLosslessSV1

from rttqa_build.diagnostic import Diagnostic
from rttqa_build.dose import grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rttqa_build.dose.grid import DoseGrid

PLANES, ROWS, COLUMNS = 3, 4, 5
FEET_FIRST = {"ImageOrientationPatient": [1, 0, 0, 0, -1, 0]}


def rtdose(syntax: str = ImplicitVRLittleEndian, kind: str = "<u2", **changes: Any) -> Dataset:
    """A grid whose stored value is 100 plane + 10 row + column; ``None`` removes an element."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    plane, row, column = np.indices((PLANES, ROWS, COLUMNS))
    values: dict[str, Any] = {
        "DoseUnits": "GY",
        "DoseType": "PHYSICAL",
        "DoseSummationType": "PLAN",
        "DoseGridScaling": "0.01",
        "NumberOfFrames": PLANES,
        "Rows": ROWS,
        "Columns": COLUMNS,
        "PixelSpacing": [2.0, 1.0],
        "ImagePositionPatient": [10.0, 20.0, 30.0],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "GridFrameOffsetVector": [0, 3, 6],
        "BitsAllocated": 8 * int(kind[2]),
        "PixelRepresentation": 0,
        "PixelData": (100 * plane + 10 * row + column).astype(kind).tobytes(),
    }
    for keyword, value in (values | changes).items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def read(**changes: Any) -> DoseGrid:
    result = grid.read(rtdose(**changes))
    assert not isinstance(result, Diagnostic)
    return result


def dose_at(dose: DoseGrid, *point: float) -> tuple[float, bool]:
    """Dose in gray, rid of its last rounding, and whether the point is inside."""
    x, y, z = (np.array([value]) for value in point)
    values, inside = grid.sample(dose, x, y, z)
    return round(float(values[0]), 9), bool(inside[0])


@pytest.mark.parametrize(
    ("changes", "point"),
    [
        ({}, (13, 24, 36)),
        ({"GridFrameOffsetVector": [0, -3, -6]}, (13, 24, 24)),
        ({"GridFrameOffsetVector": [30, 33, 36]}, (13, 24, 36)),
        ({"GridFrameOffsetVector": [30, 27, 24]}, (13, 24, 24)),
        ({"GridFrameOffsetVector": [0, 1, 6]}, (13, 24, 36)),
        ({"ImageOrientationPatient": [-1, 0, 0, 0, -1, 0]}, (7, 16, 36)),
        (FEET_FIRST, (13, 16, 24)),
        (FEET_FIRST | {"GridFrameOffsetVector": [30, 33, 36]}, (13, 16, 36)),
        ({"ImageOrientationPatient": [0, 1, 0, 0, 0, 1]}, (16, 23, 34)),
        ({"kind": "<u4"}, (13, 24, 36)),
        ({"syntax": ExplicitVRBigEndian, "kind": ">u2"}, (13, 24, 36)),
        ({"kind": "<i2", "PixelRepresentation": 1}, (13, 24, 36)),
    ],
    ids=[
        "relative", "falling", "absolute", "absolute falling", "uneven", "turned round", "feet first",
        "feet first absolute", "sagittal", "32 bits", "big endian", "signed",
    ],
)  # fmt: skip
def test_a_voxel_lies_where_its_geometry_says(changes: dict[str, Any], point: Sequence[float]) -> None:
    """Plane 2, row 2, column 3 holds 223, whatever the way of writing its place."""
    assert dose_at(read(**changes), *point) == (2.23, True)


def test_planes_are_kept_in_rising_order() -> None:
    dose = read(GridFrameOffsetVector=[0, -3, -6])
    assert dose.offsets.tolist() == [-6, -3, 0]
    assert dose.values[0, 0, 0] == 200
    assert dose.values.dtype == np.uint16
    assert (dose.maximum, dose.finest) == pytest.approx((2.34, 1.0))


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((12.5, 20, 30), (0.025, True)),
        ((10, 21, 30), (0.05, True)),
        ((10, 20, 31.5), (0.5, True)),
        ((12.5, 21, 31.5), (0.575, True)),
        ((14, 26, 36), (2.34, True)),
        ((14.001, 26, 36), (2.34, False)),
        ((10, 20, 29.999), (0.0, False)),
    ],
)
def test_trilinear_between_voxel_centres(point: Sequence[float], expected: tuple[float, bool]) -> None:
    assert dose_at(read(), *point) == expected


def test_uneven_planes_are_interpolated_over_their_own_distance() -> None:
    assert dose_at(read(GridFrameOffsetVector=[0, 1, 6]), 10, 20, 33.5) == (1.5, True)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"DoseUnits": "RELATIVE"}, "D401"),
        ({"DoseUnits": None}, "D401"),
        ({"DoseType": "ERROR"}, "D402"),
        ({"DoseType": None}, "D402"),
        ({"DoseGridScaling": "0"}, "D403"),
        ({"DoseGridScaling": "-1"}, "D403"),
        ({"DoseGridScaling": "900"}, "D403"),
        ({"DoseGridScaling": None}, "D403"),
        ({"PixelData": None}, "D403"),
        ({"PixelData": b"\0\0"}, "D403"),
        ({"ImagePositionPatient": None}, "D403"),
        ({"ImageOrientationPatient": None}, "D403"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "D403"),
        ({"PixelSpacing": [0, 1]}, "D403"),
        ({"NumberOfFrames": 1}, "D403"),
        ({"BitsAllocated": 8}, "D403"),
        ({"GridFrameOffsetVector": None}, "D404"),
        ({"GridFrameOffsetVector": [0, 3]}, "D404"),
        ({"GridFrameOffsetVector": [0, 3, 3]}, "D404"),
        ({"GridFrameOffsetVector": [0, 3, 1]}, "D404"),
        ({"GridFrameOffsetVector": [5, 8, 11]}, "D404"),
        ({"GridFrameOffsetVector": [30, 33, 36], "ImageOrientationPatient": [0, 1, 0, 0, 0, 1]}, "D404"),
        ({"syntax": JPEGLosslessSV1}, "D405"),
    ],
)
def test_refusals_have_a_reason(changes: dict[str, Any], code: str) -> None:
    result = grid.read(rtdose(**changes))
    assert isinstance(result, Diagnostic)
    assert result.code == code


def test_text_where_a_number_belongs() -> None:
    dataset = rtdose()
    scaling = Tag("DoseGridScaling")
    dataset[scaling] = RawDataElement(scaling, "DS", 4, b"much", 0, True, True)
    result = grid.read(dataset)
    assert isinstance(result, Diagnostic)
    assert (result.code, "much" in result.message) == ("D403", False)


def test_effective_dose_is_read_and_said_to_be() -> None:
    assert read(DoseType="EFFECTIVE").dose_type == "EFFECTIVE"


def test_no_file_meta_means_little_endian() -> None:
    dataset = rtdose()
    del dataset.file_meta
    assert not isinstance(grid.read(dataset), Diagnostic)


def item(**values: Any) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def test_the_parts_whose_dose_it_is() -> None:
    beams = [item(ReferencedBeamNumber=number) for number in (1, 2)]
    group = item(ReferencedFractionGroupNumber=1, ReferencedBeamSequence=beams)
    setups = [item(ReferencedBrachyApplicationSetupNumber=7)]
    brachy = item(ReferencedFractionGroupNumber=2, ReferencedBrachyApplicationSetupSequence=setups)
    plan = item(
        ReferencedSOPInstanceUID="1.2.3",
        ReferencedFractionGroupSequence=[group, brachy, item(ReferencedFractionGroupNumber=3)],
    )
    assert read(ReferencedRTPlanSequence=[plan]).parts == {
        ("1.2.3", "1", "beam", "1"),
        ("1.2.3", "1", "beam", "2"),
        ("1.2.3", "2", "setup", "7"),
        ("1.2.3", "3"),
    }
    whole = read(ReferencedRTPlanSequence=[item(ReferencedSOPInstanceUID="1.2.3")])
    assert whole.parts == {("1.2.3",)}
    assert read().parts == frozenset()
