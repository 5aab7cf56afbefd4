"""Case × image, contours, dose → views: what is shown, where, and when there is nothing to show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import build_case
import numpy as np
import pytest

from rttqa_build import checks, synthetic
from rttqa_build.dose import grid
from rttqa_build.evidence import dosimetry
from rttqa_build.evidence.pictures import MARGIN_MM, SLICE_PIXELS, SLICES, Pictures, pictures
from rttqa_build.resolve import resolve
from rttqa_build.stages.intake import take_in
from rttqa_build.study import ImageFacts
from rttqa_build.summary.context import LegendEntry, Slices

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from build_case import Run

    from rttqa_build.checks import Case
    from rttqa_build.evidence.dosimetry import Dosimetry
    from rttqa_build.study import Instance
    from rttqa_build.summary.context import View

PTV = "#ff3b30"


def case_of(name: str, folder: Path) -> Case:
    """Return the small patient, sent as a variant, from the folder."""
    variant = build_case.named(name)
    order = variant.order(synthetic.save(variant.patient(), folder), folder, folder)
    study = take_in(folder, 1, lambda _: None).study
    return checks.Case(order.manifest, order.trial, resolve(study, order.manifest, order.trial).roles)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("source")


@pytest.fixture(scope="module")
def case(source: Path) -> Case:
    return case_of("prostate", source)


@pytest.fixture(scope="module")
def read(case: Case, source: Path) -> Dosimetry:
    return dosimetry.read(case, source)


@pytest.fixture(scope="module")
def shown(case: Case, read: Dosimetry, source: Path) -> Pictures:
    return pictures(case, read, source)


def extent(view: View, colour: str) -> tuple[float, float, float, float]:
    """Return left, right, top and bottom of what is drawn in a colour, in mm from the picture's corner."""
    pixels = np.frombuffer(view.pixels, np.uint8).reshape(view.height, view.width, 3)
    rows, columns = np.nonzero((pixels == tuple(bytes.fromhex(colour[1:]))).all(axis=2))
    mm = view.width_mm / view.width
    return columns.min() * mm, (columns.max() + 1) * mm, rows.min() * mm, (rows.max() + 1) * mm


def with_images(case: Case, change: Callable[[Instance, ImageFacts], Instance]) -> Case:
    """Return the case with every planning image changed."""
    selected = tuple(
        replace(
            one,
            instances=tuple(
                change(i, i.facts) if isinstance(i.facts, ImageFacts) else i for i in one.instances
            ),
        )
        if one.role == "planning_image"
        else one
        for one in case.selected
    )
    return replace(case, selected=selected)


def test_three_views_with_a_legend(shown: Pictures) -> None:
    assert [view.title.split(",")[0] for view in shown.views] == ["Axial", "Coronal", "Sagittal"]
    assert [entry.text for entry in shown.legend] == [
        *("PTV_6000", "PTV_4600", "Rectum", "Bladder"),
        *("57 Gy (95 %)", "48 Gy (80 %)", "30 Gy (50 %)"),
    ]
    assert [entry.thin for entry in shown.legend] == [False] * 4 + [True] * 3
    assert len({entry.colour for entry in shown.legend}) == 7
    assert all("through PTV_6000" in view.alt and "30 Gy (50 %)" in view.alt for view in shown.views)


