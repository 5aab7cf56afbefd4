"""The RT Doses: a dose that is flat in its target and falls off around it as that of a photon arc does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydicom.uid import RTDoseStorage

from rttqa_build.synthetic.anatomy import BODY, PTV_HIGH, PTV_LOW, texture
from rttqa_build.synthetic.case import PLAN_DATE, SCAN_DATE, Case, Phase
from rttqa_build.synthetic.elements import dataset, reference, uid
from rttqa_build.synthetic.identity import equipment_module, patient_module, study_module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from rttqa_build.synthetic.geometry import Axis, Ellipsoid, Grid

    Levels = NDArray[np.uint32]

SCALING_GY = 2e-5

# Distance outside the target's surface (mm) → dose in percent of the prescription.
_REACH = (-14, -8, -4, -1, 0, 2, 5, 10, 15, 22, 32, 48, 70, 100, 150, 220)
_PERCENT = (101.2, 101.0, 100.7, 99.9, 99.0, 96.5, 89.0, 77.0, 66.0, 53.0, 41.0, 31.0, 22.0, 14.0, 7.0, 3.0)
# A plan that goes higher keeps the larger target at this dose at the same time.
_SIMULTANEOUS_GY = 46.4


def _distance(target: Ellipsoid, x: Axis, y: Axis, z: float) -> Axis:
    """Return the distance in mm of each point from the target's surface (negative inside), nearly exact."""
    u, v, w = x - target.middle[0], y - target.middle[1], z - target.middle[2]
    a, b, c = target.semi
    unit = np.sqrt((u / a) ** 2 + (v / b) ** 2 + (w / c) ** 2)
    slope = np.sqrt((u / (a * a)) ** 2 + (v / (b * b)) ** 2 + (w / (c * c)) ** 2)
    distance: Axis = unit * (unit - 1) / np.maximum(slope, 1e-3)
    return np.maximum(distance, -14.0)


def _spread(target: Ellipsoid, x: Axis, y: Axis, z: float) -> Axis:
    """Return the dose around one target in percent: arcs put more of it to the sides than behind."""
    distance = _distance(target, x, y, z)
    across, along = x * x, y * y
    lean = (across - along) / (across + along + 1) * np.clip(distance / 30, 0, 1)
    spread: Axis = np.interp(distance, _REACH, _PERCENT) * (1 + 0.18 * lean)
    return spread


def _build_up(x: Axis, y: Axis, z: float) -> Axis:
    """Return the factor below the skin: 0 outside the body, 1 from about a centimetre of depth."""
    section = BODY.at(z)
    if section is None:
        return np.zeros(np.broadcast_shapes(x.shape, y.shape))
    depth = 1 - ((x - section.x) / section.a) ** 2 - ((y - section.y) / section.b) ** 2
    return np.where(depth > 0, np.clip(0.45 + depth * 5, 0, 1), 0)


def levels(grid: Grid, phase: Phase) -> Levels:
    """Return the dose of a plan as stored integers [plane, row, column], in units of ``SCALING_GY``."""
    x, y = grid.axis(0)[None, :], grid.axis(1)[:, None]
    stored = np.empty((grid.counts[2], grid.counts[1], grid.counts[0]), dtype=np.uint32)
    for number, z in enumerate(grid.levels()):
        dose = _spread(phase.solid, x, y, z) * (phase.dose_gy / 100)
        if phase.solid is PTV_HIGH and phase.dose_gy > _SIMULTANEOUS_GY:
            dose = np.maximum(dose, _spread(PTV_LOW, x, y, z) * (_SIMULTANEOUS_GY / 100))
        grain = 1 + texture(grid.counts[1], grid.counts[0], 5000 + number) / 100_000
        stored[number] = np.rint(dose * grain * _build_up(x, y, z) / SCALING_GY)
    return stored


def dose(case: Case, plans: Sequence[Dataset], stored: Levels, *, key: str, summation: str) -> Dataset:
    """Return the dose object of one plan (``PLAN``) or of several (``MULTI_PLAN``)."""
    who, grid = case.who, case.dose_grid
    return dataset(
        **patient_module(who),
        **study_module(who, case.study, SCAN_DATE, "101500"),
        **equipment_module(who, who.station, "Synthetic Planning", "TPS"),
        SOPClassUID=RTDoseStorage,
        SOPInstanceUID=uid("dose", key),
        SeriesInstanceUID=uid("dose series"),
        FrameOfReferenceUID=case.frame,
        PositionReferenceIndicator="",
        Modality="RTDOSE",
        SeriesNumber=7,
        SeriesDescription="Doses",
        InstanceNumber=1,
        ContentDate=PLAN_DATE,
        ContentTime="150000",
        DoseUnits="GY",
        DoseType="PHYSICAL",
        DoseSummationType=summation,
        DoseComment=f"Calculated by {who.login} for {who.in_text}",
        TissueHeterogeneityCorrection="IMAGE",
        ReferencedRTPlanSequence=[reference(plan) for plan in plans],
        ImagePositionPatient=list(grid.origin),
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        SliceThickness=grid.spacing[2],
        GridFrameOffsetVector=[round(grid.spacing[2] * k, 4) for k in range(grid.counts[2])],
        FrameIncrementPointer=0x3004000C,
        NumberOfFrames=grid.counts[2],
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        Rows=grid.counts[1],
        Columns=grid.counts[0],
        PixelSpacing=[grid.spacing[1], grid.spacing[0]],
        BitsAllocated=32,
        BitsStored=32,
        HighBit=31,
        PixelRepresentation=0,
        DoseGridScaling=SCALING_GY,
        DataSetTrailingPadding=f"{who.surname:_<64}".encode(),
        PixelData=stored.astype("<u4").tobytes(),
    )
