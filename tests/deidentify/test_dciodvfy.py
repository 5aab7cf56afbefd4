"""Validity kept: dciodvfy (Debian: dicom3tools) finds no error in the output that the input did not have."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
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
