from __future__ import annotations

import datetime as dt
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rttqa_build.diagnostic import UsageError
from rttqa_build.pseudonym import CentreKey, Pseudonyms, hkdf

KEY = CentreKey(bytes(range(32)))
NAMES = Pseudonyms.derive(KEY, "example-prostate")


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("1.2.3.4", "2.25.66228428672680763121659038343518506395"),
        ("UNKNOWN", "2.25.61192633424580634121048636154643283059"),
        (b"1.2.3.4\0", "2.25.66228428672680763121659038343518506395"),
        (b"1.2.3.4 ", "2.25.66228428672680763121659038343518506395"),
    ],
)
def test_base_uid_of_the_contract(original: str | bytes, expected: str) -> None:
    assert NAMES.base_uid(original) == expected


def test_weeks_of_the_contract() -> None:
    assert NAMES.weeks_back("EP-0123") == 353
    assert dt.date(2024, 2, 29) - dt.timedelta(weeks=353) == dt.date(2017, 5, 25)


def test_fingerprint_of_the_contract() -> None:
    assert KEY.fingerprint == "f40f69391a7fb4d2"


def test_hkdf_is_rfc_5869() -> None:
    # RFC 5869 A.3: no salt, no info; the first 32 of its 42 bytes
    expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
    assert hkdf(b"\x0b" * 22, b"").hex() == expected


@given(st.binary(min_size=1, max_size=80))
def test_uids_are_valid(original: bytes) -> None:
    uid = NAMES.base_uid(original)
    assert len(uid) <= 64
    assert uid.startswith("2.25.")
    assert not uid.removeprefix("2.25.").startswith("0")


@given(st.text(max_size=40))
def test_weeks_stay_in_range(subject: str) -> None:
    assert 52 <= NAMES.weeks_back(subject) <= 520


def test_final_uid_depends_on_contents_but_not_their_order() -> None:
    one, two = hashlib.sha256(b"1").digest(), hashlib.sha256(b"2").digest()
    assert NAMES.final_uid("1.2", [one, two]) == NAMES.final_uid("1.2", [two, one])
    assert NAMES.final_uid("1.2", [one]) != NAMES.final_uid("1.2", [two])
    assert NAMES.final_uid("1.2", [one]) != NAMES.base_uid("1.2")


def test_scopes_share_nothing() -> None:
    other = Pseudonyms.derive(KEY, "example-phantom")
    assert other.base_uid("1.2.3.4") != NAMES.base_uid("1.2.3.4")
    assert other.patient_token("nhs", "9990000018") != NAMES.patient_token("nhs", "9990000018")
    with pytest.raises(UsageError):
        Pseudonyms.derive(KEY, "Not A Scope")


def test_key_file_round_trip() -> None:
    assert CentreKey.parse(KEY.to_line()) == KEY


@pytest.mark.parametrize(
    "text", ["", "hello", KEY.to_line()[:-4] + "000\n", KEY.to_line() * 2, KEY.to_line().upper()]
)
def test_damaged_key_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as error:
        CentreKey.parse(text)
    assert text.strip() == "" or text.strip() not in error.value.message


def test_key_is_never_shown() -> None:
    assert KEY.secret.hex() not in repr(KEY) + str(KEY)
    assert NAMES.uid_key.hex() not in repr(NAMES)
