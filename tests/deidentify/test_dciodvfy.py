"""Validity kept: dciodvfy (Debian: dicom3tools) finds no error in the output that the input did not have."""

from __future__ import annotations

import copy
import io
import re
import shutil
import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Any

import modalities
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from rttqa_build import synthetic
from rttqa_build.deidentify.dictionary import registered_uids
from rttqa_build.deidentify.elements import walk
from rttqa_build.deidentify.engine import pseudonymise
from rttqa_build.deidentify.identity import harvest
from rttqa_build.deidentify.job import Job, ObjectPlan
from rttqa_build.deidentify.marks import Marks
from rttqa_build.deidentify.policy import compile_policy
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.deidentify.stream import parse
from rttqa_build.pseudonym import CentreKey, Pseudonyms
from rttqa_build.synthetic.elements import code, dataset, extend

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydicom.dataset import Dataset

    from rttqa_build.deidentify.policy import Dates
    from rttqa_build.synthetic import SyntheticPatient

PROGRAM = shutil.which("dciodvfy")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="dciodvfy (dicom3tools) is not installed")
NAMES = Pseudonyms.derive(CentreKey(bytes(range(32))), "example-prostate")
KINDS = {
    "CT": "ct/001", "MR": "mr/001", "PT": "pt/001", "RTSTRUCT": "structure_set", "RTPLAN": "plan",
    "RT Ion Plan": "ion", "RTDOSE": "dose", "REG": "registration",
}  # fmt: skip


def verdict(data: bytes, folder: Path) -> tuple[int, Counter[str]]:
    """Return the exit status of dciodvfy (negative: a signal) and its errors, without values."""
    assert PROGRAM is not None
    path = folder / "object.dcm"
    path.write_bytes(data)
    done = subprocess.run([PROGRAM, str(path)], capture_output=True, check=False, timeout=60)
    said = (done.stdout + done.stderr).decode("latin-1").splitlines()
    # A message ends in the offending value, which is another one in the output.
    errors = Counter(re.sub(r"value <[^>]*>", "value", line) for line in said if "Error" in line)
    return done.returncode, errors


