"""Objects that the synthetic patient lacks: PET slices and an RT Ion Plan, with his identity and links."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from rttqa_build import synthetic
from rttqa_build.synthetic.elements import code, dataset, extend, uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from rttqa_build.synthetic import SyntheticPatient

PET, ION_PLAN = "1.2.840.10008.5.1.4.1.1.128", "1.2.840.10008.5.1.4.1.1.481.8"
_CT_ONLY = ("KVP", "XRayTubeCurrent", "ConvolutionKernel", "PatientPosition", "RescaleType")


def patient(**options: Any) -> SyntheticPatient:
    """Return the small synthetic patient with PET and ion plan among his objects."""
    made = synthetic.build(**({"extent": synthetic.SMALL} | options))
    made.objects.update({f"pt/{number:03}": item for number, item in enumerate(pet(made), start=1)})
    made.objects["ion"] = ion_plan(made)
    return made


def pet(made: SyntheticPatient) -> list[Dataset]:
    """Return PET slices (PS3.3 A.21) in the CT's frame of reference."""
    slices = made.of("ct")
    return [_pet_slice(item, number, len(slices)) for number, item in enumerate(slices, start=1)]


def _pet_slice(ct: Dataset, number: int, slices: int) -> Dataset:
    result = copy.deepcopy(ct)
    for keyword in _CT_ONLY:
        if keyword in result:
            delattr(result, keyword)
    nuclide = dataset(
        Radiopharmaceutical="FDG",
        RadionuclideTotalDose="350000000",
        RadionuclideHalfLife="6586.2",
        RadionuclidePositronFraction="0.97",
        RadiopharmaceuticalStartTime="091500",
        RadiopharmaceuticalStartDateTime="20260202091500",
        RadionuclideCodeSequence=[code("C-111A1", "SRT", "^18^Fluorine")],
    )
    return extend(
        result,
        {
            "SOPClassUID": PET,
            "SOPInstanceUID": uid("pet", number),
            "SeriesInstanceUID": uid("pet series"),
            "Modality": "PT",
            "SeriesNumber": 3,
            "SeriesDescription": "PET AC",
            "SeriesType": ["WHOLE BODY", "IMAGE"],
            "Units": "BQML",
            "CountsSource": "EMISSION",
            "NumberOfSlices": slices,
            "CorrectedImage": ["DECY", "ATTN", "SCAT"],
            "DecayCorrection": "START",
            "AttenuationCorrectionMethod": "measured, CT",
            "ReconstructionMethod": "OSEM 3i21s",
            "ScatterCorrectionMethod": "model",
            "CollimatorType": "NONE",
            "FrameReferenceTime": "0",
            "ActualFrameDuration": "180000",
            "DecayFactor": "1.02",
            "BitsStored": 16,
            "HighBit": 15,
            "RescaleIntercept": 0,
            "ImageIndex": number,
            "RadiopharmaceuticalInformationSequence": [nuclide],
            "PatientOrientationCodeSequence": [
                extend(
                    code("F-10450", "SRT", "recumbent"),
                    {"PatientOrientationModifierCodeSequence": [code("F-10340", "SRT", "supine")]},
                )
            ],
            "PatientGantryRelationshipCodeSequence": [code("F-10470", "SRT", "headfirst")],
        },
    )


def ion_plan(made: SyntheticPatient) -> Dataset:
    """Return an RT Ion Plan (PS3.3 A.49): one modulated proton beam on the structure set."""
    result = copy.deepcopy(made.objects["plan"])
    del result.BeamSequence
    machine = made.identity.machine
    point: dict[str, Any] = {
        "NominalBeamEnergy": "150.5",
        "GantryAngle": 90.0,
        "GantryRotationDirection": "NONE",
        "BeamLimitingDeviceAngle": 0.0,
        "BeamLimitingDeviceRotationDirection": "NONE",
        "PatientSupportAngle": 0.0,
        "PatientSupportRotationDirection": "NONE",
        "TableTopVerticalPosition": 0.0,
        "TableTopLongitudinalPosition": 0.0,
        "TableTopLateralPosition": 0.0,
        "TableTopPitchAngle": 0.0,
        "TableTopPitchRotationDirection": "NONE",
        "TableTopRollAngle": 0.0,
        "TableTopRollRotationDirection": "NONE",
        "IsocenterPosition": [0, 0, 0],
        "MetersetRate": 100.0,
        "SnoutPosition": 350.0,
    }
    spots = {
        "ScanSpotTuneID": "4.0",
        "NumberOfScanSpotPositions": 2,
        "ScanSpotPositionMap": [0.0, 0.0, 5.0, 5.0],
        "ScanningSpotSize": [8.0, 8.0],
        "NumberOfPaintings": 1,
    }
    beam = dataset(
        Manufacturer="Synthetic Protons",
        InstitutionName=made.identity.hospital,
        ManufacturerModelName="Gantry1",
        DeviceSerialNumber=made.identity.serial,
        TreatmentMachineName=machine,
        PrimaryDosimeterUnit="MU",
        BeamNumber=1,
        BeamName="Field 1",
        BeamDescription=f"for {made.identity.in_text}",
        BeamType="STATIC",
        RadiationType="PROTON",
        ScanMode="MODULATED",
        ModulatedScanModeType="STATIONARY",
        VirtualSourceAxisDistances=[2000.0, 2200.0],
        TreatmentDeliveryType="TREATMENT",
        NumberOfWedges=0,
        NumberOfCompensators=0,
        NumberOfBoli=0,
        NumberOfBlocks=0,
        NumberOfRangeShifters=1,
        RangeShifterSequence=[
            dataset(
                RangeShifterNumber=1,
                RangeShifterID=f"RS {machine}",
                RangeShifterType="BINARY",
                AccessoryCode=made.identity.serial,
            )
        ],
        NumberOfLateralSpreadingDevices=0,
        NumberOfRangeModulators=0,
        PatientSupportType="TABLE",
        SnoutSequence=[dataset(SnoutID=f"SN {machine}", AccessoryCode=made.identity.serial)],
        FinalCumulativeMetersetWeight=1.0,
        NumberOfControlPoints=2,
        IonControlPointSequence=[
            dataset(
                ControlPointIndex=0,
                CumulativeMetersetWeight=0.0,
                ScanSpotMetersetWeights=[0.5, 0.5],
                **point,
                **spots,
            ),
            dataset(
                ControlPointIndex=1,
                CumulativeMetersetWeight=1.0,
                NominalBeamEnergy="150.5",
                ScanSpotMetersetWeights=[0.0, 0.0],
                **spots,
            ),
        ],
        ReferencedPatientSetupNumber=1,
    )
    return extend(
        result,
        {
            "SOPClassUID": ION_PLAN,
            "SOPInstanceUID": uid("ion plan"),
            "SeriesInstanceUID": uid("ion plan series"),
            "RTPlanLabel": "Proton60",
            "IonBeamSequence": [beam],
        },
    )
