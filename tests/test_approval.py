from __future__ import annotations

import json
from pathlib import Path

import pytest
from lock_builder import parsed

from rttqa_build import approval
from rttqa_build.approval import Approval

ONE = Approval("physicist", "a@example.org", "2026-11-22", "a" * 64)
TWO = Approval("trial radiographer", "b@example.org", "2026-11-23", "a" * 64)
VOID = Approval("physicist", "c@example.org", "2026-11-21", "b" * 64)


@pytest.mark.parametrize("given", [(), (ONE,), (ONE, TWO, VOID)])
def test_dumped_approvals_read_back_and_are_valid(given: tuple[Approval, ...]) -> None:
    from jsonschema import Draft202012Validator

    document = parsed(approval.dump(given))
    assert approval.from_document(document) == given
    path = Path(__file__).resolve().parents[1] / "schemas" / "approval.schema.json"
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