def written(item: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    item.file_meta = FileMetaDataset()
    item.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    item.file_meta.MediaStorageSOPClassUID = item.SOPClassUID
    item.file_meta.MediaStorageSOPInstanceUID = item.SOPInstanceUID
    out = io.BytesIO()
    pydicom.dcmwrite(out, item, enforce_file_format=True)
    return out.getvalue()


def pseudonymised(data: bytes, dates: Dates, *, patient: bool = False) -> bytes:
    stream = parse(data)
    scanner = Scanner(harvest(walk(stream, pixels=False)), ["EP-0123"])
    retain = frozenset({"patient_characteristics"} if patient else set[str]())
    job = Job(
        compile_policy(dates, retain),
        Marks("EP-0123", "example", "Example", "", "RXX", "Example Cancer Centre", dates == "shift", patient),
        NAMES.weeks_back("EP-0123"),
        NAMES.base_uid,
        registered_uids(),
        scanner.identifies,
    )
    return pseudonymise(stream, job, ObjectPlan()).data


@pytest.fixture(scope="module")
def patient() -> SyntheticPatient:
    made = modalities.patient()
    dose = made.objects["dose"]
    # dciodvfy aborts at 32-bit doses: there the object is judged with 16 bits
    stored = np.frombuffer(dose.PixelData, "<u4") // 16
    dose.BitsAllocated, dose.BitsStored, dose.HighBit = 16, 16, 15
    dose.PixelData = stored.astype("<u2").tobytes()
    dose.DoseGridScaling *= 16
    return made


@pytest.mark.parametrize("dates", ["shift", "remove"])
@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian], ids=["explicit", "implicit"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_no_new_error(
    kind: str, syntax: str, dates: Dates, patient: SyntheticPatient, tmp_path: Path
) -> None:
    before = written(patient.objects[KINDS[kind]], syntax)
    status, errors = verdict(before, tmp_path)
    new_status, new_errors = verdict(pseudonymised(before, dates), tmp_path)
    assert min(status, new_status) >= 0, "dciodvfy aborted: nothing was compared"
    assert not errors, "the test's own object is not valid: what it lacks would hide what we break"
    assert not new_errors


def test_no_new_error_where_patient_characteristics_are_retained(
    patient: SyntheticPatient, tmp_path: Path
) -> None:
    before = written(patient.objects["pt/001"])
    after = pseudonymised(before, "shift", patient=True)
    assert not verdict(after, tmp_path)[1] - verdict(before, tmp_path)[1]


def _mapped_mr(patient: SyntheticPatient) -> Dataset:
    """An MR as Philips writes it, with a mapping to real-world values."""
    item = copy.deepcopy(patient.objects["mr/001"])
    mapping = dataset(
        LUTLabel="Philips",
        LUTExplanation="no units",
        RealWorldValueFirstValueMapped=0,
        RealWorldValueLastValueMapped=100,
        RealWorldValueIntercept=0.0,
        RealWorldValueSlope=1.0,
        MeasurementUnitsCodeSequence=[code("1", "UCUM", "no units")],
    )
    return extend(item, {"RealWorldValueMappingSequence": [mapping]})


def _blocked_plan(patient: SyntheticPatient) -> Dataset:
    """A plan without a flattening filter, with a block: its material decides what else is required of it."""
    item = copy.deepcopy(patient.objects["plan"])
    block = dataset(
        BlockTrayID="T1",
        SourceToBlockTrayDistance="500",
        BlockType="SHIELDING",
        BlockDivergence="PRESENT",
        BlockNumber="1",
        MaterialID="CERROBEND",
        BlockThickness="70",
        BlockNumberOfPoints="3",
        BlockData=["1", "2", "3", "4", "5", "6"],
    )
    fluence = dataset(FluenceMode="NON_STANDARD", FluenceModeID="FFF")
    extend(
        item.BeamSequence[0],
        {"NumberOfBlocks": 1, "BlockSequence": [block], "PrimaryFluenceModeSequence": [fluence]},
    )
    return item


def _ion_settings(patient: SyntheticPatient) -> Dataset:
    """An ion plan that says whether range shifter and scatterer are in the beam."""
    item = copy.deepcopy(patient.objects["ion"])
    beam = item.IonBeamSequence[0]
    spreader = dataset(
        LateralSpreadingDeviceNumber=1, LateralSpreadingDeviceID="L1", LateralSpreadingDeviceType="SCATTERER"
    )
    modulator = dataset(
        RangeModulatorNumber=1,
        RangeModulatorID="M1",
        RangeModulatorType="WHL_MODWEIGHTS",
        BeamCurrentModulationID="BCM1",
    )
    beam.NumberOfLateralSpreadingDevices, beam.NumberOfRangeModulators = 1, 1
    beam.LateralSpreadingDeviceSequence, beam.RangeModulatorSequence = [spreader], [modulator]
    point = beam.IonControlPointSequence[0]
    point.RangeShifterSettingsSequence = [dataset(ReferencedRangeShifterNumber=1, RangeShifterSetting="IN")]
    point.LateralSpreadingDeviceSettingsSequence = [
        dataset(
            ReferencedLateralSpreadingDeviceNumber=1,
            LateralSpreadingDeviceSetting="IN",
            LateralSpreadingDeviceWaterEquivalentThickness=1.0,
            IsocenterToLateralSpreadingDeviceDistance=1.0,
        )
    ]
    return item


def _enhanced(patient: SyntheticPatient, key: str, sop_class: str, **groups: Any) -> Dataset:
    """A multi-frame image of one frame; what it lacks it lacks before and after."""
    item = copy.deepcopy(patient.objects[key])
    frame = dataset(FrameContentSequence=[dataset(StackID="1", InStackPositionNumber=1)])
    shared = dataset(**groups)
    return extend(
        item,
        {
            "SOPClassUID": sop_class,
            "NumberOfFrames": 1,
            "PerFrameFunctionalGroupsSequence": [frame],
            "SharedFunctionalGroupsSequence": [shared],
        },
    )


def _enhanced_mr(patient: SyntheticPatient) -> Dataset:
    element = dataset(MultiCoilElementName="E1", MultiCoilElementUsed="YES")
    receiver = dataset(
        ReceiveCoilName="Head coil",
        ReceiveCoilManufacturerName="",
        ReceiveCoilType="MULTICOIL",
        QuadratureReceiveCoil="NO",
        MultiCoilDefinitionSequence=[element],
    )
    sender = dataset(TransmitCoilName="Body", TransmitCoilManufacturerName="", TransmitCoilType="BODY")
    groups = {"MRReceiveCoilSequence": [receiver], "MRTransmitCoilSequence": [sender]}
    return _enhanced(patient, "mr/001", "1.2.840.10008.5.1.4.1.1.4.1", **groups)


def _enhanced_ct(patient: SyntheticPatient) -> Dataset:
    rays = dataset(KVP="120", FocalSpots="1", FilterType="WEDGE", FilterMaterial="ALUMINUM")
    return _enhanced(patient, "ct/001", "1.2.840.10008.5.1.4.1.1.2.1", CTXRayDetailsSequence=[rays])


def _enhanced_pet(patient: SyntheticPatient) -> Dataset:
    return _enhanced(patient, "pt/001", "1.2.840.10008.5.1.4.1.1.130")


LESS_USUAL = (_mapped_mr, _blocked_plan, _ion_settings, _enhanced_mr, _enhanced_ct, _enhanced_pet)


@pytest.mark.parametrize("dates", ["shift", "remove"])
@pytest.mark.parametrize("make", LESS_USUAL)
def test_no_new_error_in_less_usual_objects(
    make: Callable[[SyntheticPatient], Dataset], dates: Dates, patient: SyntheticPatient, tmp_path: Path
) -> None:
    before = written(make(patient))
    status, errors = verdict(before, tmp_path)
    new_status, new_errors = verdict(pseudonymised(before, dates), tmp_path)
    assert min(status, new_status) >= 0, "dciodvfy aborted: nothing was compared"
    assert not new_errors - errors


def test_a_32_bit_dose_is_no_worse_than_before(tmp_path: Path) -> None:
    """dciodvfy aborts at such an object, valid as it is: what it says until then may not grow."""
    before = written(synthetic.build(extent=synthetic.SMALL).objects["dose"])
    status, errors = verdict(before, tmp_path)
    new_status, new_errors = verdict(pseudonymised(before, "shift"), tmp_path)
    assert (new_status < 0) <= (status < 0)
    assert not new_errors - errors


def test_the_comparison_notices_an_error(patient: SyntheticPatient, tmp_path: Path) -> None:
    before = written(patient.objects["plan"])
    spoilt = pydicom.dcmread(io.BytesIO(before))
    del spoilt.RTPlanLabel, spoilt.BeamSequence[0].BeamName
    assert verdict(written(spoilt), tmp_path)[1] - verdict(before, tmp_path)[1]
