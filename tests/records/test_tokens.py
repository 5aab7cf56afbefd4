from __future__ import annotations

import time
from typing import Any

import pytest
from case_builder import instance

from rttqa_build.manifest import Submission
from rttqa_build.pseudonym import CentreKey, Pseudonyms
from rttqa_build.records.tokens import Tokened, patient_tokens, wrong_patient
from rttqa_build.resolve import Selected
from rttqa_build.study import ImageFacts, PatientIdentity
from rttqa_build.study.identity import is_nhs

NAMES = Pseudonyms.derive(CentreKey(bytes(range(32))), "example-prostate")
NHS = "9990000018"


@pytest.mark.parametrize(
    ("digits", "valid"),
    [
        (NHS, True),
        ("9434765919", True),
        ("9434765918", False),
        ("943476591", False),
        ("94347659190", False),
        ("943476591X", False),
        ("٩٤٣٤٧٦٥٩١٩", False),
        ("1000000060", True),
        ("1000000010", False),  # remainder 1: the check digit would be 10
        ("0000000000", False),  # one digit over and over has the right check digit, and is nobody's
        ("9999999999", False),
    ],
)
def test_nhs_numbers(digits: str, *, valid: bool) -> None:
    assert is_nhs(digits) is valid


def role(name: str, *patients: tuple[str, tuple[str, ...]]) -> Selected:
    objects = (
        instance(ImageFacts(), f"{name}{n}", patient=PatientIdentity(number, "A^B", "", others))
        for n, (number, others) in enumerate(patients)
    )
    return Selected(name, "", tuple(objects))


def kinds(*roles: Selected) -> dict[str, str]:
    return dict(patient_tokens(roles, Submission("prospective-review", 1, "EP-0123"), NAMES))


def test_one_token_a_kind_and_never_the_number() -> None:
    found = kinds(role("planning_image", ("J48", (NHS,))), role("plan", ("J48", ())))
    assert found == {"nhs": NAMES.patient_token("nhs", NHS), "local": NAMES.patient_token("local", "J48")}
    assert NHS not in str(found)


def test_what_does_not_tell_one_patient_gives_no_token() -> None:
    for renamed in ("EP-0123", "EP0123", "EP 0123"):  # in the planning system already
        assert kinds(role("plan", (renamed, ()))) == {}
    assert kinds(role("plan", ("J48", ())), role("dose", ("J49", ()))) == {}
    assert "nhs" not in kinds(role("plan", ("J48", (NHS, "9434765919"))))
    assert kinds(role("plan", ("J48", ())), role("diagnostic_mr", ("Q77", ()))).keys() == {"local"}


@pytest.mark.parametrize("nobodys", ["9999999999", "0000000000", "000000", "0", "ANONYMOUS", "UNKNOWN"])
def test_what_stands_where_there_is_no_number_gives_no_token(nobodys: str) -> None:
    assert kinds(role("plan", (nobodys, ()))) == {}
    assert kinds(role("plan", ("J48", (nobodys,)))).keys() == {"local"}


@pytest.mark.parametrize("somebodys", ["1", "7777", "9999998", "ANON1", "X000000"])
def test_a_number_that_may_be_somebodys_gives_one(somebodys: str) -> None:
    assert kinds(role("plan", (somebodys, ()))).keys() == {"local"}


def test_an_nhs_number_as_patient_id_is_no_local_number() -> None:
    assert kinds(role("plan", (NHS, ()))) == {"nhs": NAMES.patient_token("nhs", NHS)}
    assert kinds(role("plan", (NHS, ())), role("dose", ("J48", ()))).keys() == {"nhs", "local"}


def one(name: str, patient: str, **fields: Any) -> Tokened:
    given: dict[str, Any] = {"purpose": "prospective-review", "trial": "t", "vouched": False} | fields
    tokens: dict[str, str] = {kind: given.pop(kind) for kind in ("nhs", "local") if kind in given}
    return Tokened(name, given["trial"], patient, given["purpose"], tokens, given["vouched"])


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"patient": "1", "nhs": "a"}, {"patient": "1", "nhs": "a"}, []),
        ({"patient": "1", "nhs": "a"}, {"patient": "2", "nhs": "b"}, []),
        ({"patient": "1", "nhs": "a"}, {"patient": "1", "nhs": "b"}, ["R310", "R310"]),
        ({"patient": "1", "nhs": "a"}, {"patient": "2", "nhs": "a"}, ["R311", "R311"]),
        ({"patient": "1", "nhs": "a", "local": "x"}, {"patient": "1", "nhs": "a", "local": "y"}, []),
        ({"patient": "1", "nhs": "a"}, {"patient": "1", "local": "a"}, ["R312", "R312"]),
        ({"patient": "1", "nhs": "a", "vouched": True}, {"patient": "1", "local": "a"}, []),
        ({"patient": "1", "nhs": "a"}, {"patient": "2", "nhs": "a", "trial": "other"}, []),
        ({"patient": "1", "nhs": "a"}, {"patient": "1", "nhs": "b", "purpose": "dummy-run"}, []),
        ({"patient": "", "nhs": "a"}, {"patient": "2", "nhs": "a"}, []),
    ],
)
def test_contradictions(first: dict[str, Any], second: dict[str, Any], expected: list[str]) -> None:
    """Each of the two submissions is told of the other."""
    found = list(wrong_patient([one("sub2", **second), one("sub1", **first)]))
    assert [d.code for d in found] == expected
    assert [d.subject for d in found] == ["sub1", "sub2"][: len(expected)]
    assert all(other in d.message for d, other in zip(found, ("sub2", "sub1"), strict=False))


def test_a_patient_of_hundreds_is_told_once_each_and_in_time() -> None:
    every = [one(f"sub{n:03}", str(n), nhs="a", local="b") for n in range(500)]
    started = time.process_time()
    found = list(wrong_patient(every))
    assert time.process_time() - started < 2
    assert [d.subject for d in found] == [each.name for each in every]
    assert "as sub001, sub002, sub003, sub004, sub005 and 494 more, under" in found[0].message


@pytest.mark.parametrize(
    ("others", "words"), [(1, "of a, but"), (2, "of a and b, but"), (3, "of a, b and c, but")]
)
def test_others_are_listed_in_words(others: int, words: str) -> None:
    every = [one(name, "1", nhs=name) for name in "abc"[:others]]
    found = [d for d in wrong_patient([*every, one("z", "1", nhs="z")]) if d.subject == "z"]
    assert [d.code for d in found] == ["R310"]
    assert words in found[0].message
