"""``dvh``: any pair of files, three layouts, and every way in which a pair can be wrong."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli_centre import Centre, Ran
    from pydicom import Dataset

    from rttqa_build.synthetic import SyntheticPatient


NAMES = ["prostate", "Fem Head L", "Fem Head R"]


@pytest.fixture(scope="module")
def pair(small_patient: SyntheticPatient, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The small patient's dose, and three of its structures, numbered from 1."""

    def few(structures: Dataset) -> None:
        listed = {roi.ROIName: roi for roi in structures.StructureSetROISequence}
        drawn = {item.ReferencedROINumber: item for item in structures.ROIContourSequence}
        structures.StructureSetROISequence = [listed[name] for name in NAMES]
        structures.ROIContourSequence = [drawn[listed[name].ROINumber] for name in NAMES]
        for number, name in enumerate(NAMES, 1):
            drawn[listed[name].ROINumber].ReferencedROINumber = listed[name].ROINumber = number

    folder = tmp_path_factory.mktemp("pair")
    return altered(small_patient.paths["structure_set"], folder, few), small_patient.paths["dose"]


def altered(path: Path, folder: Path, change: Callable[[Dataset], object]) -> Path:
    dataset = pydicom.dcmread(path)
    change(dataset)
    target = folder / path.name
    dataset.save_as(target)
    return target


def codes(ran: Ran) -> list[str]:
    return sorted(set(re.findall(r"(?:error|warning|info)\[([A-Z]\d{3})\]", ran.err)))


