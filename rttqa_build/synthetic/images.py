"""The images: planning CT, diagnostic MR in a frame of reference of its own, and an unrelated scout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.uid import CTImageStorage, MRImageStorage

from rttqa_build.synthetic.anatomy import BODY, paint, texture
from rttqa_build.synthetic.case import SCAN_DATE, Case
from rttqa_build.synthetic.elements import dataset, extend, uid
from rttqa_build.synthetic.geometry import Grid, section_mask
from rttqa_build.synthetic.identity import (
    equipment_module,
    original_attributes,
    patient_module,
    plant_binary_header,
    plant_scanner_block,
    request_module,
    study_module,
)
from rttqa_build.synthetic.registration import mr_axes, to_mr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

    from rttqa_build.synthetic.anatomy import Plane


def _stored(plane: Plane, noise: Plane, offset: int) -> bytes:
    """Return the pixels as unsigned 16 bit, little endian."""
    pixels: bytes = np.clip(plane + noise + offset, 0, 4095).astype("<u2").tobytes()
    return pixels


def _pixel_module(grid: Grid, pixels: bytes) -> dict[str, Any]:
    return {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": grid.counts[1],
        "Columns": grid.counts[0],
        "PixelSpacing": [grid.spacing[1], grid.spacing[0]],
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "PixelData": pixels,
    }


def _ct_noise(grid: Grid, z: float, number: int) -> Plane:
    """Return fixed noise: standard deviation 14 HU in the body, 5 HU in air."""
    noise = texture(grid.counts[1], grid.counts[0], number)
    amplitude = np.full(noise.shape, 9, dtype=np.int32)
    section = BODY.at(z)
    if section is not None:
        rows, columns, inside = section_mask(section, grid.axis(0), grid.axis(1))
        amplitude[rows, columns][inside] = 25
    return noise * amplitude // 256


def ct_slices(case: Case) -> Iterator[Dataset]:
    """Yield the planning CT from the feet to the head."""
    grid = case.ct_grid
    for number, z in enumerate(grid.levels(), start=1):
        yield _ct_slice(case, grid, z, number)


def _ct_slice(case: Case, grid: Grid, z: float, number: int) -> Dataset:
    who = case.who
    result = dataset(
        **patient_module(who),
        **study_module(who, case.study, SCAN_DATE, "101500"),
        **equipment_module(who, who.scanner, "Synthetic Scanners", "Pelvis CT"),
        **request_module(who),
        **_acquisition(number),
        SOPClassUID=CTImageStorage,
        SOPInstanceUID=uid(case.ct_series, number),
        SeriesInstanceUID=case.ct_series,
        FrameOfReferenceUID=case.frame,
        PositionReferenceIndicator="",
        Modality="CT",
        ImageType=["ORIGINAL", "PRIMARY", "AXIAL"],
        SeriesNumber=2,
        SeriesDescription="Pelvis planning",
        ProtocolName="Pelvis 2.5mm",
        BodyPartExamined="PELVIS",
        PatientPosition="HFS",
        KVP="120",
        XRayTubeCurrent=210,
        ConvolutionKernel="SOFT",
        ImagePositionPatient=[grid.origin[0], grid.origin[1], z],
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        SliceThickness=grid.spacing[2],
        SliceLocation=z,
        RescaleIntercept=-1024,
        RescaleSlope=1,
        RescaleType="HU",
        ImageComments=f"Scanned by {who.radiographer.split('^')[0].title()} for {who.in_text}",
        **_pixel_module(grid, _stored(paint(grid, z, modality="CT"), _ct_noise(grid, z, number), 1024)),
    )
    plant_scanner_block(result, who)
    return result


def _acquisition(number: int) -> dict[str, Any]:
    return {
        "SeriesDate": SCAN_DATE,
        "SeriesTime": "101730",
        "AcquisitionDate": SCAN_DATE,
        "AcquisitionTime": "101742",
        "ContentDate": SCAN_DATE,
        "ContentTime": "101755",
        "AcquisitionNumber": 1,
        "InstanceNumber": number,
    }


def mr_slices(case: Case) -> Iterator[Dataset]:
    """Yield the T2-weighted MR: the same anatomy in a frame of reference of its own, so slightly oblique."""
    grid = case.mr_grid
    for number, z in enumerate(grid.levels(), start=1):
        yield _mr_slice(case, grid, z, number)


def _mr_slice(case: Case, grid: Grid, z: float, number: int) -> Dataset:
    who = case.who
    result = dataset(
        **patient_module(who),
        **study_module(who, case.mr_study, "20260126", "140000"),
        **equipment_module(who, who.scanner, "Synthetic Scanners", "Pelvis MR"),
        **_acquisition(number),
        SOPClassUID=MRImageStorage,
        SOPInstanceUID=uid(case.mr_series, number),
        SeriesInstanceUID=case.mr_series,
        FrameOfReferenceUID=case.mr_frame,
        PositionReferenceIndicator="",
        Modality="MR",
        ImageType=["ORIGINAL", "PRIMARY", "OTHER"],
        SeriesNumber=4,
        SeriesDescription="T2 TSE axial",
        ProtocolName="T2 TSE axial",
        BodyPartExamined="PELVIS",
        PatientPosition="HFS",
        OriginalAttributesSequence=[original_attributes(who)],
        ScanningSequence="SE",
        SequenceVariant="SK",
        ScanOptions="",
        MRAcquisitionType="2D",
        RepetitionTime="4200",
        EchoTime="102",
        EchoTrainLength=17,
        MagneticFieldStrength="1.5",
        ImagePositionPatient=list(to_mr(grid.origin[0], grid.origin[1], z)),
        ImageOrientationPatient=mr_axes(),
        SliceThickness=grid.spacing[2],
        **_pixel_module(grid, _stored(paint(grid, z, modality="MR"), _mr_noise(grid, number), 0)),
    )
    if case.referred_mr:
        extend(result, {"PatientID": who.referrer_number, "IssuerOfPatientID": who.referring_hospital})
    plant_binary_header(result, who)
    return result


def _mr_noise(grid: Grid, number: int) -> Plane:
    return texture(grid.counts[1], grid.counts[0], 1000 + number) // 8


def scout_slices(case: Case) -> Iterator[Dataset]:
    """Yield a small unrelated CT series in a frame of reference of its own."""
    grid = Grid.covering((-250, -240, -30), (250, 260, 30), (32, 32, 2))
    series = uid("scout")
    for number, z in enumerate(grid.levels(), start=1):
        yield extend(
            _ct_slice(case, grid, z, number),
            {
                "SOPInstanceUID": uid(series, number),
                "SeriesInstanceUID": series,
                "FrameOfReferenceUID": uid(series, "frame"),
                "SeriesNumber": 1,
                "SeriesDescription": "Scout check",
            },
        )
