"""The RT Structure Set: each organ's outline on every CT slice it meets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.uid import RTStructureSetStorage

from rttqa_build.synthetic import anatomy
from rttqa_build.synthetic.case import PLAN_DATE, SCAN_DATE, Case
from rttqa_build.synthetic.elements import dataset, extend, reference, uid
from rttqa_build.synthetic.identity import (
    approval_module,
    equipment_module,
    patient_module,
    plant_planning_block,
    study_module,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom.dataset import Dataset

    from rttqa_build.synthetic.geometry import Solid


@dataclass(frozen=True, slots=True)
class Outline:
    """One ROI: its name in the planning system, interpreted type, colour, solid and what is cut out."""

    name: str
    type: str
    colour: tuple[int, int, int]
    solid: Solid
    hole: Solid | None = None


OUTLINES: tuple[Outline, ...] = (
    Outline("BODY", "EXTERNAL", (0, 190, 80), anatomy.BODY),
    Outline("prostate", "CTV", (255, 80, 160), anatomy.PROSTATE),
    Outline("seminal ves", "CTV", (255, 150, 200), anatomy.VESICLES),
    Outline("PTV 60 final", "PTV", (255, 0, 0), anatomy.PTV_HIGH),
    Outline("PTV 46", "PTV", (255, 140, 0), anatomy.PTV_LOW),
    Outline("rectum", "ORGAN", (150, 90, 40), anatomy.RECTUM),
    Outline("bladder", "ORGAN", (255, 230, 0), anatomy.BLADDER),
    Outline("Fem Head L", "ORGAN", (90, 160, 255), anatomy.FEMUR_L),
    Outline("Fem Head R", "ORGAN", (40, 90, 220), anatomy.FEMUR_R),
    Outline("penile bulb", "ORGAN", (190, 120, 255), anatomy.BULB),
    Outline("bowel", "ORGAN", (120, 220, 220), anatomy.BOWEL),
    Outline("z_ring", "", (180, 180, 180), anatomy.PTV_HIGH.grown(25), anatomy.PTV_HIGH.grown(10)),
    Outline("couch", "SUPPORT", (90, 90, 90), anatomy.COUCH),
)


def roi_number(name: str) -> int:
    """Return the ROI Number of one of the patient's structures."""
    return 1 + [outline.name for outline in OUTLINES].index(name)


def structure_set(case: Case, ct: Sequence[Dataset], outlines: Sequence[Outline] = OUTLINES) -> Dataset:
    """Return the structure set drawn on the planning CT; ROI Numbers follow the order of ``outlines``."""
    who = case.who
    images = dataset(
        SeriesInstanceUID=case.ct_series, ContourImageSequence=[reference(image) for image in ct]
    )
    study = dataset(
        ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1",
        ReferencedSOPInstanceUID=case.study,
        RTReferencedSeriesSequence=[images],
    )
    result = dataset(
        **patient_module(who),
        **study_module(who, case.study, SCAN_DATE, "101500"),
        **equipment_module(who, who.station, "Synthetic Planning", "TPS"),
        **approval_module(who),
        SOPClassUID=RTStructureSetStorage,
        SOPInstanceUID=uid("structure set"),
        SeriesInstanceUID=uid("structure set series"),
        FrameOfReferenceUID=case.frame,
        PositionReferenceIndicator="",
        InstanceCreatorUID=uid("creator"),
        Modality="RTSTRUCT",
        SeriesNumber=5,
        SeriesDescription="Contouring",
        StructureSetLabel="Prostate_v3",
        StructureSetName=f"Prostate {who.surname}"[:64],
        StructureSetDescription=f"Outlined by {who.oncologist.split('^')[0]} for {who.in_text}",
        StructureSetDate=PLAN_DATE,
        StructureSetTime="093000",
        ReferencedFrameOfReferenceSequence=[
            dataset(FrameOfReferenceUID=case.frame, RTReferencedStudySequence=[study])
        ],
        StructureSetROISequence=[_roi(case, *numbered) for numbered in enumerate(outlines, start=1)],
        ROIContourSequence=[_contours(case, ct, *numbered) for numbered in enumerate(outlines, start=1)],
        RTROIObservationsSequence=[
            _observation(case, *numbered) for numbered in enumerate(outlines, start=1)
        ],
    )
    plant_planning_block(result, who)
    return result


def _roi(case: Case, number: int, outline: Outline) -> Dataset:
    return dataset(
        ROINumber=number,
        ReferencedFrameOfReferenceUID=case.frame,
        ROIName=outline.name,
        ROIDescription=f"{outline.name}, {case.who.in_text}",
        ROIGenerationAlgorithm="AUTOMATIC" if outline.type in {"EXTERNAL", "SUPPORT"} else "MANUAL",
        ROIGenerationDescription=f"Drawn by {case.who.login}",
    )


def _contours(case: Case, ct: Sequence[Dataset], number: int, outline: Outline) -> Dataset:
    contours = [
        dataset(
            ContourImageSequence=[reference(image)],
            ContourGeometricType="CLOSED_PLANAR",
            NumberOfContourPoints=len(points),
            ContourData=[value for x, y in points for value in (x, y, z)],
        )
        for image, z in zip(ct, case.ct_grid.levels(), strict=True)
        for points in _polygons(outline, z, case.extent.outline)
    ]
    result = dataset(ROIDisplayColor=list(outline.colour), ReferencedROINumber=number)
    if contours:
        extend(result, {"ContourSequence": contours})
    return result


def _polygons(outline: Outline, z: float, points: int) -> Iterator[list[tuple[float, float]]]:
    """Yield the polygon of a level; a hole is joined to the outside by a keyhole (PS3.3 C.8.8.6.3)."""
    section = outline.solid.at(z)
    if section is None:
        return
    polygon = section.outline(points)
    hole = outline.hole.at(z) if outline.hole is not None else None
    if hole is not None:
        inner = hole.outline(points)
        polygon = [*polygon, polygon[0], *inner[:1], *reversed(inner)]
    yield polygon


def _observation(case: Case, number: int, outline: Outline) -> Dataset:
    result = dataset(
        ObservationNumber=number,
        ReferencedROINumber=number,
        ROIObservationLabel=outline.name[:16],
        ROIObservationDescription=f"Checked by {case.who.physicist.split('^')[0]}",
        RTROIInterpretedType=outline.type,
        ROIInterpreter=case.who.oncologist,
    )
    if outline.type == "SUPPORT":
        result.ROIPhysicalPropertiesSequence = [
            dataset(ROIPhysicalProperty="REL_ELEC_DENSITY", ROIPhysicalPropertyValue="0.11")
        ]
    return result