def test_json_is_what_the_contract_says(settled: Centre, pair: tuple[Path, Path]) -> None:
    ran = settled.call("dvh", *pair, "--metric", "D95%[Gy]", "-m", "V20Gy[cc]", "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    assert [(row["number"], row["structure"]) for row in ran.json] == list(enumerate(NAMES, 1))
    for row in ran.json:
        assert list(row) == ["structure", "number", "volume_cc", "covered_fraction", "metrics", "dvh"]
        assert list(row["metrics"]) == ["D95%[Gy]", "V20Gy[cc]"]
        dose, volume = np.array(row["dvh"]["dose_gy"]), np.array(row["dvh"]["volume_cc"])
        assert len(dose) == len(volume)
        assert (np.diff(dose) > 0).all()
        assert (np.diff(volume) <= 0).all()
        assert volume[0] == pytest.approx(row["volume_cc"] * row["covered_fraction"], rel=1e-4)
        assert row["metrics"]["V20Gy[cc]"] == pytest.approx(np.interp(20, dose, volume), rel=1e-3, abs=1e-3)


def test_the_table_fits_a_terminal(settled: Centre, pair: tuple[Path, Path]) -> None:
    many = [word for number in range(1, 10) for word in ("-m", f"D{number}0%[Gy]")]
    for asked in ([], many):
        ran = settled.call("dvh", *pair, *asked)
        lines = ran.out.splitlines()
        assert (ran.code, ran.err, max(map(len, lines)) <= 80) == (0, "", True)
        assert len({len(line) for line in lines if line and not line.startswith("structure")}) <= 2
    assert ran.out.count("structure") == 2
    assert "D10%[Gy]" in ran.out
    assert "D90%[Gy]" in ran.out


def test_csv_has_a_line_for_each_structure(settled: Centre, pair: tuple[Path, Path]) -> None:
    ran = settled.call(
        "dvh", *pair, "-m", "Mean[Gy]", "-m", "D99999cc[Gy]", "-m", "V95%[%]", "--prescription", "60",
        "--format", "csv",
    )  # fmt: skip
    head, *rows = csv.reader(io.StringIO(ran.out))
    assert head == [
        "structure", "number", "volume_cc", "covered_fraction", "Mean[Gy]", "D99999cc[Gy]", "V95%[%]",
    ]  # fmt: skip
    assert [row[0] for row in rows] == NAMES
    assert all(row[5] == "" and float(row[2]) > 0 for row in rows)
    assert max(float(row[6]) for row in rows) > 50


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("-m", "D95"), "D95%[Gy]"),
        (("-m", "V95%[%]"), "--prescription"),
        (("--format", "xml"), "table"),
        (("--prescription", "0"), "0"),
        (("--prescription", "nan"), "--prescription"),
        (("--prescription", "inf"), "--prescription"),
    ],
)
def test_usage(settled: Centre, pair: tuple[Path, Path], arguments: tuple[str, ...], hint: str) -> None:
    ran = settled.call("dvh", *pair, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert hint in ran.err


def _other_structure_set(dose: Dataset) -> None:
    reference = pydicom.Dataset()
    reference.ReferencedSOPInstanceUID = "1.2.3"
    dose.ReferencedStructureSetSequence = [reference]


@pytest.mark.parametrize(
    ("change", "code", "ends"),
    [
        (_other_structure_set, "D207", 0),
        (lambda dose: setattr(dose, "FrameOfReferenceUID", "1.2.3"), "D207", 0),
        (lambda dose: setattr(dose, "DoseSummationType", "BEAM"), "D102", 0),
        (lambda dose: setattr(dose, "DoseUnits", "RELATIVE"), "D401", 1),
        (lambda dose: setattr(dose, "DoseType", "ERROR"), "D402", 1),
        (lambda dose: setattr(dose, "DoseGridScaling", "0"), "D403", 1),
        (lambda dose: setattr(dose, "GridFrameOffsetVector", [0, 1]), "D404", 1),
        (lambda dose: setattr(dose, "ImagePositionPatient", [9000, 0, 0]), "D415", 0),
    ],
)
def test_what_is_odd_about_a_dose(
    settled: Centre,
    pair: tuple[Path, Path],
    tmp_path: Path,
    change: Callable[[Dataset], object],
    code: str,
    ends: int,
) -> None:
    ran = settled.call("dvh", pair[0], altered(pair[1], tmp_path, change), "--format", "json")
    assert (ran.code, codes(ran)) == (ends, [code])
    assert bool(ran.json) is (ends == 0 and code != "D415")


def test_a_structure_without_contours_is_told_with_its_name(
    settled: Centre, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    def empty(structures: Dataset) -> None:
        del structures.ROIContourSequence[0].ContourSequence
        structures.StructureSetROISequence[0].ROIName = "=cmd\x1b[2J"

    ran = settled.call("dvh", altered(pair[0], tmp_path, empty), pair[1])
    assert (ran.code, codes(ran)) == (0, ["D412"])
    assert "=cmd?[2J" in ran.err
    assert "\x1b" not in ran.told


def test_planned_histograms_that_differ_or_cannot_be_compared(
    settled: Centre, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    def add(dose: Dataset) -> None:
        dose.DVHSequence = [_recorded(1, "GY"), _recorded(2, "RELATIVE")]

    ran = settled.call("dvh", pair[0], altered(pair[1], tmp_path, add))
    assert (ran.code, codes(ran)) == (0, ["D206", "D208"])


def _recorded(number: int, units: str) -> Dataset:
    roi, item = pydicom.Dataset(), pydicom.Dataset()
    roi.ReferencedROINumber, roi.DVHROIContributionType = number, "INCLUDED"
    item.DVHReferencedROISequence = [roi]
    item.DVHType, item.DoseUnits, item.DoseType = "CUMULATIVE", units, "PHYSICAL"
    item.DVHDoseScaling, item.DVHVolumeUnits, item.DVHNumberOfBins = "1", "CM3", 2
    item.DVHData = [100, 5, 1, 5]
    return item


@pytest.mark.parametrize("place", [0, 1], ids=["structures", "dose"])
@pytest.mark.parametrize("length", [0, 100, 400, 3000])
def test_files_that_are_cut_short(
    settled: Centre, pair: tuple[Path, Path], tmp_path: Path, place: int, length: int
) -> None:
    short = tmp_path / "short.dcm"
    short.write_bytes(pair[place].read_bytes()[:length])
    given = [short if number == place else path for number, path in enumerate(pair)]
    ran = settled.call("dvh", *given, "--format", "json")
    assert (ran.code, codes(ran), ran.json) == (1, ["D209"], [])


def test_files_in_the_wrong_order_and_files_that_are_not_there(
    settled: Centre, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    turned = settled.call("dvh", *pair[::-1])
    assert (turned.code, turned.out, codes(turned)) == (1, "", ["D209"])
    assert "RTSTRUCT first" in turned.err
    for missing in (tmp_path / "none.dcm", tmp_path):
        ran = settled.call("dvh", pair[0], missing)
        assert (ran.code, ran.out) == (3, "")
        assert "hint" in ran.err


def test_numbers_that_are_none(settled: Centre, pair: tuple[Path, Path], tmp_path: Path) -> None:
    """Odd text where numbers belong is left out or refused, and pydicom's warnings are kept to itself."""
    raw = pair[0].read_bytes()
    dataset = pydicom.dcmread(pair[0])
    data = dataset.ROIContourSequence[0].ContourSequence[0].ContourData
    text = str(data[0]).encode()
    broken = tmp_path / "broken.dcm"
    place = raw.index(b"\x06\x30\x50\x00")
    at = raw.index(text, place)
    broken.write_bytes(raw[:at] + b"x" * len(text) + raw[at + len(text) :])
    ran = settled.call("dvh", broken, pair[1])
    assert (ran.code, codes(ran)) == (1, ["D411"])
    assert "Warning" not in ran.err
