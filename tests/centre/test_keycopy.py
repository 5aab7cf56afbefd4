"""The printed copy of the key: what is typed from it is the key, and a slip is told by its line."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rttqa_build.centre import keycopy
from rttqa_build.diagnostic import UsageError
from rttqa_build.pseudonym import CentreKey

KEY = CentreKey(bytes(range(32)))
PAGE = keycopy.page(KEY, "Example Cancer Centre (RXX)")


def test_the_page_of_the_contracts_key() -> None:
    """Pages lie in safes for years: their form never changes."""
    assert [keycopy.row(KEY, n) for n in (1, 2, 3, 4)] == [
        "0001 0203 0405 0607 a850",
        "0809 0a0b 0c0d 0e0f 98a5",
        "1011 1213 1415 1617 9faf",
        "1819 1a1b 1c1d 1e1f 91d1",
    ]
    assert "fingerprint  f40f69391a7fb4d2\n" in PAGE
    assert max(map(len, PAGE.splitlines())) <= 110


@given(st.binary(min_size=32, max_size=32))
def test_every_key_comes_back(secret: bytes) -> None:
    key = CentreKey(secret)
    copy = keycopy.parse(keycopy.page(key, "Any Centre"))
    assert copy == keycopy.Copy(key, key.fingerprint)


@pytest.mark.parametrize("end", ["\n", "\r\n", "", " \n\n"])
def test_a_copy_of_the_key_file_is_taken_too(end: str) -> None:
    assert keycopy.parse(KEY.to_line().strip() + end) == keycopy.Copy(KEY, "")


def test_a_damaged_copy_of_the_key_file_is_told_as_a_copy() -> None:
    with pytest.raises(UsageError, match="the copy of the key is damaged"):
        keycopy.parse(KEY.to_line().replace("0001", "0002"))


@pytest.mark.parametrize(
    "spelt",
    [
        PAGE.upper(),
        PAGE.replace("\n", "\r\n"),
        PAGE.replace(" 0", " O").replace("1011", "IOll"),
        "\n".join(reversed(re.findall(r"(?m)^\d:.*$", PAGE))),
        re.sub(r"(?m)^(\d): .*$", lambda m: m[0].replace(" ", "-").replace(":--", ". "), PAGE),
    ],
)
def test_how_people_type_does_not_matter(spelt: str) -> None:
    assert keycopy.parse(spelt).key == KEY


@settings(max_examples=300)
@given(st.integers(0, 19), st.sampled_from("0123456789abcdef"), st.integers(1, 4))
def test_one_wrong_digit_is_told_by_its_line(place: int, digit: str, line: int) -> None:
    right = keycopy.row(KEY, line).replace(" ", "")
    wrong = right[:place] + digit + right[place + 1 :]
    assert (keycopy.typed(line, wrong) is None) is (wrong != right)
    if wrong != right:
        page = PAGE.replace(keycopy.row(KEY, line), " ".join(wrong[at : at + 4] for at in range(0, 20, 4)))
        with pytest.raises(UsageError, match=f"line {line} ") as caught:
            keycopy.parse(page)
        assert wrong[:8] not in str(caught.value) + caught.value.hint


def test_lines_in_another_order_are_told() -> None:
    one, two = keycopy.row(KEY, 1), keycopy.row(KEY, 2)
    assert keycopy.typed(2, one) is None
    with pytest.raises(UsageError, match="lines 1, 2 are "):
        keycopy.parse(PAGE.replace(one, "x").replace(two, one).replace("x", two))


@pytest.mark.parametrize("text", ["", "nothing", PAGE[:200], KEY.to_line()[:40], "1:  0001"])
def test_what_is_no_copy_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        keycopy.parse(text)
    assert caught.value.code == "A001"


def test_no_repr_shows_the_key() -> None:
    assert "0001" not in f"{keycopy.parse(PAGE)!r}"
