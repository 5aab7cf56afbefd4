"""The Spatial Registration between the MR's frame of reference and the planning CT's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.uid import SpatialRegistrationStorage

from rttqa_build.synthetic.case import PLAN_DATE, SCAN_DATE, Case
from rttqa_build.synthetic.elements import code, dataset, reference, uid
from rttqa_build.synthetic.identity import equipment_module, patient_module, study_module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydicom.dataset import Dataset

# The MR frame is turned about z by 2 atan(1/50), 2.3 degrees, and shifted: MR → CT is turn, then shift (mm).
_COSINE, _SINE = 2499 / 2501, 100 / 2501
_SHIFT = (14.2, -31.5, 812.0)


def to_mr(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Return a point of the planning CT in the MR frame of reference."""
    x, y, z = x - _SHIFT[0], y - _SHIFT[1], z - _SHIFT[2]
    return round(_COSINE * x + _SINE * y, 4), round(_COSINE * y - _SINE * x, 4), round(z, 4)


def mr_axes() -> list[float]:
    """Return the direction cosines, in the MR frame, of rows and columns that run along the CT's axes."""
    c, s = round(_COSINE, 8), round(_SINE, 8)
    return [c, -s, 0, s, c, 0]


def registration(case: Case, ct: list[Dataset], mr: list[Dataset]) -> Dataset:
    """Return the Spatial Registration that takes MR points to the planning CT (PS3.3 A.39.1)."""
    who = case.who
    c, s = round(_COSINE, 10), round(_SINE, 10)
    turn = [c, -s, 0, _SHIFT[0], s, c, 0, _SHIFT[1], 0, 0, 1, _SHIFT[2], 0, 0, 0, 1]
    same = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    return dataset(
        **patient_module(who),
        **study_module(who, case.study, SCAN_DATE, "101500"),
        **equipment_module(who, who.station, "Synthetic Planning", "TPS"),
        SOPClassUID=SpatialRegistrationStorage,
        SOPInstanceUID=uid("registration"),
        SeriesInstanceUID=uid("registration series"),
        FrameOfReferenceUID=case.frame,
        PositionReferenceIndicator="",
        Modality="REG",
        BodyPartExamined="PELVIS",
        SeriesNumber=9,
        SeriesDescription="MR to CT",
        SeriesDate=PLAN_DATE,
        SeriesTime="090100",
        InstanceNumber=1,
        ContentDate=PLAN_DATE,
        ContentTime="090130",
        ContentLabel="REGISTRATION",
        ContentDescription=f"T2 to planning CT, {who.in_text}",
        ContentCreatorName=who.planner,
        RegistrationSequence=[_registered(case.frame, ct, same), _registered(case.mr_frame, mr, turn)],
        ReferencedSeriesSequence=[_series_of(ct)],
        StudiesContainingOtherReferencedInstancesSequence=[
            dataset(StudyInstanceUID=case.mr_study, ReferencedSeriesSequence=[_series_of(mr)])
        ],
    )


def _series_of(images: list[Dataset]) -> Dataset:
    return dataset(
        SeriesInstanceUID=images[0].SeriesInstanceUID,
        ReferencedInstanceSequence=[reference(image) for image in images],
    )


def _registered(frame: str, images: list[Dataset], matrix: Sequence[float]) -> Dataset:
    transformation = dataset(
        FrameOfReferenceTransformationMatrixType="RIGID", FrameOfReferenceTransformationMatrix=list(matrix)
    )
    return dataset(
        FrameOfReferenceUID=frame,
        ReferencedImageSequence=[reference(image) for image in images],
        MatrixRegistrationSequence=[
            dataset(
                FrameOfReferenceTransformationComment="",
                RegistrationTypeCodeSequence=[code("125025", "DCM", "Visual Alignment")],
                MatrixSequence=[transformation],
            )
        ],
    )
