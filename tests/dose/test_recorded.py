"""DVH Sequence → curves; how far ours may be from them; a real case where it is at hand."""

from __future__ import annotations

import functools
import io
import os
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from rttqa_build.diagnostic import Diagnostic
from rttqa_build.dose import contours, dvh, grid, recorded
from rttqa_build.dose.dvh import Dvh
from rttqa_build.dose.recorded import Recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

UID = "1.2.3.4"


def carried(*rois: int, structure_set: str = "", contribution: str = "INCLUDED", **changes: Any) -> Dataset:
    """An RTDOSE with one histogram: 100 cc that all get 10 Gy, then evenly less up to 30 Gy."""
    values = {
        "DVHType": "CUMULATIVE",
        "DoseUnits": "GY",
        "DoseType": "PHYSICAL",
        "DVHDoseScaling": "1",
        "DVHVolumeUnits": "CM3",
        "DVHData": [10, 100, 10, 100, 10, 50],
    }
    item = Dataset()
    for keyword, value in (values | changes).items():
        if value is not None:
            setattr(item, keyword, value)
    item.DVHReferencedROISequence = [_roi(number, contribution) for number in rois or (7,)]
    dataset = Dataset()
    dataset.DVHSequence = [item]
    if structure_set:
        reference = Dataset()
        reference.ReferencedSOPInstanceUID = structure_set
        dataset.ReferencedStructureSetSequence = [reference]
    return dataset


def _roi(number: int, contribution: str) -> Dataset:
    roi = Dataset()
    roi.ReferencedROINumber, roi.DVHROIContributionType = number, contribution
    return roi


def read(dataset: Dataset) -> Recorded:
    (found,) = recorded.read(dataset, UID).values()
    assert isinstance(found, Recorded)
    return found


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"DVHDoseScaling": "0.01", "DVHData": [1000, 100, 1000, 100, 1000, 50]},
        {"DVHType": "DIFFERENTIAL", "DVHData": [10, 0, 10, 50, 10, 50]},
        {"DVHMeanDose": "2500", "DVHMinimumDose": "-1", "DVHMaximumDose": "9"},
        {"DVHVolumeUnits": "PERCENT"},
        {"DVHData": [10, 100, 10, 100.00000001, 10, 50, 10, -1e-12]},
    ],
    ids=["cumulative", "centigray", "differential", "summary that lies", "percent", "rounding"],
)
def test_a_curve_is_read(changes: dict[str, Any]) -> None:
    found = read(carried(**changes))
    assert found.curve.dose_gy[:4].tolist() == [0, 10, 20, 30]
    assert found.curve.cumulative_cc[:4] == pytest.approx([100, 100, 50, 0], abs=1e-6)
    assert (found.curve.min_gy, found.curve.mean_gy, found.curve.max_gy) == pytest.approx((10, 20, 30))
    assert found.bin_gy == 10
    assert found.absolute is (changes.get("DVHVolumeUnits") is None)


@pytest.mark.parametrize(
    ("dataset", "why"),
    [
        (carried(DoseUnits="RELATIVE"), "not in gray"),
        (carried(DVHType="NATURAL"), "neither cumulative nor differential"),
        (carried(1, 2), "several structures"),
        (carried(contribution="EXCLUDED"), "several structures"),
        (carried(DVHData=[10, 100, 10]), "no pairs"),
        (carried(DVHData=None), "no pairs"),
        (carried(DVHDoseScaling=None), "no pairs"),
        (carried(DVHData=[10, 50, 10, 100]), "wrong way"),
        (carried(DVHData=[0, 100, 0, 50]), "wrong way"),
        (carried(DVHData=[10, 0, 10, 0]), "wrong way"),
    ],
)
def test_what_cannot_be_compared_is_said(dataset: Dataset, why: str) -> None:
    for found in recorded.read(dataset, UID).values():
        assert isinstance(found, Diagnostic)
        assert (found.code, found.severity.value, why in found.message) == ("D208", "info", True)


@pytest.mark.parametrize(("structure_set", "numbers"), [("", [7]), (UID, [7]), ("9.9", [])])
def test_roi_numbers_mean_something_in_one_structure_set_only(structure_set: str, numbers: list[int]) -> None:
    assert list(recorded.read(carried(structure_set=structure_set), UID)) == numbers


