"""Patients who are called what this program writes for anybody: they can be sent, and are still protected."""

from __future__ import annotations

import io
import os
import zipfile
from typing import TYPE_CHECKING

import pydicom
import pytest
from cli_centre import NAME

if TYPE_CHECKING:
    from cli_centre import Centre


def called(centre: Centre, name: str, comment: str = "") -> None:
    for path in sorted(centre.export.rglob("*")):
        if path.is_file():
            written = pydicom.dcmread(path)
            written.PatientName = name
            if comment and "RTPlanLabel" in written:
                written.RTPlanLabel = comment
            written.save_as(path)


@pytest.mark.parametrize(
    "name", ["LINAC^Removed", "DOSE^Treatment", "YES^No", "MRS^Digest", "ROI^Three", "Registration^Setup"]
)
def test_a_name_that_we_write_for_anybody_is_no_find(centre: Centre, name: str) -> None:
    called(centre, name)
    built = centre.call("build")
    assert (built.code, "[A100]" in built.out) == (0, False), built.out


def test_such_a_name_in_a_label_is_replaced(centre: Centre) -> None:
    called(centre, "LINAC^Digest", "for Digest")
    assert centre.call("build").code == 0
    with zipfile.ZipFile(centre.built / centre.packages[0]) as archive:
        plans = (name for name in archive.namelist() if "/RP_" in name)
        labels = {pydicom.dcmread(io.BytesIO(archive.read(name))).RTPlanLabel for name in plans}
    assert labels == {"PLAN"}


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX's")
def test_a_heading_of_the_summary_is_released(centre: Centre) -> None:
    called(centre, "PLAN^Beam")
    stopped = centre.call("build")
    assert (stopped.code, "clinical_summary.pdf" in stopped.out, "lock.yaml" in stopped.out) == (
        1,
        True,
        False,
    )
    released = centre.typed(
        "y\na heading of the form\n" * stopped.out.count("[A100]") + "y\n", "approve", NAME
    )
    assert released.code == 0, released.out
    assert centre.call("build").code == 0
