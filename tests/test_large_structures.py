"""The memory that one large structure set takes up, in each reader, as a multiple of its size."""

from __future__ import annotations

import pytest
from large_structures import peak, structure_set

from rttqa_build.deidentify.final import content
from rttqa_build.deidentify.job import Job, ObjectPlan
from rttqa_build.deidentify.marks import Marks
from rttqa_build.deidentify.policy import compile_policy
from rttqa_build.deidentify.stream import parse
from rttqa_build.study import Instance, StructureFacts, read
from rttqa_build.study.facts import SourceFile
from rttqa_build.verify import dicom, stream

JOB = Job(
    compile_policy("shift", frozenset()),
    Marks("PL-0001", "t", "Trial", "", "RXX", "Centre", dates_shifted=False),
    3,
    lambda _: "2.25.1",
    frozenset(),
    lambda _: False,
)


@pytest.fixture(scope="module")
def data() -> bytes:
    return structure_set()


def test_what_a_structure_set_says_is_gathered_contour_by_contour(data: bytes) -> None:
    found, most = peak(lambda: read(SourceFile("a", len(data), ""), data))
    assert isinstance(found, Instance)
    assert isinstance(found.facts, StructureFacts)
    assert {(roi.contours, roi.geometric_types, len(roi.image_refs)) for roi in found.facts.rois} == {
        (100, ("CLOSED_PLANAR",), 50)
    }
    assert most < 1.8 * len(data)


def test_images_that_several_structures_name_are_kept_once(data: bytes) -> None:
    found = read(SourceFile("a", len(data), ""), data)
    assert isinstance(found, Instance)
    assert isinstance(found.facts, StructureFacts)
    uids = [uid for roi in found.facts.rois for uid in roi.image_refs]
    assert (len(uids), len({id(uid) for uid in uids})) == (500, 50)


def test_verify_keeps_no_contours(data: bytes) -> None:
    (found, faults), most = peak(lambda: dicom.examine(data, "RTSTRUCT_1", "PL-0001"))
    assert not faults
    assert found is not None
    assert len(found.references) == 1000
    assert most < 1.5 * len(data)


def test_verify_notices_any_cut_of_a_large_structure_set(data: bytes) -> None:
    """Long values stay where they were read: their ends are held to account all the same."""
    for end in range(len(data) - 1, len(data) // 2, -300_001):
        with pytest.raises(stream.UnreadableError):
            stream.read(data[:end])


def test_verify_reads_long_values_as_short_ones(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    once = stream.read(data)
    monkeypatch.setattr(stream, "_LARGE", 1 << 30)
    assert stream.read(data) == once


def test_no_copy_is_made_to_settle_a_uid(data: bytes) -> None:
    _, most = peak(lambda: content(parse(data), JOB, ObjectPlan()))
    assert most < 1.7 * len(data)
