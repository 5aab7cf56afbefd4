from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from lock_builder import parsed

from rttqa_build.records import approval
from rttqa_build.records.approval import Approval, Release

ONE = Approval("physicist", "a@example.org", "2026-11-22", "a" * 64)
TWO = Approval("trial radiographer", "b@example.org", "2026-11-23", "a" * 64)
VOID = Approval("physicist", "c@example.org", "2026-11-21", "b" * 64)


FREE = Release(
    "A100",
    "BeamSequence.BeamName",
    ("data/planning/RP_1.dcm",),
    "a colour",
    "a@example.org",
    "2026-11-22",
    "a" * 64,
)
TEXT = replace(FREE, element="text lines 2-3", files=("data/documents/form.pdf",), by="b@example.org")


@pytest.mark.parametrize("given", [(), (ONE,), (ONE, TWO, VOID)])
@pytest.mark.parametrize("free", [(), (FREE,), (FREE, TEXT)])
def test_dumped_approvals_read_back_and_are_valid(
    given: tuple[Approval, ...], free: tuple[Release, ...]
) -> None:
    from jsonschema import Draft202012Validator

    document = parsed(approval.dump(given, free))
    assert approval.from_document(document) == given
    assert approval.releases(document) == free
    path = Path(__file__).resolve().parents[2] / "schemas" / "approval.schema.json"
    schema = json.loads(path.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(document.data)


def test_another_content_voids_an_approval() -> None:
    assert approval.standing((ONE, VOID), "a" * 64) == (ONE,)
    assert approval.standing((ONE, VOID), "c" * 64) == ()


def test_void_approvals_are_told() -> None:
    assert approval.voided((ONE,), ONE.content) == ()
    (told,) = approval.voided((ONE, VOID), "a" * 64)
    assert (told.code, told.fatal, told.message) == ("M407", False, "an approval is of another content")


def test_void_releases_are_told() -> None:
    assert approval.voided((FREE,), FREE.content, noun="release") == ()
    (told,) = approval.voided((FREE, TEXT), "b" * 64, noun="release")
    assert (told.code, told.fatal, told.message) == ("M407", False, "2 releases are of other contents")
    assert approval.voided((FREE,), "b" * 64, noun="release")[0].message == "a release is of another content"


def test_releases_of_one_content_are_kept_once_a_person() -> None:
    other = replace(FREE, by="b@example.org", reason="another reason")
    void = replace(FREE, content="b" * 64)
    again = replace(FREE, by="A@Example.org", reason="looked again")
    assert approval.released((void, FREE, other), (again,), FREE.content) == (other, again)
    assert approval.released((FREE, void), (), FREE.content) == (FREE,)


def test_one_person_counts_once() -> None:
    again = Approval("physicist", "A@Example.org", "2026-11-24", "a" * 64)
    assert len(approval.standing((ONE, again), "a" * 64)) == 1
    assert approval.add((ONE, VOID), again) == (again,)
    assert approval.add((ONE,), TWO) == (ONE, TWO)


@pytest.mark.parametrize(
    ("wanted", "example", "needed"),
    [
        (None, True, 0),
        (None, False, 1),
        (0, True, 0),
        (0, False, 1),
        (1, True, 1),
        (2, True, 2),
        (2, False, 2),
    ],
)
def test_only_an_example_may_leave_unapproved(wanted: int | None, example: bool, needed: int) -> None:
    assert approval.required(wanted, example=example) == needed
