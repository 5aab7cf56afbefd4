"""Image series → three planes: geometry, byte order, and every image that must not be shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from rttqa_build.evidence import axial
from rttqa_build.study import ImageFacts, Instance, Kind, SourceFile

if TYPE_CHECKING:
    from pathlib import Path

    from rttqa_build.summary.views import Cut

SLICES, ROWS, COLUMNS = 5, 4, 6
STORED = 100 * np.arange(SLICES)[:, None, None] + 10 * np.arange(ROWS)[:, None] + np.arange(COLUMNS)
PLAIN = ImageFacts(
    (-5.0, 20.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), (3.0, 2.0), 2.5, rows=ROWS, columns=COLUMNS
)


def write(
    folder: Path, stored: np.ndarray = STORED, syntax: str = ExplicitVRLittleEndian, **changes: Any
) -> tuple[Instance, ...]:
    """Write a series, 2.5 mm apart, foot to head; ``changes`` are elements of every image."""
    return tuple(_slice(folder, number, plane, syntax, changes) for number, plane in enumerate(stored))


def _slice(folder: Path, number: int, plane: np.ndarray, syntax: str, changes: dict[str, Any]) -> Instance:
    image = Dataset()
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    kind = "i2" if (plane < 0).any() else "u2"
    values = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": f"1.2.3.{number}",
        "SamplesPerPixel": 1,
        "Rows": ROWS,
        "Columns": COLUMNS,
        "BitsAllocated": 16,
        "PixelRepresentation": int(kind == "i2"),
        "RescaleSlope": "2",
        "RescaleIntercept": "-1000",
        "PixelData": plane.astype(order + kind).tobytes(),
    }
    for keyword, value in (values | changes).items():
        if value is not None:
            setattr(image, keyword, value)
    image["PixelData"].VR = "OW"
    image.file_meta = FileMetaDataset()
    image.file_meta.MediaStorageSOPClassUID = CTImageStorage
    image.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.3.{number}")
    image.file_meta.TransferSyntaxUID = UID(syntax)
    name = f"{number}.dcm"
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    image.save_as(folder / name, implicit_vr=implicit, little_endian=little)
    facts = replace(PLAIN, position=(-5.0, 20.0, 2.5 * number))
    uids = (CTImageStorage, f"1.2.3.{number}", "1.2.3", "1.2", "1.9")
    return Instance(SourceFile(name, 1, ""), Kind.IMAGE, *uids, "CT", syntax, facts=facts)


def planes(folder: Path, instances: tuple[Instance, ...]) -> tuple[Cut, Cut, Cut]:
    """Return the planes through column 4, row 1, slice 3."""
    images = axial.series(instances)
    assert images is not None
    found = axial.cuts(images, folder, np.array([3.3, 22.9, 7.9]))
    assert found is not None
    across, front, side = found
    return across, front, side


def test_the_slices_asked_for_come_after_the_three_planes(tmp_path: Path) -> None:
    images = axial.series(write(tmp_path))
    assert images is not None
    found = axial.cuts(images, tmp_path, np.array([3.3, 22.9, 7.9]), {4, 1})
    assert found is not None
    assert [(cut.plane, cut.at) for cut in found[3:]] == [("axial", 2.5), ("axial", 10.0)]
    assert all(
        np.array_equal(cut.values, 2 * STORED[k] - 1000) for k, cut in zip((1, 4), found[3:], strict=True)
    )


def test_planes_lie_where_they_say(tmp_path: Path) -> None:
    across, front, side = planes(tmp_path, write(tmp_path))
    assert (across.at, front.at, side.at) == (7.5, 23.0, 3.0)
    assert np.array_equal(across.values, 2 * STORED[3] - 1000)
    assert np.array_equal(front.values, 2 * STORED[::-1, 1] - 1000)
    assert np.array_equal(side.values, 2 * STORED[::-1, :, 4] - 1000)
    assert across.across.tolist() == front.across.tolist() == [-5, -3, -1, 1, 3, 5]
    assert across.down.tolist() == side.across.tolist() == [20, 23, 26, 29]
    assert front.down.tolist() == side.down.tolist() == [10, 7.5, 5, 2.5, 0]


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("shift", [0, -300])
def test_stored_values_are_read_in_every_uncompressed_form(syntax: str, shift: int, tmp_path: Path) -> None:
    instances = write(tmp_path, STORED + shift, syntax, RescaleSlope=None, RescaleIntercept=None)
    assert np.array_equal(planes(tmp_path, instances)[1].values, STORED[::-1, 1] + shift)


@pytest.mark.parametrize("signs", [(-1, 1), (1, -1), (-1, -1)])
def test_the_same_patient_stored_the_other_way_round_looks_the_same(
    signs: tuple[int, int], tmp_path: Path
) -> None:
    plain, turned = tmp_path / "plain", tmp_path / "turned"
    for folder in (plain, turned):
        folder.mkdir()
    far = (-5.0 if signs[0] > 0 else 5.0, 20.0 if signs[1] > 0 else 29.0)
    facts = replace(PLAIN, orientation=(float(signs[0]), 0.0, 0.0, 0.0, float(signs[1]), 0.0))
    instances = tuple(
        replace(instance, facts=replace(facts, position=(*far, 2.5 * number)))
        for number, instance in enumerate(write(turned, STORED[:, :: signs[1], :: signs[0]]))
    )
    for ours, theirs in zip(
        planes(plain, write(plain)), planes(turned, tuple(reversed(instances))), strict=True
    ):
        assert np.array_equal(ours.values, theirs.values)
        assert np.array_equal(ours.down, theirs.down)
        assert np.array_equal(ours.across, theirs.across)
        assert ours.at == theirs.at


def test_a_crop_keeps_every_pixel_in_its_place(tmp_path: Path) -> None:
    images = axial.series(write(tmp_path))
    assert images is not None
    part = images.cropped(np.array([-4.0, 22.0, 0.0]), np.array([4.0, 27.0, 0.0]))
    found = axial.cuts(part, tmp_path, np.array([1.0, 23.0, 5.0]))
    assert found is not None
    assert np.array_equal(found[0].values, 2 * STORED[2, 1:3, 1:5] - 1000)
    assert (found[0].across[0], found[0].down[0]) == (-3, 23)
    assert images.cropped(np.array([90.0, 0, 0]), np.array([99.0, 9, 9])) is images


def shifted(by: float, axis: int) -> dict[str, Any]:
    place = [-5.0, 20.0, 5.0]
    place[axis] += by
    return {"position": tuple(place)}


@pytest.mark.parametrize(
    "changes",
    [
        {"frames": 20},
        {"position": None},
        {"spacing": None},
        {"spacing": (3.0, 2.1)},
        {"spacing": (0.0, 2.0)},
        {"orientation": None},
        {"orientation": (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)},
        {"orientation": (0.9998, 0.02, 0.0, -0.02, 0.9998, 0.0)},
        {"orientation": (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0)},
        {"rows": ROWS + 1},
        shifted(0.5, axis=0),
        shifted(0.5, axis=1),
        shifted(0.5, axis=2),
        shifted(2.5, axis=2),
    ],
)
def test_what_cannot_be_shown_straight_is_no_series(changes: dict[str, Any], tmp_path: Path) -> None:
    instances = list(write(tmp_path))
    facts = instances[2].facts
    assert isinstance(facts, ImageFacts)
    assert axial.series(instances) is not None
    instances[2] = replace(instances[2], facts=replace(facts, **changes))
    assert axial.series(instances) is None


def test_nor_are_compressed_images_two_slices_or_other_objects(tmp_path: Path) -> None:
    instances = write(tmp_path)
    assert axial.series(instances[:2]) is None
    assert axial.series([*instances[:4], replace(instances[4], facts=None)]) is None
    assert axial.series([replace(i, transfer_syntax="1.2.840.10008.1.2.4.70") for i in instances]) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"BitsAllocated": 8},
        {"SamplesPerPixel": 3},
        {"PixelData": b"\0\0"},
        {"RescaleSlope": "1e308", "RescaleIntercept": "1e309"},
    ],
)
def test_pixels_that_cannot_be_used_give_no_planes(changes: dict[str, Any], tmp_path: Path) -> None:
    images = axial.series(write(tmp_path, **changes))
    assert images is not None
    assert axial.cuts(images, tmp_path, np.zeros(3)) is None
