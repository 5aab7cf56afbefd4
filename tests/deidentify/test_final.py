from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from rttqa_build.deidentify.dictionary import registered_uids
from rttqa_build.deidentify.final import content, final_uids, reachable
from rttqa_build.deidentify.job import Job, ObjectPlan
from rttqa_build.deidentify.marks import Marks
from rttqa_build.deidentify.policy import compile_policy
from rttqa_build.deidentify.stream import parse
from rttqa_build.pseudonym import CentreKey, Pseudonyms

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = Pseudonyms.derive(CentreKey(bytes(range(32))), "example-prostate")
MARKS = Marks("EP-0123", "example-prostate", "Example", "", "RXX", "Example Cancer Centre")
JOB = Job(compile_policy(), MARKS, 52, NAMES.base_uid, registered_uids(), lambda _: False)


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        ({}, {"a"}),
        ({"a": {"b"}, "b": {"c"}}, {"a", "b", "c"}),
        ({"b": {"a"}}, {"a"}),
        ({"a": {"b"}, "b": {"a"}}, {"a", "b"}),
        ({"a": {"a"}}, {"a"}),
    ],
)
def test_reachable(references: Mapping[str, set[str]], expected: set[str]) -> None:
    assert reachable("a", references) == expected


@given(st.dictionaries(st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdef"))))
def test_what_is_reachable_is_closed(references: dict[str, set[str]]) -> None:
    found = reachable("a", references)
    assert all(references.get(one, set()) <= found for one in found)


def an_object(uid: str, label: str, *references: str) -> bytes:
    item = Dataset()
    item.SOPClassUID, item.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.481.5", uid
    item.RTPlanLabel = label
    item.ReferencedRTPlanSequence = [Dataset() for _ in references]
    for row, reference in zip(item.ReferencedRTPlanSequence, references, strict=True):
        row.ReferencedSOPInstanceUID = reference
    item.file_meta = FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = io.BytesIO()
    item.save_as(out, enforce_file_format=True)
    return out.getvalue()


def final(**objects: tuple[str, ...]) -> dict[str, str]:
    """Return final UIDs by name; an object is given by its label and the names that it refers to."""
    uid = {name: f"1.2.3.{ord(name)}" for name in "abcdx"}
    plan = ObjectPlan(series="2.25.1")
    contents = {
        uid[name]: content(parse(an_object(uid[name], label, *(uid[r] for r in references))), JOB, plan)
        for name, (label, *references) in objects.items()
    }
    found = final_uids(contents, NAMES)
    return {name: found[uid[name]] for name in objects}


def test_a_change_reaches_all_that_refer_to_it_and_nothing_else() -> None:
    before = final(a=("A", "b"), b=("B", "c"), c=("C",), d=("D",))
    after = final(a=("A", "b"), b=("B changed", "c"), c=("C",), d=("D",))
    assert {name for name in before if before[name] != after[name]} == {"a", "b"}


def test_a_change_within_a_circle_reaches_the_whole_circle() -> None:
    before = final(a=("A", "b"), b=("B", "a"), c=("C",))
    after = final(a=("A", "b"), b=("B changed", "a"), c=("C",))
    assert {name for name in before if before[name] != after[name]} == {"a", "b"}
    assert before["a"] != before["b"]


def test_references_to_what_is_not_sent_do_not_count() -> None:
    alone, together = final(a=("A", "x")), final(a=("A", "x"), c=("C",))
    assert alone["a"] == together["a"]


def test_final_uids_are_none_of_the_base_uids() -> None:
    found = final(a=("A", "b"), b=("B",))
    assert found["a"] != NAMES.base_uid("1.2.3.97")
    assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid in found.values())
