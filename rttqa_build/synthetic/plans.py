"""The RT Plans: two photon arcs for each phase of the course, leaves around the target."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pydicom.uid import RTPlanStorage

from rttqa_build.synthetic.case import PLAN_DATE, SCAN_DATE, Case, Phase
from rttqa_build.synthetic.elements import dataset, reference, uid
from rttqa_build.synthetic.identity import (
    approval_module,
    equipment_module,
    patient_module,
    plant_planning_block,
    study_module,
)
from rttqa_build.synthetic.structures import roi_number

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from rttqa_build.synthetic.geometry import Ellipsoid

_ARCS = (("ARC1 CW", "CW", 181.0, 1.0, 5.0), ("ARC2 CCW", "CC", 179.0, -1.0, 355.0))
_ARC_DEGREES = 358.0


def plan(case: Case, phase: Phase, structures: Dataset, *, approval: str = "APPROVED") -> Dataset:
    """Return the plan of one phase on this structure set."""
    who = case.who
    result = dataset(
        **patient_module(who),
        **study_module(who, case.study, SCAN_DATE, "101500"),
        **equipment_module(who, who.station, "Synthetic Planning", "TPS"),
        **approval_module(who, approval),
        **_general(case, phase),
        SOPClassUID=RTPlanStorage,
        SOPInstanceUID=uid("plan", phase.label),
        SeriesInstanceUID=uid("plan series"),
        FrameOfReferenceUID=case.frame,
        PositionReferenceIndicator="",
        ReferencedStructureSetSequence=[reference(structures)],
        DoseReferenceSequence=_dose_references(phase),
        PatientSetupSequence=[_setup(case)],
        FractionGroupSequence=[_fractions(phase)],
        BeamSequence=[_beam(case, phase, number) for number in (1, 2)],
    )
    plant_planning_block(result, who)
    return result


def _general(case: Case, phase: Phase) -> dict[str, Any]:
    who = case.who
    return {
        "Modality": "RTPLAN",
        "SeriesNumber": 6,
        "SeriesDescription": "Plans",
        "InstanceNumber": 1,
        "RTPlanLabel": phase.label,
        "RTPlanName": f"{who.surname} {phase.label}",
        "RTPlanDescription": f"{who.in_text} ({who.hospital_number}), planned by {who.login}",
        "RTPlanDate": PLAN_DATE,
        "RTPlanTime": "141500",
        "PlanIntent": "CURATIVE",
        "RTPlanGeometry": "PATIENT",
        "ReferencedRTPlanSequence": [_predecessor(phase)],
        "PrescriptionDescription": f"{phase.dose_gy:g} Gy / {phase.fractions} for {who.in_text}",
    }


def _predecessor(phase: Phase) -> Dataset:
    """Return a reference to an earlier plan, which is not in the export."""
    return dataset(
        ReferencedSOPClassUID=RTPlanStorage,
        ReferencedSOPInstanceUID=uid("predecessor of", phase.label),
        RTPlanRelationship="PREDECESSOR",
    )


def _dose_references(phase: Phase) -> list[Dataset]:
    target = dataset(
        DoseReferenceNumber=1,
        DoseReferenceUID=uid("dose reference", phase.label),
        DoseReferenceStructureType="VOLUME",
        ReferencedROINumber=roi_number(phase.target),
        DoseReferenceDescription=phase.target,
        DoseReferenceType="TARGET",
        TargetPrescriptionDose=phase.dose_gy,
    )
    organ = dataset(
        DoseReferenceNumber=2,
        DoseReferenceUID=uid("dose reference of an organ", phase.label),
        DoseReferenceStructureType="VOLUME",
        ReferencedROINumber=roi_number("rectum"),
        DoseReferenceDescription="rectum",
        DoseReferenceType="ORGAN_AT_RISK",
        OrganAtRiskMaximumDose=round(phase.dose_gy * 1.05, 2),
    )
    return [target, organ]


def _setup(case: Case) -> Dataset:
    return dataset(
        PatientSetupNumber=1,
        PatientSetupLabel="Supine",
        PatientPosition="HFS",
        SetupTechnique="ISOCENTRIC",
        SetupTechniqueDescription=f"{case.who.in_text}: knees, call {case.who.radiographer.split('^')[0]}",
    )


def _fractions(phase: Phase) -> Dataset:
    per_fraction = phase.dose_gy / phase.fractions
    beams = [
        dataset(
            ReferencedBeamNumber=number,
            BeamDoseSpecificationPoint=[0, 0, 0],
            BeamDose=round(per_fraction / 2, 4),
            BeamMeterset=round(105 * per_fraction + 7 * number, 2),
        )
        for number in (1, 2)
    ]
    return dataset(
        FractionGroupNumber=1,
        NumberOfFractionsPlanned=phase.fractions,
        NumberOfBeams=len(beams),
        NumberOfBrachyApplicationSetups=0,
        ReferencedBeamSequence=beams,
    )


def _beam(case: Case, phase: Phase, number: int) -> Dataset:
    who = case.who
    name = _ARCS[number - 1][0]
    return dataset(
        Manufacturer="Synthetic Linacs",
        InstitutionName=who.hospital,
        InstitutionAddress=who.hospital_address,
        InstitutionalDepartmentName=who.department,
        ManufacturerModelName="Arc6",
        DeviceSerialNumber=who.serial,
        TreatmentMachineName=who.machine,
        PrimaryDosimeterUnit="MU",
        SourceAxisDistance=1000,
        BeamLimitingDeviceSequence=_devices(case.extent.leaf_pairs),
        BeamNumber=number,
        BeamName=name,
        BeamDescription=f"{name} for {who.in_text}",
        BeamType="DYNAMIC",
        RadiationType="PHOTON",
        PrimaryFluenceModeSequence=[dataset(FluenceMode="STANDARD")],
        TreatmentDeliveryType="TREATMENT",
        ReferencedReferenceImageSequence=[_radiograph(phase, number)],
        NumberOfWedges=0,
        NumberOfCompensators=0,
        NumberOfBoli=0,
        NumberOfBlocks=0,
        FinalCumulativeMetersetWeight=1,
        NumberOfControlPoints=case.extent.control_points,
        ControlPointSequence=[
            _control_point(case, phase, number, index) for index in range(case.extent.control_points)
        ],
        ReferencedPatientSetupNumber=1,
    )


def _radiograph(phase: Phase, number: int) -> Dataset:
    """Return a reference to a reconstructed radiograph, which is not in the export."""
    return dataset(
        ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.481.1",
        ReferencedSOPInstanceUID=uid("radiograph", phase.label, number),
        ReferenceImageNumber=number,
    )


def _edges(pairs: int) -> list[float]:
    """Return the leaf boundaries of ``pairs`` leaf pairs over 400 mm: the middle two thirds half as wide."""
    outer = pairs // 6
    inner = pairs - 2 * outer
    width = 400 / (inner + 4 * outer)
    steps = [2 * width] * outer + [width] * inner + [2 * width] * outer
    return [round(-200 + sum(steps[:k]), 3) for k in range(pairs + 1)]


def _devices(pairs: int) -> list[Dataset]:
    jaws = [dataset(RTBeamLimitingDeviceType=name, NumberOfLeafJawPairs=1) for name in ("ASYMX", "ASYMY")]
    leaves = dataset(
        RTBeamLimitingDeviceType="MLCX", NumberOfLeafJawPairs=pairs, LeafPositionBoundaries=_edges(pairs)
    )
    return [*jaws, leaves]


def _control_point(case: Case, phase: Phase, beam: int, index: int) -> Dataset:
    last = case.extent.control_points - 1
    _, rotation, start, sense, collimator = _ARCS[beam - 1]
    gantry = round((start + sense * _ARC_DEGREES * index / last) % 360, 2)
    positions = [_leaves(case.extent.leaf_pairs, phase.solid, gantry, index)]
    fixed: dict[str, Any] = {}
    if index == 0:
        positions = [*_jaws(phase.solid), *positions]
        fixed = _first_control_point(collimator)
    return dataset(
        ControlPointIndex=index,
        **fixed,
        BeamLimitingDevicePositionSequence=positions,
        GantryAngle=gantry,
        GantryRotationDirection="NONE" if index == last else rotation,
        CumulativeMetersetWeight=round(index / last, 6),
    )


def _first_control_point(collimator: float) -> dict[str, Any]:
    return {
        "NominalBeamEnergy": 6,
        "DoseRateSet": 600,
        "BeamLimitingDeviceAngle": collimator,
        "BeamLimitingDeviceRotationDirection": "NONE",
        "PatientSupportAngle": 0,
        "PatientSupportRotationDirection": "NONE",
        "TableTopEccentricAngle": 0,
        "TableTopEccentricRotationDirection": "NONE",
        "TableTopVerticalPosition": None,
        "TableTopLongitudinalPosition": None,
        "TableTopLateralPosition": None,
        "IsocenterPosition": [0, 0, 0],
    }


def _jaws(target: Ellipsoid) -> list[Dataset]:
    wide, tall = math.ceil(max(target.semi[:2]) + 5), math.ceil(target.semi[2] + abs(target.middle[2]) + 5)
    return [
        dataset(RTBeamLimitingDeviceType="ASYMX", LeafJawPositions=[-wide, wide]),
        dataset(RTBeamLimitingDeviceType="ASYMY", LeafJawPositions=[-tall, tall]),
    ]


def _leaves(pairs: int, target: Ellipsoid, gantry: float, index: int) -> Dataset:
    """Return leaf positions around the target's shadow, drawn in here and there as a modulated arc does."""
    turn = math.radians(gantry)
    shadow = math.hypot(target.semi[0] * math.cos(turn), target.semi[1] * math.sin(turn))
    middle = target.middle[0] * math.cos(turn) + target.middle[1] * math.sin(turn)
    edges = _edges(pairs)
    left, right = [], []
    for leaf in range(pairs):
        height = ((edges[leaf] + edges[leaf + 1]) / 2 - target.middle[2]) / target.semi[2]
        half = shadow * math.sqrt(1 - height * height) + 3 if abs(height) < 1 else 0.25
        drawn_in = half * ((7 * index + 3 * leaf) % 11) / 20
        left.append(round(middle - half + drawn_in, 2))
        right.append(round(middle + half, 2))
    return dataset(RTBeamLimitingDeviceType="MLCX", LeafJawPositions=left + right)