def test_slices_through_the_targets(shown: Pictures, read: Dosimetry) -> None:
    planes, legend = shown.slices.planes, shown.slices.legend
    heights = [float(one.title.split("=")[1].removesuffix(" mm").replace("−", "-")) for one in planes]
    targets = np.concatenate([points(read, name) for name in ("PTV_6000", "PTV_4600")])[:, 2]
    assert 3 <= len(planes) <= SLICES
    assert heights == sorted(heights)
    assert targets.min() - MARGIN_MM <= heights[0] <= targets.min()
    assert targets.max() <= heights[-1] <= targets.max() + MARGIN_MM
    assert sum(one.width * one.height for one in planes) == pytest.approx(SLICE_PIXELS, rel=0.02)
    drawn = {number for one in planes for number in (*one.structures, *one.doses)} - {0}
    assert {legend[number - 1].text for number in drawn} >= {"PTV_6000", "PTV_4600", "57 Gy (95 %)"}
    assert all(legend[number - 1].thin for one in planes for number in {*one.doses} - {0})
    middle = planes[len(planes) // 2]
    assert legend.index(LegendEntry(PTV, "PTV_6000")) + 1 in middle.structures
    assert {len(layer) for layer in (middle.grey, middle.structures, middle.doses)} == {
        middle.width * middle.height
    }


def points(read: Dosimetry, name: str) -> np.ndarray:
    return np.concatenate([contour.points for contour in read.drawn[name].contours])


@pytest.fixture(scope="module")
def corner(case: Case, read: Dosimetry) -> tuple[float, float]:
    """Where the axial picture begins: the outer edge of the first column and row near the patient."""
    facts = next(facts for _, facts in case.facts("planning_image", ImageFacts))
    assert facts.position is not None
    assert facts.spacing is not None
    first = points(read, "External").min(axis=0) - MARGIN_MM
    steps = (facts.spacing[1], facts.spacing[0])
    starts = zip(facts.position, first, steps, strict=False)
    x, y = (place + step * np.ceil((low - place) / step) - step / 2 for place, low, step in starts)
    return float(x), float(y)


def test_the_target_is_where_it_is_drawn(
    shown: Pictures, read: Dosimetry, corner: tuple[float, float]
) -> None:
    drawn = points(read, "PTV_6000")
    low, high = drawn.min(axis=0), drawn.max(axis=0)
    axial, coronal, sagittal = (extent(view, PTV) for view in shown.views)
    for found, axis in ((axial[:2], 0), (axial[2:], 1), (coronal[:2], 0), (sagittal[:2], 1)):
        expected = (low[axis] - corner[axis], high[axis] - corner[axis])
        assert found == pytest.approx(expected, abs=2.5)
    slice_mm = (high[2] - low[2]) / (len(set(drawn[:, 2])) - 1)
    for found in (coronal[2:], sagittal[2:]):
        assert found[1] - found[0] == pytest.approx(high[2] - low[2] + slice_mm, abs=1)


@pytest.mark.parametrize(("text", "gray"), [("57 Gy (95 %)", 57), ("48 Gy (80 %)", 48), ("30 Gy (50 %)", 30)])
def test_an_isodose_lies_where_the_dose_is(
    text: str, gray: float, shown: Pictures, read: Dosimetry, corner: tuple[float, float]
) -> None:
    colour = next(entry.colour for entry in shown.legend if entry.text == text)
    view, grids = shown.views[0], read.doses["dose"]
    assert isinstance(grids, tuple)
    pixels = np.frombuffer(view.pixels, np.uint8).reshape(view.height, view.width, 3)
    rows, columns = np.nonzero((pixels == tuple(bytes.fromhex(colour[1:]))).all(axis=2))
    mm = view.width_mm / view.width
    z = float(view.title.rpartition("= ")[2].removesuffix(" mm").replace("−", "-"))
    x, y = (
        first + (pixel.astype(np.float64) + 0.5) * mm
        for first, pixel in zip(corner, (columns, rows), strict=True)
    )
    dose, inside = grid.summed(grids, x, y, np.full(x.shape, z))
    assert inside.all()
    assert dose.size > 100
    assert dose.min() >= gray - 0.1
    assert dose.max() <= gray + 4


def test_the_order_of_the_images_does_not_matter(
    case: Case, read: Dosimetry, source: Path, shown: Pictures
) -> None:
    turned = tuple(replace(one, instances=one.instances[::-1]) for one in case.selected)
    assert pictures(replace(case, selected=turned), read, source) == shown


def test_without_prescription_the_first_target_and_isodoses_in_gray(
    case: Case, read: Dosimetry, source: Path, shown: Pictures
) -> None:
    bare = replace(case, manifest=replace(case.manifest, prescription=()))
    found = pictures(bare, read, source)
    assert found.legend[:4] == shown.legend[:4]
    assert [entry.text for entry in found.legend if entry.thin] == ["57 Gy", "48 Gy", "30 Gy"]
    assert [view.title for view in found.views] == [view.title for view in shown.views]


def test_without_a_dose_that_is_meant_no_isodoses(
    case: Case, read: Dosimetry, source: Path, shown: Pictures
) -> None:
    elsewhere = {
        name: tuple(replace(one, frame_uid="1.2") for one in grids)
        for name, grids in read.doses.items()
        if isinstance(grids, tuple)
    }
    for changed in (replace(read, main=None), replace(read, doses={}), replace(read, doses=elsewhere)):
        assert pictures(case, changed, source).legend == shown.legend[:4]


def test_without_the_outline_the_whole_image_is_shown(case: Case, read: Dosimetry, source: Path) -> None:
    view = pictures(case, replace(read, body=None), source).views[0]
    facts = next(facts for _, facts in case.facts("planning_image", ImageFacts))
    assert facts.spacing is not None
    assert view.width_mm == pytest.approx(facts.columns * facts.spacing[1], abs=0.01)


def test_the_outline_counts_that_the_trial_does_not_know(
    case: Case, read: Dosimetry, source: Path, shown: Pictures
) -> None:
    drawn = {name: structure for name, structure in read.drawn.items() if name != "External"}
    assert pictures(case, replace(read, drawn=drawn), source).views[0].width_mm == shown.views[0].width_mm


def test_an_image_without_hounsfield_units_gets_a_window_of_its_own(
    case: Case, read: Dosimetry, source: Path, shown: Pictures
) -> None:
    magnetic = with_images(case, lambda image, _: replace(image, modality="MR"))
    grey = np.frombuffer(pictures(magnetic, read, source).views[0].pixels, np.uint8)
    assert (grey.min(), grey.max()) == (0, 255)
    assert grey.tobytes() != shown.views[0].pixels


@pytest.mark.parametrize(
    "change",
    [
        lambda image, _: replace(image, frame_uid="1.2.3"),
        lambda image, _: replace(image, transfer_syntax="1.2.840.10008.1.2.4.70"),
        lambda image, facts: replace(image, facts=replace(facts, frames=2)),
    ],
)
def test_an_image_that_cannot_be_shown_gives_no_views(
    change: Callable[[Instance, ImageFacts], Instance], case: Case, read: Dosimetry, source: Path
) -> None:
    assert pictures(with_images(case, change), read, source) == Pictures()


def test_nothing_is_read_where_no_structure_is_the_trials(tmp_path: Path) -> None:
    phantom = case_of("phantom", tmp_path / "source")
    nowhere = tmp_path / "nowhere"
    read = dosimetry.read(phantom, nowhere)
    assert not read.drawn
    assert pictures(phantom, read, nowhere) == Pictures()


def test_organs_alone_are_no_target(case: Case, read: Dosimetry, tmp_path: Path) -> None:
    organs = {name: read.drawn[name] for name in ("Rectum", "Bladder")}
    assert pictures(case, replace(read, drawn=organs), tmp_path / "nowhere") == Pictures()


def test_phases_are_shown_with_the_sum(tmp_path: Path) -> None:
    phases = case_of("two-phases", tmp_path)
    read = dosimetry.read(phases, tmp_path)
    found = pictures(phases, read, tmp_path)
    assert read.main == "sum"
    assert "through PTV_4600" in found.views[0].alt
    assert [entry.text for entry in found.legend if entry.thin] == [
        *("57 Gy", "48 Gy", "30 Gy"),  # the boost's line leaves out what the first phase brings
    ]


def test_the_build_shows_them(built: Callable[[str], Run]) -> None:
    summary = built("prostate").built.summary
    assert summary is not None
    assert len(summary.views) == 3
    assert b"/Image" in built("prostate").members["data/clinical_summary.pdf"]


def test_without_a_report_no_slices_are_cut_and_the_views_are_the_same(
    case: Case, read: Dosimetry, source: Path, shown: Pictures
) -> None:
    alone = pictures(case, read, source, slices=False)
    assert shown.slices.planes
    assert alone == replace(shown, slices=Slices())


def test_a_build_that_keeps_nothing_cuts_no_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[bool] = []

    def noting(*given: object, slices: bool) -> Pictures:
        cut.append(slices)
        return Pictures()

    monkeypatch.setattr("rttqa_build.stages.reading.pictures", noting)
    variant = build_case.named("prostate")
    for keep in (True, False):
        build_case.run(variant, tmp_path / str(keep), keep=keep)
    assert cut == [True, False]