def test_no_histograms_and_no_number() -> None:
    assert recorded.read(Dataset(), UID) == {}
    dataset = carried()
    del dataset.DVHSequence[0].DVHReferencedROISequence[0].ReferencedROINumber
    assert recorded.read(dataset, UID) == {}


def curve(doses: Sequence[float], cc: float = 100.0) -> Dvh:
    """So many cc in equal parts at these doses, in bins of 0.1 Gy."""
    edges = np.arange(401) / 10
    counts = np.histogram(doses, edges)[0] * (cc / len(doses))
    falling = np.concatenate((np.cumsum(counts[::-1])[::-1], [0.0]))
    mean = float(np.mean(doses))
    return Dvh("Box", 7, cc, 1.0, edges, falling, min(doses), mean, max(doses))


EVEN = tuple(10 + 0.2 * k + 0.05 for k in range(100))


@pytest.mark.parametrize(
    ("ours", "respects"),
    [
        (curve(EVEN), ""),
        (curve([dose + 0.3 for dose in EVEN]), ""),
        (curve([dose + 2 for dose in EVEN]), "D95%, D50%, D5%"),
        (curve([dose * 1.2 for dose in EVEN]), "D95%, D50%, D5%"),
        (curve([*(dose - 6 for dose in EVEN[:10]), *EVEN[10:]]), "D95%"),
        (curve(EVEN, 106.0), ""),
        (curve(EVEN, 130.0), "Volume"),
    ],
    ids=["same", "a little more", "shifted", "scaled", "a cold part", "a little larger", "larger"],
)
def test_what_differs(ours: Dvh, respects: str) -> None:
    theirs = Recorded(curve(EVEN), absolute=True, bin_gy=0.1)
    found = recorded.differing(theirs, ours, 30.0)
    assert (found.message.rpartition(" in ")[2] if found else "") == respects
    assert found is None or found.code == "D206"


def test_small_or_relative_volumes_are_not_held_against_anyone() -> None:
    small = Recorded(curve(EVEN, 0.4), absolute=True, bin_gy=0.1)
    assert recorded.differing(small, curve(EVEN, 0.7), 30.0) is None
    relative = Recorded(curve(EVEN, 1.0), absolute=False, bin_gy=0.1)
    assert recorded.differing(relative, curve(EVEN, 700.0), 30.0) is None


def test_a_steep_curve_may_be_off_in_dose_where_the_volume_agrees() -> None:
    """Half the volume at 5 Gy and half at 30 Gy: the median may be anywhere between."""
    low, high = [5.05] * 50, [30.05] * 50
    theirs = Recorded(curve([*low[1:], *high, 30.05]), absolute=True, bin_gy=0.1)
    assert recorded.differing(theirs, curve([*low, 5.05, *high[1:]]), 30.0) is None


# A real case ----------------------------------------------------------------------------------------------

SDIST = os.environ.get("RTTQA_DICOMPYLER_SDIST", "")


@functools.cache
def breast() -> tuple[Dataset, Dataset]:
    """RTSTRUCT and RTDOSE of the case in the source distribution."""
    with tarfile.open(SDIST) as archive:
        files = {Path(name).name: name for name in archive.getnames() if "/example_data/" in name}
        read = (archive.extractfile(files[name]) for name in ("rtss.dcm", "rtdose.dcm"))
        structures, dose = (pydicom.dcmread(io.BytesIO(file.read())) for file in read if file)
    return structures, dose


@pytest.mark.skipif(
    not SDIST, reason="RTTQA_DICOMPYLER_SDIST names no source distribution of dicompyler-core"
)
def test_nine_histograms_of_a_breast_plan() -> None:
    """The planning system's own curves of a real case: all agree; of a dose a tenth higher, none does."""
    structures, dose = breast()
    distribution = grid.read(dose)
    assert isinstance(distribution, grid.DoseGrid)
    theirs = recorded.read(dose, str(structures.SOPInstanceUID))
    assert len(theirs) == 9
    means = []
    for structure in contours.read(structures):
        found, ours = theirs.get(structure.number), dvh.compute(structure, [distribution])
        if isinstance(found, Recorded) and isinstance(ours, Dvh):
            assert recorded.differing(found, ours, distribution.maximum) is None
            means.append((ours.volume_cc, ours.mean_gy / found.curve.mean_gy))
    assert len(means) == 9
    assert [ratio for cc, ratio in means if 10 < cc < 5000] == pytest.approx([1] * 5, abs=0.01)
